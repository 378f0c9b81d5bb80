"""The hosted payment page: what a customer sees and types, and nothing about money itself."""
