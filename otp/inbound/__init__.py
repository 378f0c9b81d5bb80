"""The door for text messages that SMS providers push to the bank."""
