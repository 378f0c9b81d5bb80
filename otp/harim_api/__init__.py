"""The bank's side of the Harim contract (contracts/harim/v1), as PSPs call it."""
