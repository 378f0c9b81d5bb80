"""Tables and statements of the floor; each change is one statement and one commit."""

from __future__ import annotations

GATEWAY_TABLES = """
CREATE TABLE payment (
  payment_id text PRIMARY KEY, page_token text NOT NULL UNIQUE, order_id text NOT NULL UNIQUE, amount bigint NOT NULL,
  state text NOT NULL DEFAULT 'open', created_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE attempt (
  attempt_id text PRIMARY KEY, payment_id text NOT NULL REFERENCES payment, state text NOT NULL, pan_sealed bytea);
CREATE UNIQUE INDEX attempt_in_flight ON attempt (payment_id) WHERE state = 'submitted';
CREATE TABLE posting (
  posting_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, payment_id text NOT NULL, source text NOT NULL,
  destination text NOT NULL, amount bigint NOT NULL CHECK (amount > 0));
"""
OPEN = """
INSERT INTO payment (payment_id, page_token, order_id, amount)
VALUES (%(payment_id)s, %(page_token)s, %(order_id)s, %(amount)s)
"""
PAGE = "SELECT payment_id, amount, state FROM payment WHERE page_token = %(page_token)s"
SUBMIT = """
WITH taken AS (
  UPDATE payment SET state = 'paying' WHERE page_token = %(page_token)s AND state = 'open'
    AND created_at > clock_timestamp() - interval '15 minutes' RETURNING payment_id, amount),
submitted AS (
  INSERT INTO attempt (attempt_id, payment_id, state, pan_sealed)
  SELECT %(attempt_id)s, payment_id, 'submitted', %(pan_sealed)s FROM taken)
SELECT payment_id, amount FROM taken
"""
RECORD = """
WITH decided AS (
  UPDATE attempt SET state = %(outcome)s WHERE attempt_id = %(attempt_id)s AND state = 'submitted'
  RETURNING payment_id),
paid AS (
  UPDATE payment SET state = CASE %(outcome)s WHEN 'approved' THEN 'authorised' ELSE 'open' END
  FROM decided WHERE payment.payment_id = decided.payment_id RETURNING payment.payment_id, amount, payment.state),
moved AS (
  INSERT INTO posting (payment_id, source, destination, amount)
  SELECT payment_id, 'issuer', 'merchant', amount FROM paid WHERE state = 'authorised')
SELECT state FROM paid
"""
CONFIRM = """
WITH confirmed AS (
  UPDATE payment SET state = 'confirmed'
  WHERE payment_id = %(payment_id)s AND amount = %(amount)s AND state = 'authorised' RETURNING payment_id, amount),
moved AS (
  INSERT INTO posting (payment_id, source, destination, amount)
  SELECT payment_id, 'merchant', 'payable', amount FROM confirmed)
SELECT payment_id FROM confirmed
"""

# Lock comes before look: each statement of a function sees what was committed before it, so one call is enough (D4).
BANK_TABLES = """
CREATE TABLE card (card_token bytea PRIMARY KEY, expiry text NOT NULL, balance bigint NOT NULL CHECK (balance >= 0));
CREATE TABLE challenge (
  reference text PRIMARY KEY, card_token bytea NOT NULL REFERENCES card, code_mac bytea NOT NULL,
  state text NOT NULL DEFAULT 'issued', tries integer NOT NULL DEFAULT 0, expires_at timestamptz NOT NULL);
CREATE TABLE authorisation (
  attempt_id text PRIMARY KEY, reference text NOT NULL, card_token bytea NOT NULL, amount bigint NOT NULL,
  outcome text NOT NULL);
CREATE FUNCTION authorise(attempt text, asked text, whose bytea, due bigint, shown bytea) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE kept bytea; said text := 'declined';
BEGIN
  PERFORM FROM card WHERE card_token = whose FOR UPDATE;
  SELECT code_mac INTO kept FROM challenge
  WHERE reference = asked AND card_token = whose AND state = 'issued' AND tries < 3 AND expires_at > clock_timestamp();
  IF kept = shown THEN
    UPDATE challenge SET state = 'consumed' WHERE reference = asked;
    UPDATE card SET balance = balance - due WHERE card_token = whose AND balance >= due;
    IF FOUND THEN said := 'approved'; END IF;
  ELSE
    UPDATE challenge SET tries = tries + 1 WHERE reference = asked;
  END IF;
  INSERT INTO authorisation VALUES (attempt, asked, whose, due, said);
  RETURN said;
END $$;
"""
OPEN_CARD = "INSERT INTO card VALUES (%s, %s, %s)"
ISSUE = """
INSERT INTO challenge (reference, card_token, code_mac, expires_at)
SELECT %(reference)s, card_token, %(code_mac)s, clock_timestamp() + interval '2 minutes'
FROM card WHERE card_token = %(card_token)s AND expiry = %(expiry)s
"""
AUTHORISE = "SELECT authorise(%(attempt_id)s, %(reference)s, %(card_token)s, %(amount)s, %(code_mac)s)"
