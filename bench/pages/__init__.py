"""Every page and state in a real browser: reached once, looked at by tests and by the contact sheet alike."""
