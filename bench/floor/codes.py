"""What is kept of a code that is issued and checked, in plain SQL: all that a bank must keep, one statement each time.

A request's id is used once, limits are counted, the card is locked before it is looked at (D4), the code is kept as a
MAC, its message is queued, a right code is used up and earns a proof, and a wrong one costs a try.
"""

from __future__ import annotations

from bench.floor.wire import card_token, code_for, mac

TABLES = """
CREATE TABLE card (card_token bytea PRIMARY KEY, expiry text NOT NULL, balance bigint NOT NULL,
  failures integer NOT NULL DEFAULT 0);
CREATE TABLE request (request_id uuid PRIMARY KEY, reference text NOT NULL, answer text NOT NULL);
CREATE TABLE quota (holder text PRIMARY KEY, count integer NOT NULL);
CREATE TABLE challenge (
  challenge_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, reference text NOT NULL UNIQUE,
  card_token bytea NOT NULL REFERENCES card, code_mac bytea NOT NULL, binding text NOT NULL, proof_mac bytea,
  state text NOT NULL DEFAULT 'issued', tries integer NOT NULL DEFAULT 0, expires_at timestamptz NOT NULL);
CREATE TABLE outbox (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, challenge_id bigint NOT NULL);
CREATE FUNCTION issue(request uuid, asked text, whose bytea, until text, bound text, kept bytea, holders text[])
RETURNS text LANGUAGE plpgsql AS $$
DECLARE named bigint;
BEGIN
  PERFORM FROM card WHERE card_token = whose AND expiry = until FOR UPDATE;
  IF NOT FOUND THEN RETURN 'declined'; END IF;
  INSERT INTO request VALUES (request, asked, 'sent');
  INSERT INTO quota SELECT unnest(holders), 1 ON CONFLICT (holder) DO UPDATE SET count = quota.count + 1;
  INSERT INTO challenge (reference, card_token, code_mac, binding, expires_at)
  VALUES (asked, whose, kept, bound, clock_timestamp() + interval '2 minutes') RETURNING challenge_id INTO named;
  INSERT INTO outbox (challenge_id) VALUES (named);
  RETURN 'sent';
END $$;
CREATE FUNCTION verify(request uuid, asked text, whose bytea, bound text, shown bytea, earned bytea)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE said text := 'wrong';
BEGIN
  PERFORM FROM card WHERE card_token = whose FOR UPDATE;
  UPDATE challenge SET state = 'verified', proof_mac = earned
  WHERE reference = asked AND card_token = whose AND binding = bound AND code_mac = shown AND state = 'issued'
    AND tries < 3 AND expires_at > clock_timestamp();
  IF FOUND THEN
    said := 'verified';
  ELSE
    UPDATE challenge SET tries = tries + 1 WHERE reference = asked AND state = 'issued';
    UPDATE card SET failures = failures + 1 WHERE card_token = whose;
  END IF;
  INSERT INTO request VALUES (request, asked, said);
  RETURN said;
END $$;
"""
ISSUE = """ /* INSERT in a function, and its commit */
SELECT issue(%(request)s, %(reference)s, %(card)s, %(expiry)s, %(binding)s, %(code_mac)s, %(holders)s)
"""
VERIFY = """ /* UPDATE in a function, and its commit */
SELECT verify(%(request)s, %(reference)s, %(card)s, %(binding)s, %(code_mac)s, %(proof_mac)s)
"""


def issue_values(request: str, reference: str, pan: str, expiry: str, terminal: str, binding: str) -> dict[str, object]:
    """Derive a code, and return what :data:`ISSUE` writes of it."""
    token = card_token(pan)
    return {
        "request": request,
        "reference": reference,
        "card": token,
        "expiry": expiry,
        "binding": binding,
        "code_mac": mac(token + code_for(reference).encode()),
        "holders": sorted((token.hex(), terminal)),
    }


def verify_values(request: str, reference: str, pan: str, binding: str, code: str) -> dict[str, object]:
    """Derive a proof, and return what :data:`VERIFY` compares and writes."""
    token = card_token(pan)
    proof = mac(b"proof" + request.encode()).hex()
    return {
        "request": request,
        "reference": reference,
        "card": token,
        "binding": binding,
        "code_mac": mac(token + code.encode()),
        "proof_mac": mac(token + proof.encode()),
    }
