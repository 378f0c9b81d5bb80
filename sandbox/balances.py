"""The gateway's own terminal for balances in the sandbox."""

BALANCE_MERCHANT_ID = "000000000000120"
BALANCE_TERMINAL_ID = "20000003"
BALANCE_NAMES = ("مانده‌گیری پویا (آزمایشی)", "Pooya Balances (sandbox)")
BALANCE_PAYEE = "مانده‌گیری پویا"
