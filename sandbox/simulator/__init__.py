"""A deterministic simulator: real services and stores of gateway and bank, all chance and time from one seed."""
