"""The simulator repeats itself, finds nothing in what we built, and finds what is broken on purpose."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from gateway.domain.issuers import Issuer
from gateway.domain.outcome import (
    AuthorisationAnswer,
    Declined,
    InquiryAnswer,
    ReversalAnswer,
    ReversalUnknown,
    Reversed,
    Unknown,
)
from gateway.ports import AuthorisationRequest, InquiryRequest, ReversalRequest, Switch
from sandbox.postgres import Cluster
from sandbox.simulator.runner import simulate

pytestmark = pytest.mark.xdist_group("simulator")


@dataclass
class Careless:
    """A switch that takes silence for an answer: for a no to a purchase, or for a yes to a reversal."""

    inner: Switch
    about: str

    def authorise(self, issuer: Issuer, request: AuthorisationRequest) -> AuthorisationAnswer:
        """Ask for the money."""
        answer = self.inner.authorise(issuer, request)
        return Declined("912") if isinstance(answer, Unknown) and self.about == "purchase" else answer

    def reverse(self, issuer: Issuer, request: ReversalRequest) -> ReversalAnswer:
        """Ask for the money back."""
        answer = self.inner.reverse(issuer, request)
        return Reversed() if isinstance(answer, ReversalUnknown) and self.about == "reversal" else answer

    def inquire(self, issuer: Issuer, request: InquiryRequest) -> InquiryAnswer:
        """Ask what became of it."""
        return self.inner.inquire(issuer, request)

    def echo(self, issuer: Issuer) -> bool:
        """Ask nothing."""
        return self.inner.echo(issuer)


def test_d36_a_simulated_world_under_faults_loses_no_rial(cluster: Cluster) -> None:
    """I1 to I13 hold after every step, everything comes to rest (I18), and the audit of both books is clean."""
    outcome = simulate(cluster, steps=400, seed=7)

    assert outcome.violation is None, "\n".join(outcome.lines)
    assert outcome.clean
    assert outcome.lines[-1] == "unexplained: 0 rial"


def test_the_same_seed_is_the_same_history(cluster: Cluster) -> None:
    """Every change of both databases repeats, ids and codes included; another seed is another history."""
    first, again, other = (simulate(cluster, steps=100, seed=seed).digest for seed in (3, 3, 4))

    assert first == again
    assert first != other


SEEDS = range(5, 13)
"""Histories to look through; how soon a fault shows depends on who happens to act when."""


@pytest.mark.parametrize("about", ["purchase", "reversal"])
def test_d2_silence_taken_for_an_answer_is_found(cluster: Cluster, about: str) -> None:
    """A switch that takes silence for an answer violates I6 (F4, F6), and the report says how to see it again."""
    runs = (simulate(cluster, steps=1_000, seed=seed, wrap=lambda switch: Careless(switch, about)) for seed in SEEDS)
    outcome = next(filter(lambda run: run.violation, runs), None)

    assert outcome is not None
    assert str(outcome.violation).startswith("I6")
    assert "--replay" in outcome.lines[-1]
