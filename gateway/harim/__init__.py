"""The client of the issuers' dynamic-PIN services, one dialect a module."""
