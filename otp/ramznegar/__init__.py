"""Ramznegar: the app that makes dynamic PINs on a holder's phone, and what it asks the bank."""
