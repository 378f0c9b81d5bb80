"""An issuing bank: its dynamic-PIN service, its SMS delivery and its card authorisation host."""
