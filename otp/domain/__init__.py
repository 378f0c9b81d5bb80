"""What the bank decides: pure functions and tables, no clock, no network, no database."""
