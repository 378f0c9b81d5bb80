"""The ideal purchase (docs/performance.md): five HTTP steps, two organisations, least work that is correct.

A gateway and a bank without a framework, a layer or a table that the money does not need: plain WSGI under the same
gunicorn workers as ours, plain SQL with one statement per commit on the same PostgreSQL server, an HMAC per message,
one HTTP hop for the code and one for the money. What it leaves out is what ours are measured for: SMS, ISO 8583,
idempotency, history, audit, webhooks, flood control, languages, logs. Nobody may use it for anything else.
"""
