"""Signed webhooks to merchants (Standard Webhooks)."""
