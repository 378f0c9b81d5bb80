"""The exit to whoever delivers top-ups for the operators."""
