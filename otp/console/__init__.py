"""The operators' page ``/console``: how the bank's codes fare, which cards are locked, and unlocks by two people."""
