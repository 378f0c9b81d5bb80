"""Use cases of the gateway: one module each, each owning its transactions."""
