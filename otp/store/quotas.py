"""Limits as rows that the deciding statement changes (D20): the part of it that counts, and what that part is given."""

from __future__ import annotations

from collections.abc import Sequence

from otp.domain.quotas import Charge

WANTED = """
wanted AS MATERIALIZED (
    SELECT scope, most, silent, date_trunc(span, clock.now, 'Asia/Tehran') AS window_start,
           date_trunc(span, clock.now, 'Asia/Tehran') + CAST('1 ' || span AS interval) AS window_end
      FROM clock, unnest(CAST(:scopes AS text[]), CAST(:spans AS text[]), CAST(:mosts AS integer[]),
                         CAST(:silents AS boolean[])) AS asked (scope, span, most, silent))"""
"""The rows of some charges; needs ``clock`` before it."""

FULL = f"""{WANTED},
full_rows AS MATERIALIZED (
    SELECT CAST(ceil(extract(epoch FROM max(window_end) - max(clock.now))) AS integer) AS retry_after
      FROM clock CROSS JOIN wanted JOIN quota USING (scope, window_start) WHERE used >= most)
"""
"""``full_rows`` says for how long, seconds, a row that is full holds everything back; nothing where none is."""

CHARGED = f"""{WANTED},
counted AS (
    INSERT INTO quota AS row (scope, window_start, used)
    SELECT scope, window_start, 1 FROM wanted ORDER BY scope
        ON CONFLICT (scope, window_start) DO UPDATE SET used = row.used + 1
     WHERE row.used < (SELECT most FROM wanted WHERE wanted.scope = row.scope)
    RETURNING scope)
"""
"""Counts each charge on its row, up to its limit."""

COUNTED = f"""{CHARGED},
reached AS (SELECT * FROM wanted WHERE scope NOT IN (SELECT scope FROM counted)),
verdict AS MATERIALIZED (
    SELECT count(*) > 0 AS held, coalesce(bool_or(NOT silent), false) AS limited,
           CAST(ceil(extract(epoch FROM max(window_end) FILTER (WHERE NOT silent) - (SELECT now FROM clock)))
                AS integer) AS retry_after
      FROM reached)
"""
"""The same; ``verdict`` says whether a limit held everything back, and for how long, seconds."""


def counted(charges: Sequence[Charge]) -> dict[str, object]:
    """Return what each of these is given."""
    return {
        "scopes": [charge.scope for charge in charges],
        "spans": [str(charge.span) for charge in charges],
        "mosts": [charge.most for charge in charges],
        "silents": [charge.silent for charge in charges],
    }
