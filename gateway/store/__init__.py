"""The gateway's tables: every SQL statement, built once, turned into frozen values. Nothing here decides."""
