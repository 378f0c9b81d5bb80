"""Pooya, the payment gateway: hosted payment page, merchant API, Harim client, switch client and ledger."""
