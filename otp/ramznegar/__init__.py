"""Ramznegar, the holder's app: what its device calls."""
