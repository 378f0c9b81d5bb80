"""The weak dialects from end to end: our client against the bank's own doors, and both against the examples."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import pytest
from werkzeug.serving import make_server

from foundation import soap
from foundation.database import Database
from foundation.pan import Pan
from foundation.rial import Rial
from foundation.signatures import Signer, public_key_of
from foundation.soap import SOAP_11, Contract
from foundation.xml_signatures import EnvelopeSigner
from gateway.domain.issuers import Issuer
from gateway.harim import sadad as our_sadad
from gateway.harim import yaghut as our_yaghut
from gateway.harim.client import DIALECTS, HarimClient
from gateway.ports import PinAnswer, PinRefusal, PinRefused, PinRequest, PinSent, PinUnanswered
from otp import wiring
from otp.app import create_app
from otp.domain import purposes
from otp.domain.answers import ANSWERS, Code
from otp.domain.binding import SHAPES
from otp.domain.psp import Psp
from otp.harim_api import sadad, yaghut
from otp.services.register_psp import register_psp
from sandbox.certificates import certificate_of, new_identity
from tests.fakes.harim import REQUEST
from tests.fakes.shop import ISSUER
from tests.otp.conftest import BANK_IDENTITY, PSP_IDENTITY, PSP_PRIVATE_KEY, BankWorld, PhoneBox, make_settings
from tests.otp.conftest import write_key_file as write_bank_keys

FOLDER = Path(__file__).parents[2] / "contracts" / "harim" / "dialects"
CONTRACT = Contract(FOLDER / "yaghut.wsdl", FOLDER / "yaghut.xsd")
CEILING = 1_000_000
README = (FOLDER / "README.md").read_text()


@dataclass
class Far:
    """A bank that listens, and our client."""

    here: BankWorld
    client: HarimClient

    def issuer(self, dialect: str) -> Issuer:
        """Return the issuer's row for it."""
        keys = self.here.bank.keys
        signing_id = keys.active_id(purposes.HARIM_SIGNING)
        return dataclasses.replace(
            ISSUER,
            harim_dialect=dialect,
            harim_url=self.here.bank.settings.public_url,
            harim_key_id=signing_id,
            harim_public_key=public_key_of(keys.material(signing_id).reveal()),
            harim_certificates=certificate_of(BANK_IDENTITY),
            harim_timeout_ms=5_000,
        )

    def request(self, pan: Pan, amount: int = 250_000, *, proven: bool = True) -> PinRequest:
        """Make a request about this card."""
        order = dataclasses.replace(REQUEST.order, amount=Rial(amount))
        cvv2 = self.here.cvv2(pan) if proven else None
        return dataclasses.replace(REQUEST, pan=pan, cvv2=cvv2, order=order)

    def ask(self, dialect: str, pan: Pan, amount: int = 250_000) -> PinAnswer:
        """Ask for a code."""
        return self.client.request_pin(self.issuer(dialect), self.request(pan, amount))


@pytest.fixture
def far(
    bank_database: Database, bank_owner_database: Database, bank_urls: dict[str, str], tmp_path: Path
) -> Iterator[Far]:
    """Serve a bank that allows the weak dialects and tells an open profile why it refuses."""
    server = make_server("127.0.0.1", 0, lambda environ, start: app(environ, start), threaded=True)  # noqa: PLW0108 - the bank must know its port before it is there
    changes = {"public_url": f"http://127.0.0.1:{server.server_port}", "disclosure": "open"}
    settings = make_settings(write_bank_keys(tmp_path / "bank.json"), bank_urls, **changes)
    phone = PhoneBox()
    bank = wiring.build(settings, sms=phone, database=bank_database)
    keys, acquirer = {"pooya-1": public_key_of(PSP_PRIVATE_KEY)}, REQUEST.order.acquirer_id
    psp = Psp("pooya", "پویا", acquirer, keys, "open", None, False, certificate_of(PSP_IDENTITY), CEILING)  # noqa: FBT003 - the row's own order
    register_psp(bank, psp)
    app = create_app(bank=bank)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    signers = (Signer("pooya-1", PSP_PRIVATE_KEY), EnvelopeSigner(PSP_IDENTITY))
    yield Far(BankWorld(bank, phone, psp, bank_owner_database), HarimClient(*signers))
    server.shutdown()
    server.server_close()
    thread.join()


