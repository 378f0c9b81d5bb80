"""Plumbing that every organisation of this repository uses the way it uses a library.

It knows rials, card numbers, secrets, databases, queues and signatures; it knows no payment, no challenge, no table but
the outbox, and neither organisation's keys. What an organisation *decides* lives in that organisation.
"""
