"""The bank's invariants as named queries (the monitor asks them each minute), and the numbers beside them.

A name begins with the invariant it belongs to. All of them only read, as the role that can only read (D39).
"""

from __future__ import annotations

from foundation.audit_proof import NOT_SEALED
from foundation.checks import Check, Measure, Rules, Scope, Severity
from otp.domain.quotas import budget_scopes
from otp.store.activations import ACTIVATION_TOPIC
from otp.store.deliveries import CODE_TOPIC, LAST_TRY_TOPIC
from otp.store.mobile_changes import FORMER_MOBILE_TOPIC, MOBILE_CODE_TOPIC
from otp.store.notices import NOTICE_TOPIC

_MONEY, _DELAY = Severity.MONEY, Severity.DELAY
_SUBJECTS = "ANY(CAST(:subjects AS bigint[]))"
_TOPICS = (CODE_TOPIC, LAST_TRY_TOPIC, ACTIVATION_TOPIC, MOBILE_CODE_TOPIC, FORMER_MOBILE_TOPIC, NOTICE_TOPIC)
PROOFS = ("proven", "unproven")
TRIES_MOST = 5


def _following(table: str) -> str:
    return (
        f"SELECT {table}_id FROM {table} WHERE {table}_id > coalesce(CAST(nullif(:after, '') AS bigint), 0) "
        f"ORDER BY {table}_id LIMIT :most"
    )


CARDS = Scope(
    "card",
    recent="""
SELECT DISTINCT moved.card_id FROM posting JOIN authorisation USING (authorisation_id)
CROSS JOIN LATERAL (VALUES (authorisation.card_id), (authorisation.credited_card_id)) AS moved (card_id)
WHERE posting.at >= :since AND moved.card_id IS NOT NULL LIMIT :most
""",
    following=_following("card"),
)
AUTHORISATIONS = Scope(
    "authorisation",
    recent="""
SELECT DISTINCT authorisation_id FROM (
  SELECT authorisation_id FROM authorisation WHERE created_at >= :since
  UNION ALL SELECT authorisation_id FROM posting WHERE at >= :since) AS touched LIMIT :most
""",
    following=_following("authorisation"),
)
CHALLENGES = Scope(
    "challenge",
    recent="SELECT challenge_id FROM challenge WHERE issued_at >= :since LIMIT :most",
    following=_following("challenge"),
)

_BALANCES = f"""
SELECT card_id, abs(balance_rial - expected_rial) FROM (
  SELECT card_id, balance_rial, opened_rial + coalesce((
    SELECT sum(CASE 'card:' || card.card_id WHEN posting.destination THEN posting.amount_rial
      WHEN posting.source THEN -posting.amount_rial ELSE 0 END)
    FROM (
      SELECT authorisation_id FROM authorisation a
      WHERE a.card_id = card.card_id AND a.state IN ('approved', 'reversed')
      UNION SELECT authorisation_id FROM authorisation a WHERE a.credited_card_id = card.card_id
    ) AS own JOIN posting USING (authorisation_id)), 0) AS expected_rial
  FROM card WHERE card_id = {_SUBJECTS}) AS account
WHERE balance_rial <> expected_rial
"""

_FOREIGN_ACCOUNT = f"""
SELECT a.authorisation_id, posting.amount_rial FROM authorisation a JOIN posting USING (authorisation_id)
WHERE a.authorisation_id = {_SUBJECTS} AND NOT (ARRAY[posting.source, posting.destination]
  <@ array_remove(ARRAY['card:' || a.card_id, 'card:' || a.credited_card_id, 'acquirer:' || a.acquirer_id,
    'interbank:' || a.acquirer_id], NULL))
"""

_TWO_DEBITS = f"""
SELECT a.authorisation_id, a.amount_rial FROM authorisation a
WHERE a.authorisation_id = {_SUBJECTS} AND a.state = 'approved' AND a.kind <> 'credit' AND EXISTS (
  SELECT FROM authorisation b WHERE b.transaction_ref = a.transaction_ref AND b.state = 'approved'
    AND b.kind <> 'credit' AND b.acquirer_id = a.acquirer_id AND b.authorisation_id < a.authorisation_id)
"""

_WHOLE = f"""
SELECT authorisation_id, abs(taken - wanted) + abs(given - meant) FROM (
  SELECT a.authorisation_id,
    CASE WHEN a.state = 'approved' AND a.kind <> 'credit' THEN a.amount_rial ELSE 0 END AS wanted,
    CASE WHEN a.state = 'approved' AND a.credited_card_id IS NOT NULL
      THEN a.amount_rial - a.fee_rial ELSE 0 END AS meant,
    coalesce(sum(CASE WHEN source = 'card:' || a.card_id THEN posting.amount_rial
      WHEN destination = 'card:' || a.card_id THEN -posting.amount_rial ELSE 0 END), 0) AS taken,
    coalesce(sum(CASE WHEN destination = 'card:' || a.credited_card_id THEN posting.amount_rial
      WHEN source = 'card:' || a.credited_card_id THEN -posting.amount_rial ELSE 0 END), 0) AS given
  FROM authorisation a LEFT JOIN posting USING (authorisation_id)
  WHERE a.authorisation_id = {_SUBJECTS} GROUP BY a.authorisation_id) AS books
WHERE taken <> wanted OR given <> meant
"""