WEAK = sorted(SHAPES)


def test_the_gateway_and_the_bank_know_the_same_dialects() -> None:
    """Two of Harim v1, and the weak ones."""
    assert set(DIALECTS) == {"harim-v1-rest", "harim-v1-soap", *SHAPES}


@pytest.mark.parametrize("dialect", WEAK)
def test_d6_our_client_gets_a_code_from_the_banks_door(far: Far, dialect: str) -> None:
    """Asked, answered, verified both ways; asked again at once, nothing more is sent."""
    pan = far.here.card()

    assert [far.ask(dialect, pan), far.ask(dialect, pan)] == [PinSent(), PinSent()]
    assert [tuple(code["bound"]) for code in far.here.challenges()] == [SHAPES[dialect]]
    assert far.here.queued() == 1


@pytest.mark.parametrize("dialect", WEAK)
def test_every_refusal_of_the_bank_reaches_us_by_its_meaning(far: Far, dialect: str) -> None:
    """As far as the dialect has a word for it."""
    told = {
        "blocked": far.ask(dialect, far.here.card(status="blocked")),
        "inactive": far.ask(dialect, far.here.card(second_pin_active=False)),
        "too much": far.ask(dialect, far.here.card(), CEILING + 1),
    }
    far.here.sql("UPDATE psp SET disclosure = 'open'")
    several = far.here.card()
    told["too many"] = [far.ask(dialect, several, amount) for amount in (1_000, 2_000, 3_000, 4_000)][-1]

    inactive = {"sadad-adaptor": PinRefusal.DYNAMIC_PIN_NOT_ACTIVE, "tosan-yaghut": PinRefusal.NOT_ACCEPTED}
    assert told == {
        "blocked": PinRefused(PinRefusal.CARD_BLOCKED),
        "inactive": PinRefused(inactive[dialect]),
        "too much": PinRefused(PinRefusal.NOT_ACCEPTED),
        "too many": PinRefused(PinRefusal.TOO_MANY_REQUESTS),
    }


