"""The gateway's own terminal for transfers from card to card in the sandbox."""

TRANSFER_MERCHANT_ID = "000000000000110"
TRANSFER_TERMINAL_ID = "20000002"
TRANSFER_NAMES = ("کارت به کارت پویا (آزمایشی)", "Pooya Transfers (sandbox)")
TRANSFER_PAYEE = "کارت به کارت"