_INTERBANK = f"""
SELECT authorisation_id, greatest(abs(owed - wanted), 1) FROM (
  SELECT a.authorisation_id, a.kind, a.state, a.amount_rial,
    CASE WHEN a.kind = 'transfer' AND a.credited_card_id IS NULL AND a.state = 'approved'
      THEN a.amount_rial - a.fee_rial ELSE 0 END AS wanted,
    coalesce(sum(CASE 'interbank:' || a.acquirer_id WHEN destination THEN posting.amount_rial
      WHEN source THEN -posting.amount_rial END), 0) AS owed
  FROM authorisation a LEFT JOIN posting USING (authorisation_id)
  WHERE a.authorisation_id = {_SUBJECTS} GROUP BY a.authorisation_id) AS books
WHERE owed <> wanted AND NOT (kind = 'credit' AND state = 'approved' AND owed = -amount_rial)
"""

_CREDIT_SUMS = """
SELECT acquirer_id || ' ' || day, abs(credited_rial - standing_rial) FROM (
  SELECT acquirer_id, day, credited_rial, coalesce((SELECT sum(amount_rial) FROM authorisation
    WHERE authorisation.acquirer_id = credit_day.acquirer_id AND kind = 'credit' AND state = 'approved'
      AND credited_on = day AND created_at >= house_now() - interval '4 days'), 0) AS standing_rial
  FROM credit_day WHERE day > CAST(house_now() AT TIME ZONE 'Asia/Tehran' AS date) - 2) AS sums
WHERE credited_rial <> standing_rial
"""

_UNDECIDED = f"""
SELECT authorisation_id, amount_rial FROM authorisation
WHERE authorisation_id = {_SUBJECTS} AND (state = 'received' OR action_code IS NULL)
"""

_BY_APP = """d.card_id = a.card_id AND a.challenge_id IS NULL
  AND a.decided_at BETWEEN d.added_at AND coalesce(d.ended_at, 'infinity') + interval '1 second'"""

_CODE_FITS = f"""
SELECT a.authorisation_id, a.amount_rial FROM authorisation a
LEFT JOIN challenge c USING (challenge_id) LEFT JOIN psp USING (psp_id)
LEFT JOIN device_card d ON d.card_ref = a.card_ref
WHERE a.authorisation_id = {_SUBJECTS} AND a.state IN ('approved', 'reversed') AND a.kind <> 'credit'
AND NOT coalesce(CASE a.code_channel
  WHEN 'harim' THEN
    c.state = 'consumed' AND c.card_id = a.card_id AND psp.acquirer_id = a.acquirer_id AND a.card_ref IS NULL
    AND a.unbound = (c.ceiling_rial IS NOT NULL)
    AND (c.ceiling_rial >= a.amount_rial OR (c.ceiling_rial IS NULL AND c.transaction_ref = a.transaction_ref))
    AND a.decided_at < coalesce(c.proof_expires_at, c.expires_at) + interval '1 second'
    AND a.amount_rial = coalesce(CAST(substring(c.canonical FROM '[|]total=([0-9]+)[|]') AS bigint),
      CAST(substring(c.canonical FROM '[|]amount=([0-9]+)[|]') AS bigint)
      + CAST(substring(c.canonical FROM '[|]fee=([0-9]+)[|]') AS bigint))
    AND rtrim(a.terminal_id) = coalesce(substring(c.canonical FROM '[|]terminal=([^|]*)[|]'),
      CASE WHEN c.ceiling_rial IS NOT NULL THEN rtrim(a.terminal_id) END)
  WHEN 'sms' THEN
    c.state = 'consumed' AND c.channel = 'sms' AND c.card_id = a.card_id AND a.unbound AND a.card_ref IS NULL
    AND c.ceiling_rial >= a.amount_rial AND a.decided_at < c.expires_at + interval '1 second'
  WHEN 'app' THEN {_BY_APP} AND a.unbound AND d.last_second_step > 0
  WHEN 'app_bound' THEN {_BY_APP} AND NOT a.unbound AND d.last_bound_step > 0
  WHEN 'first_pin' THEN a.challenge_id IS NULL AND NOT a.unbound AND (a.card_ref IS NULL OR {_BY_APP})
  WHEN 'static' THEN a.challenge_id IS NULL AND NOT a.unbound AND a.card_ref IS NULL END, false)
"""