@pytest.mark.parametrize("dialect", WEAK)
def test_f13_a_bank_that_breaks_says_so_by_the_dialect(far: Far, dialect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is known hears that it cannot be now."""

    def broken(*_: object) -> None:
        raise ConnectionError

    pan = far.here.card()
    monkeypatch.setattr("otp.harim_api.dialects.issue_code", broken)

    assert far.ask(dialect, pan) == PinRefused(PinRefusal.TEMPORARILY_UNAVAILABLE)


@pytest.mark.parametrize("dialect", WEAK)
def test_d41_a_gateway_that_is_not_registered_hears_nothing_it_could_believe(far: Far, dialect: str) -> None:
    """The bank's refusal of a stranger is unsigned."""
    stranger = HarimClient(Signer("pooya-1", bytes(range(32))), EnvelopeSigner(new_identity("pooya")))
    request = far.request(far.here.card())

    assert stranger.request_pin(far.issuer(dialect), request) == PinUnanswered("incoherent: signature")
    assert far.here.challenges() == []


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_ping_has_no_effect(far: Far, dialect: str) -> None:
    """A bank that works is known to work on every wire, and no code was made for it."""
    assert far.client.ping(far.issuer(dialect))
    assert far.here.sql("SELECT * FROM harim_request") == []


def test_sadads_golden_messages_are_what_both_sides_write_and_read() -> None:
    """Request: the bank's reader takes it. Answers: their words are the bank's, and we read them."""
    request = json.loads((FOLDER / "examples" / "sadad-request.json").read_text())
    answer, refusal = (
        json.loads((FOLDER / "examples" / f"sadad-{name}.json").read_text()) for name in ("answer", "refusal")
    )

    assert sadad.HarimRequestOptWithPan.model_validate(request).amount == 250_000
    for message, code in ((answer, Code.ACCEPTED), (refusal, Code.TOO_MANY_REQUESTS)):
        assert (message["responseCode"], message["message"]) == (sadad.RESPONSE_CODES[code], ANSWERS[code].fa)
    assert our_sadad.meaning(answer) == PinSent()
    assert our_sadad.meaning(refusal) == PinRefused(PinRefusal.TOO_MANY_REQUESTS)


@pytest.mark.parametrize("name", ["yaghut-request", "yaghut-request-unproven"])
def test_yaghuts_golden_requests_are_read_by_the_bank(name: str) -> None:
    """As the XSD and the reader's own model say."""
    _, envelope = soap.open_envelope((FOLDER / "examples" / f"{name}.xml").read_bytes(), max_bytes=65_536)

    bean = CONTRACT.read_request(envelope[0]).document["arg0"]

    assert int(yaghut.HarimOtpRequest.model_validate(bean).amount) == 250_000


@pytest.mark.parametrize(
    ("name", "fault", "code"),
    [
        ("yaghut-fault", "Server", Code.TOO_MANY_REQUESTS),
        ("yaghut-fault-of-the-message", "Client", Code.MALFORMED),
    ],
)
def test_yaghuts_golden_faults_are_what_the_bank_writes(name: str, fault: str, code: Code) -> None:
    """Byte for byte, before the signature."""
    exception, said = yaghut.EXCEPTIONS.get(code), ANSWERS[code]
    detail = None if exception is None else CONTRACT.detail(exception, {"message": said.fa})

    written = soap.written(soap.fault(SOAP_11, fault, said.en, detail))

    assert written == (FOLDER / "examples" / f"{name}.xml").read_bytes()


def rows(pattern: str) -> list[tuple[str, ...]]:
    """Find table rows of the README."""
    return re.findall(pattern, README, re.MULTILINE)


def test_the_readme_lines_the_dialects_up_with_v1() -> None:
    """One row for each answer code of Harim v1, in the words of both; and what each dialect's code is bound to."""
    said = {
        Code(code): (digits, exception)
        for code, digits, exception in rows(r"^\| `([A-Z_]+)` \| `(\d\d)` \| `?(\w+)`? \|[^|]+\|$")
    }
    spoken = set(Code) - {code for code in Code if code.startswith(("CODE_", "VERIFIED", "CARD_OR"))}

    assert set(said) == spoken
    for code, (digits, exception) in said.items():
        assert sadad.RESPONSE_CODES[code] == digits
        good = ANSWERS[code].status == 200
        assert exception == ("answer" if good else yaghut.EXCEPTIONS.get(code, "Client"))
    for dialect, shape in SHAPES.items():
        text = r"\|".join(("v1", *(f"{fact}=…" for fact in shape)))
        assert f"| `{dialect}` | `{text}` |" in README


def test_the_readme_has_every_meaning_that_we_read() -> None:
    """Each response code and each exception, with what a cardholder hears."""
    digits = {row[0]: row[1] for row in rows(r"^\| `(\d\d)` \| `([a-z_]+)` \|$")}
    exceptions = {row[0]: row[1] for row in rows(r"^\| `(\w+WSException)` \| `([a-z_]+)` \|$")}

    assert exceptions == {name: str(meaning) for name, meaning in our_yaghut.EXCEPTIONS.items()}
    ours = dict.fromkeys(our_sadad.OUR_FAULT, "not_accepted")
    assert digits == {**ours, **{code: str(meaning) for code, meaning in our_sadad.REFUSALS.items()}}
