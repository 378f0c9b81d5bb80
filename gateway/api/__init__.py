"""The JSON API for merchants: parse, call one use case, render."""
