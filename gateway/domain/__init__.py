"""What the gateway decides: pure values, tables and rules.

Nothing here knows a clock, a network, a database or a web framework, and nothing here imports anything that does.
Import-linter holds this.
"""
