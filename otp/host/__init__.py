"""The bank's authorisation host: ISO 8583 over TCP, a process of its own."""
