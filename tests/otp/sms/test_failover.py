"""Several providers as one: who is asked when, what a dead one costs, and what an operator sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from structlog.testing import capture_logs

from otp.ports import Fault, Receipt, SmsAccepted, SmsAnswer, SmsMessage, SmsRefused, SmsUnanswered
from otp.sms.failover import Failover, Member
from otp.sms.health import DRIFT_SECONDS, FAULTS_IN_A_ROW, SHUT_SECONDS, TROUBLE_SECONDS, Health
from tests.fakes.http import Reply, serving
from tests.otp.sms.accounts import TEXT, message, provider
from tests.otp.sms.test_sender import ACCEPTED, silent


@dataclass
class Clock:
    """A clock that a test moves."""

    now: float = 1000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


@dataclass
class Scripted:
    """A provider that gives these answers in turn, the last one for ever, each after ``takes`` seconds."""

    clock: Clock
    answers: list[SmsAnswer]
    takes: float = 0.0
    got: list[SmsMessage] = field(default_factory=list)
    states: dict[str, Receipt] = field(default_factory=dict)

    def send(self, message: SmsMessage) -> SmsAnswer:
        """Give the next answer."""
        self.got.append(message)
        self.clock.now += min(self.takes, message.timeout_seconds)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def receipts(self, message_ids: Sequence[str], timeout_seconds: float) -> dict[str, Receipt]:
        """Tell what is written."""
        assert timeout_seconds > 0
        return {name: self.states[name] for name in message_ids if name in self.states}


@dataclass
class Several:
    """A fail-over over scripted providers with what it told."""

    clock: Clock
    whole: Failover
    told: list[tuple[str, str, float]]
    by_name: dict[str, Scripted]
    health: dict[str, Health]

    def asked(self) -> list[str]:
        """Send one message; say who was asked, in order."""
        self.told.clear()
        self.whole.send(message(seconds=10.0))
        return [name for name, _, _ in self.told]


TAKES = SmsAccepted("7")
SILENT = SmsUnanswered("silent")
UNPAID = SmsUnanswered("code 418", Fault.ACCOUNT)
NO_TEMPLATE = SmsUnanswered("code 424", Fault.MESSAGE)


def several(**answers: tuple[int, list[SmsAnswer]]) -> Several:
    """Make providers by name: usual weight and answers."""
    clock = Clock()
    by_name = {name: Scripted(clock, list(given)) for name, (_, given) in answers.items()}
    health = {name: Health(weight) for name, (weight, _) in answers.items()}
    told: list[tuple[str, str, float]] = []
    members = [Member(name, each, 3.0, health[name], each) for name, each in by_name.items()]
    whole = Failover(members, lambda *call: told.append(call), clock)
    return Several(clock, whole, told, by_name, health)


def test_the_heaviest_is_asked_first_and_alone_while_it_works() -> None:
    """Its name goes before the message id, so that a message is found again."""
    here = several(light=(50, [TAKES]), heavy=(100, [TAKES]))

    assert here.whole.send(message()) == SmsAccepted("heavy:7")
    assert here.told == [("heavy", "accepted", 0.0)]


def test_between_equals_the_order_of_the_file_decides() -> None:
    """As it does with one weight for all."""
    here = several(second=(100, [TAKES]), first=(100, [TAKES]))

    assert here.asked() == ["second"]


@pytest.mark.parametrize("answer", [SILENT, UNPAID, NO_TEMPLATE])
def test_the_next_gets_the_very_same_message(answer: SmsAnswer) -> None:
    """The same code with the same reference: if both arrive it is one code all the same."""
    here = several(a=(100, [answer]), b=(50, [TAKES]))

    assert here.whole.send(message()) == SmsAccepted("b:7")
    first, second = here.by_name["a"].got[0], here.by_name["b"].got[0]
    assert (first.reference, first.text, first.template) == (second.reference, second.text, second.template)


def test_a_number_that_is_none_is_asked_of_nobody_else() -> None:
    """No provider can send there, and the provider is none the worse for saying so."""
    here = several(a=(100, [SmsRefused("code 411")]), b=(50, [TAKES]))

    assert here.whole.send(message()) == SmsRefused("code 411")
    assert here.by_name["b"].got == []
    assert here.health["a"].weight(here.clock.now) == 100


def test_no_provider_gets_more_than_its_own_time_and_all_no_more_than_the_messages() -> None:
    """Three that hang for three seconds: a message of seven has one second for the last."""
    here = several(a=(3, [SILENT]), b=(2, [SILENT]), c=(1, [SILENT]), d=(1, [TAKES]))
    for each in here.by_name.values():
        each.takes = 60.0

    answer = here.whole.send(message(seconds=7.0))

    assert answer == SmsUnanswered("silent; silent; silent")
    assert [each.got[0].timeout_seconds for each in here.by_name.values() if each.got] == [3.0, 3.0, 1.0]


def test_the_next_provider_is_told_what_is_left_of_a_codes_life() -> None:
    """The time that the first took is gone for both; what has no end stays so."""
    here = several(a=(100, [SILENT]), b=(50, [TAKES]))
    for each in here.by_name.values():
        each.takes = 3.0

    here.whole.send(replace(message(seconds=10.0), life_seconds=100.0))
    here.whole.send(message(seconds=10.0))

    assert [each.life_seconds for each in here.by_name["a"].got] == [100.0, None]
    assert [each.life_seconds for each in here.by_name["b"].got] == [97.0, None]


def test_a_message_without_time_is_given_to_nobody() -> None:
    """Its code would be dead on arrival."""
    here = several(a=(100, [TAKES]))

    assert here.whole.send(message(seconds=0.1)) == SmsUnanswered("no time left")
    assert here.by_name["a"].got == []


def test_what_no_provider_takes_is_refused_for_good() -> None:
    """Where all of them say it is the message, another try says the same: a person has to look at the template."""
    here = several(a=(100, [NO_TEMPLATE]), b=(50, [NO_TEMPLATE]))
    mixed = several(a=(100, [NO_TEMPLATE]), b=(50, [SILENT]))

    assert here.whole.send(message()) == SmsRefused("code 424; code 424")
    assert mixed.whole.send(message()) == SmsUnanswered("code 424; silent")


def test_a_breaker_opens_after_faults_in_a_row_and_closes_when_a_message_gets_through() -> None:
    """Shut out it is asked last; after the pause one message tries it, and with its answer it is back."""
    here = several(a=(1000, [SILENT] * (FAULTS_IN_A_ROW + 1) + [TAKES]), b=(1, [TAKES]))
    for _ in range(FAULTS_IN_A_ROW):
        assert here.asked() == ["a", "b"]
    assert here.asked() == ["b"]

    here.clock.now += SHUT_SECONDS
    assert here.asked() == ["a", "b"]
    assert here.asked() == ["b"]
    here.clock.now += SHUT_SECONDS
    assert here.asked() == ["a"]
    assert here.asked() == ["a"]


def test_one_message_at_a_time_tries_a_shut_provider_out() -> None:
    """The next one waits for another pause, so that a dead provider costs one message its time-out, not all of them."""
    health = Health(100)
    health.in_trouble(0.0)

    assert [health.admits(TROUBLE_SECONDS + later) for later in (-1, 0, 1, SHUT_SECONDS)] == [False, True, False, True]


def test_who_is_shut_out_is_asked_after_all_where_everybody_is() -> None:
    """A breaker prefers, it forbids nothing: a code's life is shorter than some pauses."""
    here = several(a=(100, [UNPAID, TAKES]))

    assert here.whole.send(message()) == SmsUnanswered("code 418", Fault.ACCOUNT)
    assert here.whole.send(message()) == SmsAccepted("a:7")


