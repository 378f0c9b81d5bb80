"""A shop written only from the published merchant API (``contracts/merchant/v1``); another organisation."""
