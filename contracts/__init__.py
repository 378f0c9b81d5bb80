"""Neutral ground: the published documents by which the organisations know each other."""