def test_weights_fall_with_faults_and_drift_back() -> None:
    """Two faults cost a provider its first place; in time it has it again, and no more than it had."""
    here = several(a=(100, [SILENT, SILENT, TAKES]), b=(60, [TAKES]))

    assert [here.asked(), here.asked(), here.asked()] == [["a", "b"], ["a", "b"], ["b"]]
    here.clock.now += DRIFT_SECONDS / 5
    assert here.asked() == ["a"]
    here.clock.now += 10 * DRIFT_SECONDS
    assert here.health["a"].weight(here.clock.now) == 100


def test_weights_never_fall_to_nothing() -> None:
    """However bad it was, a provider comes back."""
    health = Health(100)
    for _ in range(50):
        health.failed(0.0)

    assert health.weight(0.0) == 1
    assert health.weight(DRIFT_SECONDS) == 100


def test_missing_receipts_lower_a_providers_weight() -> None:
    """Of the one that had accepted the message, if it is one that tells at all."""
    here = several(a=(100, [TAKES]), ab=(98, [TAKES]))

    for _ in range(10):
        here.whole.missing("a:7")
        here.whole.missing("elsewhere:7")

    assert here.health["a"].weight(here.clock.now) < 90
    assert here.health["ab"].weight(here.clock.now) == 98
    assert here.asked() == ["ab"]