_TRIES = f"""
SELECT challenge_id, 0 FROM challenge
WHERE challenge_id = {_SUBJECTS} AND (wrong_tries > tries_max OR wrong_tries > {TRIES_MOST})
"""

_OWED = f"""
SELECT c.challenge_id, 0 FROM challenge c WHERE c.challenge_id = {_SUBJECTS} AND NOT EXISTS (
  SELECT FROM outbox WHERE outbox.unique_key = '{CODE_TOPIC}:' || c.challenge_id || ':' || c.resends)
"""

_SENT_DEAD = f"""
SELECT challenge_id, 0 FROM challenge
WHERE challenge_id = {_SUBJECTS} AND accepted_at > expires_at
"""

_STUCK = """
SELECT id, 0 FROM outbox WHERE done_at IS NULL AND dead_at IS NULL AND due_at < house_now() - interval '2 minutes'
"""

_BUDGET_USED = " UNION ALL ".join(
    f"SELECT '{proof}', sum(used) FROM quota WHERE window_start = date_trunc('day', house_now(), 'Asia/Tehran') "
    f"AND scope IN ({', '.join(repr(scope) for scope in budget_scopes(proof))}) HAVING sum(used) > 0"
    for proof in PROOFS
)

_NOT_SWEPT = """
SELECT challenge_id, 0 FROM challenge WHERE state = 'issued' AND expires_at < house_now() - interval '2 minutes'
UNION ALL
SELECT challenge_id, 0 FROM challenge
WHERE state = 'verified' AND proof_expires_at < house_now() - interval '2 minutes'
UNION ALL
SELECT activation_key, 0 FROM activation WHERE state = 'issued' AND expires_at < house_now() - interval '2 minutes'
"""

CHECKS = (
    Check("I1_balances", "a card holds what it was opened with and what postings brought", _MONEY, _BALANCES, "card"),
    Check(
        "I1_own_accounts",
        "a posting moves money between its authorisation's own cards, its acquirer and the interbank account",
        _MONEY,
        _FOREIGN_ACCOUNT,
        "authorisation",
    ),
    Check("I2_one_debit", "a payment reference is debited once at a time", _MONEY, _TWO_DEBITS, "authorisation"),
    Check(
        "I3_whole",
        "an approved authorisation took all of its amount, every other holds nothing",
        _MONEY,
        _WHOLE,
        "authorisation",
    ),
    Check(
        "I1_interbank",
        "the interbank account holds what stands of transfers to other banks, less credits from them (D7)",
        _MONEY,
        _INTERBANK,
        "authorisation",
    ),
    Check("I1_credit_sums", "what an acquirer gave in a day is what stands of its credits", _MONEY, _CREDIT_SUMS),
    Check("I5_decided", "no message is committed without its answer", _MONEY, _UNDECIDED, "authorisation"),
    Check(
        "I9_code_fits",
        "money was taken for one right code: of its card, and of its payment, amount and terminal where it is bound",
        _MONEY,
        _CODE_FITS,
        "authorisation",
    ),
    Check("I9_tries", "a code is tried wrongly five times at most", _MONEY, _TRIES, "challenge"),
    Check("I11_sms_owed", "an issued code has its message in the outbox", _MONEY, _OWED, "challenge"),
    Check("I12_sms", "no message is sent after its code has died", _DELAY, _SENT_DEAD, "challenge"),
    Check("I18_jobs", "every message is taken up within two minutes of its time", _DELAY, _STUCK),
    Check("I18_chained", "an act is chained within two minutes (D31)", _DELAY, NOT_SEALED),
    Check("I18_swept", "a dead code, proof or activation is ended within two minutes", _DELAY, _NOT_SWEPT),
)

MEASURES = (
    Measure(
        "outbox_waiting",
        "messages neither sent nor given up, by topic",
        "SELECT topic, count(*) FROM outbox WHERE done_at IS NULL AND dead_at IS NULL GROUP BY topic",
        "topic",
        _TOPICS,
    ),
    Measure(
        "outbox_oldest_seconds",
        "age of the oldest of them",
        "SELECT topic, extract(epoch FROM house_now() - min(created_at)) FROM outbox "
        "WHERE done_at IS NULL AND dead_at IS NULL GROUP BY topic",
        "topic",
        _TOPICS,
    ),
    Measure(
        "outbox_dead",
        "messages given up that nobody has looked at, by topic",
        "SELECT topic, count(*) FROM outbox WHERE dead_at IS NOT NULL GROUP BY topic",
        "topic",
        _TOPICS,
    ),
    Measure(
        "sms_budget_used",
        "messages counted today on OTP_SMS_PER_DAY, with and without proof of the card",
        _BUDGET_USED,
        "proof",
        PROOFS,
    ),
    Measure("live_codes", "codes that could be used now", "SELECT '', count(*) FROM challenge WHERE state = 'issued'"),
)

RULES = Rules(CHECKS, MEASURES, (CARDS, AUTHORISATIONS, CHALLENGES))
