"""Use cases of the bank: one module each, each owning its transactions."""
