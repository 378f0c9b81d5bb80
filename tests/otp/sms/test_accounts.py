"""The file of providers: what it may say, and what is said of a wrong one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from foundation.settings import InvalidSettings
from otp.ports import Receipt, SmsAccepted, SmsMessage
from otp.sms.accounts import PANELS, open_providers
from tests.fakes.http import Reply, serving
from tests.otp.sms.accounts import KEY, message
from tests.otp.sms.test_sender import ACCEPTED

ROW: dict[str, Any] = {
    "name": "one",
    "kind": "kavenegar",
    "credentials": {"key": KEY},
    "line": "10004346",
    "templates": {"code": {"id": "pooya-code", "values": {"token": "code"}}},
    "weight": 100,
    "timeout_seconds": 2.5,
}


SMSC: dict[str, Any] = {
    "name": "smsc",
    "kind": "smpp",
    "address": "smpps://smsc.example:3550",
    "credentials": {"system_id": "bank", "password": KEY},
    "smpp": {"window": 20, "per_second": 100, "source": [3, 0]},
}


class Box:
    """A provider that a factory makes."""

    def send(self, message: SmsMessage) -> SmsAccepted:
        """Take everything."""
        return SmsAccepted(message.reference)

    def receipts(self, message_ids: Sequence[str], _timeout_seconds: float) -> Mapping[str, Receipt]:
        """Deliver everything."""
        return dict.fromkeys(message_ids, Receipt.DELIVERED)


class Mute:
    """One that does not tell what becomes of messages."""

    def send(self, message: SmsMessage) -> SmsAccepted:
        """Take everything."""
        return SmsAccepted(message.reference)


def written(path: Path, rows: object, mode: int = 0o600) -> Path:
    """Write a file of providers."""
    file = path / "sms.json"
    file.write_text(json.dumps(rows))
    file.chmod(mode)
    return file


def test_the_file_makes_providers_in_its_order(tmp_path: Path) -> None:
    """A panel's row, reached elsewhere, and a factory's; calls are counted by the rows' names."""
    told: list[tuple[str, str, float]] = []
    with serving(lambda _: Reply(200, body=ACCEPTED)) as site:
        factory = {"name": "box", "kind": "factory", "factory": "tests.otp.sms.test_accounts:Box"}
        file = written(tmp_path, [{**ROW, "address": site.url}, {**factory, "weight": 101}])
        providers = open_providers(file, lambda *call: told.append(call))

        assert providers.send(message()) == SmsAccepted("box:sms-1")
        file = written(tmp_path, [{**ROW, "address": site.url}, factory])
        providers = open_providers(file, lambda *call: told.append(call))
        assert providers.send(message()) == SmsAccepted("one:7")

    assert [call[:2] for call in told] == [("box", "accepted"), ("one", "accepted")]
    assert site.requests[0].path == f"/v1/{KEY}/verify/lookup.json"


@pytest.mark.parametrize(("made", "tells"), [(Box, True), (Mute, False)])
def test_a_factorys_provider_is_asked_for_receipts_if_it_can_tell(*, made: type, tells: bool, tmp_path: Path) -> None:
    """By the method it has; of one without it no receipt is ever missing."""
    row = {"name": "own", "kind": "factory", "factory": f"tests.otp.sms.test_accounts:{made.__name__}"}
    providers = open_providers(written(tmp_path, [row]), lambda *_: None)

    assert providers.tells is tells
    assert providers.receipts(["own:sms-1"], 1.0) == ({"own:sms-1": Receipt.DELIVERED} if tells else {})
    assert providers.missing("own:sms-1") is tells


@pytest.mark.parametrize("kind", PANELS)
def test_a_row_needs_no_more_than_a_name_a_kind_and_its_credentials(kind: str, tmp_path: Path) -> None:
    """Everything else has a usual value; no connection is made before there is a message."""
    row = {"name": "one", "kind": kind, "credentials": dict.fromkeys(PANELS[kind].credentials, "x")}

    assert open_providers(written(tmp_path, [row]), lambda *_: None) is not None


def test_a_centre_is_connected_by_whoever_starts_it(tmp_path: Path) -> None:
    """A process that only reads the file, as the web door does, opens no connection; its messages go to the next."""
    with serving(lambda _: Reply(200, body=ACCEPTED)) as site:
        rows = [{**SMSC, "weight": 200}, {**ROW, "address": site.url}]
        providers = open_providers(written(tmp_path, rows), lambda *_: None)

        assert providers.send(message()) == SmsAccepted("one:7")
    providers.stop()


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "the whole"),
        ({"one": ROW}, "the whole"),
        ([ROW] * 9, "the whole"),
        ([ROW, ROW], "one name"),
        ([{**ROW, "name": "One"}], "0.name"),
        ([{**ROW, "weight": 0}], "0.weight"),
        ([{**ROW, "colour": "red"}], "0.colour"),
        ([{**ROW, "states": {"14": "arrived"}}], "0.states.14"),
        ([{**ROW, "kind": "pigeon"}], "kavenegar, smsir"),
        ([{**ROW, "credentials": {}}], "credentials of one are key"),
        ([{**ROW, "credentials": {"key": KEY, "user": "x"}}], "credentials of one are key"),
        ([{**ROW, "address": "http://sms.example"}], "https"),
        ([{**ROW, "address": "https://sms.example/"}], "https"),
        ([{**ROW, "kind": "smsir", "line": "bank"}], "must be a number"),
        ([{**ROW, "kind": "smsir"}], "must be a number"),
        ([{**SMSC, "address": "smpp://smsc.example"}], "smpp://host:port"),
        ([{**SMSC, "address": None}], "smpp://host:port"),
        ([{**SMSC, "credentials": {"system_id": "bank"}}], "system_id and password"),
        ([{**SMSC, "smpp": {"window": 0}}], "0.smpp.window"),
        ([{"name": "box", "kind": "factory"}], "no module:factory"),
        ([{"name": "box", "kind": "factory", "factory": "nowhere:x"}], "no module:factory"),
        ([{"name": "box", "kind": "factory", "factory": "builtins:nothing"}], "no module:factory"),
    ],
)
def test_a_wrong_file_stops_the_process_with_a_sentence(rows: object, said: str, tmp_path: Path) -> None:
    """It names the file and the place, and shows no value of it."""
    with pytest.raises(InvalidSettings, match="OTP_SMS_FILE") as refused:
        open_providers(written(tmp_path, rows), lambda *_: None)

    assert said in str(refused.value)
    assert KEY not in str(refused.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_refused(mode: int, tmp_path: Path) -> None:
    """So is one that is not there."""
    with pytest.raises(InvalidSettings, match="owner alone"):
        open_providers(written(tmp_path, [ROW], mode), lambda *_: None)
    with pytest.raises(InvalidSettings, match="owner alone"):
        open_providers(tmp_path / "nothing.json", lambda *_: None)