def test_a_few_missing_receipts_among_many_cost_little() -> None:
    """What counts is the share: phones are switched off at every provider, and a busy one has more of them."""
    health = Health(100)
    for number in range(1_000):
        health.receipt(0.0, came=number % 20 != 0)
    usual = health.weight(0.0)
    for _ in range(500):
        health.receipt(0.0, came=False)

    assert usual > 90
    assert health.weight(0.0) == 1
    assert health.weight(DRIFT_SECONDS) == 100


def test_receipts_that_come_make_good_for_those_that_did_not() -> None:
    """A provider that reports again is trusted again."""
    here = several(a=(100, [TAKES]))
    here.by_name["a"].states = {str(number): Receipt.DELIVERED for number in range(100)}
    for _ in range(20):
        here.whole.missing("a:7")
    before = here.health["a"].weight(here.clock.now)

    here.whole.receipts([f"a:{number}" for number in range(100)], 5.0)

    assert before < 80
    assert here.health["a"].weight(here.clock.now) > 90


def test_each_provider_is_asked_about_its_own_messages() -> None:
    """By the name before the id, and the answer has it again."""
    here = several(a=(100, [TAKES]), ab=(98, [TAKES]))
    here.by_name["a"].states = {"1": Receipt.DELIVERED, "2": Receipt.WAITING}
    here.by_name["ab"].states = {"1": Receipt.UNDELIVERED}

    found = here.whole.receipts(["a:1", "a:2", "ab:1", "gone:1", "a:3"], 5.0)

    assert found == {"a:1": Receipt.DELIVERED, "a:2": Receipt.WAITING, "ab:1": Receipt.UNDELIVERED}


def test_trouble_of_the_account_is_an_error_in_the_log() -> None:
    """An operator is to see it: who, and the provider's code; a busy provider is a warning only."""
    here = several(a=(100, [UNPAID]), b=(50, [SILENT]), c=(10, [TAKES]))
    with capture_logs() as lines:
        here.whole.send(message())

    assert [(line["log_level"], line["event"], line["provider"], line["why"]) for line in lines] == [
        ("error", "sms_trouble", "a", "code 418"),
        ("warning", "sms_unanswered", "b", "silent"),
    ]
    assert [call[:2] for call in here.told] == [("a", "trouble"), ("b", "unanswered"), ("c", "accepted")]


def test_f23_a_dead_first_provider_costs_its_time_out_and_no_code() -> None:
    """Over real sockets: the first hangs, the second, of another kind, gets the same words."""
    told: list[tuple[str, str, float]] = []
    with silent() as dead, serving(lambda _: Reply(200, body=ACCEPTED)) as site:
        members = [
            Member("first", provider("smsir", dead), 0.4, Health(100)),
            Member("second", provider("kavenegar", site.url), 3.0, Health(50)),
        ]
        answer = Failover(members, lambda *call: told.append(call)).send(message(templated=False))

    assert answer == SmsAccepted("second:7")
    assert [call[:2] for call in told] == [("first", "unanswered"), ("second", "accepted")]
    assert told[0][2] == pytest.approx(0.4, abs=0.35)
    assert TEXT.rpartition(" ")[2].encode() in site.requests[0].body
