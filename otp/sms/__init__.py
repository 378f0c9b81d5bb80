"""The bank's SMS providers: HTTP panels, their accounts, and fail-over between them."""
