"""The master key, in a file and in an HSM: what is wrapped opens in its own place only, and failures say what to do."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pkcs11
import pytest

from foundation import keys as keys_module
from foundation import master_keys
from foundation.key_file import Key, KeyFileRefused, KeyState, change_keys, read_keys, wrap_keys, write_keys
from foundation.keys import Keyring, UnknownKey
from foundation.master_keys import MasterKey, MasterKeyRefused, new_master_file, open_master
from foundation.sensitive import Sensitive
from tests.fakes.hsm import PIN, new_token

MATERIAL = bytes(range(32))


@pytest.fixture(scope="session")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all tokens of this process."""
    return tmp_path_factory.mktemp("hsm")


@pytest.fixture(scope="session")
def hsm_name(tokens: Path) -> str:
    """Name a master key in SoftHSM."""
    return new_token(tokens, label="first")


@pytest.fixture
def pin_file(tmp_path: Path) -> Path:
    """A file with the token's PIN."""
    path = tmp_path / "pin"
    path.write_text(PIN + "\n")
    path.chmod(0o600)
    return path


@pytest.fixture(params=["file", "hsm"])
def master(request: pytest.FixtureRequest, tmp_path: Path, pin_file: Path) -> MasterKey:
    """Either kind."""
    if request.param == "hsm":
        return open_master(request.getfixturevalue("hsm_name"), pin_file)
    new_master_file(tmp_path / "master")
    return open_master(f"file:{tmp_path / 'master'}", None)


def key(key_id: str, *, state: KeyState = KeyState.ACTIVE, purpose: str = "pan") -> Key:
    """Make a key."""
    return Key(key_id, purpose, Sensitive(MATERIAL), state)


def test_d41_a_wrapped_key_opens_in_its_own_place_only(master: MasterKey) -> None:
    """Moved to another key's row, changed or cut, it does not open; nothing of it is readable."""
    wrapped = master.wrap(Sensitive(MATERIAL), place="key|pan|pan-1")

    assert master.unwrap(wrapped, place="key|pan|pan-1") == Sensitive(MATERIAL)
    assert MATERIAL not in wrapped
    for broken, place in ((wrapped, "key|pan|pan-2"), (wrapped[:-1], "key|pan|pan-1"), (b"", "key|pan|pan-1")):
        with pytest.raises(MasterKeyRefused, match="does not open"):
            master.unwrap(broken, place=place)


def test_d41_a_key_file_is_wrapped_whole_and_follows_changes(master: MasterKey, tmp_path: Path) -> None:
    """Nothing in clear is left in it, a ring reads it, and a ring that was open sees a key that came later."""
    path = tmp_path / "keys.json"
    write_keys(path, [key("pan-1")], master)
    ring = Keyring.from_file(path, master, clear_allowed=False)
    sealed = ring.seal("pan", b"6219861034529007", bound_to="row")

    assert "material" not in path.read_text()
    assert path.stat().st_mode & 0o077 == 0
    change_keys(
        path, master, lambda keys: [*(Key(k.id, k.purpose, k.material, KeyState.RETIRED) for k in keys), key("pan-2")]
    )
    until(lambda: ring.active_id("pan") == "pan-2")
    assert ring.open(sealed, bound_to="row") == b"6219861034529007"


def until(holds: Callable[[], bool], *, seconds: float = 10) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_coming_key_opens_and_does_not_write(tmp_path: Path) -> None:
    """So that every process knows it before one writes with it."""
    path = tmp_path / "keys.json"
    write_keys(path, [key("pan-1"), key("pan-2", state=KeyState.COMING)], None)
    ring = Keyring.from_file(path)

    assert (ring.active_id("pan"), ring.ids("pan")) == ("pan-1", ("pan-1", "pan-2"))


def test_a_master_key_of_somebody_else_opens_nothing(
    tokens: Path, hsm_name: str, pin_file: Path, tmp_path: Path
) -> None:
    """Another token's key, and a file's."""
    path = tmp_path / "keys.json"
    write_keys(path, [key("pan-1")], open_master(hsm_name, pin_file))
    new_master_file(tmp_path / "master")

    for name in (new_token(tokens, label="second"), f"file:{tmp_path / 'master'}"):
        with pytest.raises(KeyFileRefused, match="pan-1 does not open under this master key"):
            Keyring.configured(path, name, pin_file)


def test_the_key_in_the_hsm_cannot_be_read_out(hsm_name: str, pin_file: Path) -> None:
    """It is sensitive and not extractable: the HSM itself refuses."""
    assert open_master(hsm_name, pin_file)
    module = hsm_name.partition(":")[2].partition("?")[0]
    with pkcs11.lib(module).get_token(token_label="first").open(user_pin=PIN) as session:
        found = session.get_key(object_class=pkcs11.ObjectClass.SECRET_KEY, label="master")
        with pytest.raises(pkcs11.AttributeSensitive):
            found[pkcs11.Attribute.VALUE]


def test_an_hsm_that_is_away_at_start_stops_the_process_with_a_sentence(
    hsm_name: str, pin_file: Path, tmp_path: Path
) -> None:
    """No module, no such token, a wrong PIN."""
    path = tmp_path / "keys.json"
    write_keys(path, [key("pan-1")], open_master(hsm_name, pin_file))
    module = hsm_name.partition(":")[2].partition("?")[0]
    for name in (
        "pkcs11:/nowhere/module.so?token=first&object=master",
        f"pkcs11:{module}?token=none&object=master",
        f"pkcs11:{module}?token=first&object=none",
    ):
        with pytest.raises(KeyFileRefused, match="the HSM says"):
            Keyring.configured(path, name, pin_file)
    pin_file.write_text("another")
    with pytest.raises(KeyFileRefused, match="the HSM says PinIncorrect"):
        Keyring.configured(path, hsm_name, pin_file)


def test_an_hsm_that_goes_away_while_serving_changes_nothing(hsm_name: str, pin_file: Path, tmp_path: Path) -> None:
    """Keys that were unwrapped go on; a changed file is read once the HSM answers again."""
    path = tmp_path / "keys.json"
    write_keys(path, [key("pan-1")], open_master(hsm_name, pin_file))
    ring = Keyring.configured(path, hsm_name, pin_file)
    other = tmp_path / "master"
    new_master_file(other)
    write_keys(path, [key("pan-2")], open_master(f"file:{other}", None))
    time.sleep(1.1)  # the ring looks once a second

    assert ring.active_id("pan") == "pan-1"
    write_keys(path, [key("pan-3")], open_master(hsm_name, pin_file))
    until(lambda: ring.active_id("pan") == "pan-3")


class Slow:
    """A master key whose HSM hangs from some moment on; counts how often it was asked since."""

    def __init__(self) -> None:
        self.hangs, self.asked, self.let_go = False, 0, threading.Event()

    def wrap(self, material: Sensitive[bytes], *, place: str) -> bytes:
        """Wrap nothing: what matters here is the waiting."""
        assert place
        return material.reveal()

    def unwrap(self, wrapped: bytes, *, place: str) -> Sensitive[bytes]:
        """Take its time, and fail."""
        if self.hangs:
            self.asked += 1
            self.let_go.wait(1)
            raise MasterKeyRefused(f"{place}: the HSM did not answer")
        return Sensitive(wrapped)


def test_d41_nobody_who_uses_a_key_waits_for_an_hsm_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever uses one holds a card meanwhile; one thread asks alone, and less and less often."""
    monkeypatch.setattr(keys_module, "LOOK_EVERY_SECONDS", 0.05)
    path, master = tmp_path / "keys.json", Slow()
    write_keys(path, [key("pan-1")], master)
    ring = Keyring.from_file(path, master)
    master.hangs = True
    write_keys(path, [key("pan-2")], master)
    until(lambda: master.asked == 1)

    began = time.monotonic()
    used = {ring.active_id("pan") for _ in range(1_000)}

    assert (used, time.monotonic() - began < 0.5) == ({"pan-1"}, True)
    master.let_go.set()
    time.sleep(1)
    assert master.asked < 7  # after 0.05, 0.1, 0.2, 0.4 s, and so on
    master.hangs = False
    until(lambda: ring.active_id("pan") == "pan-2")


def test_d41_a_ring_that_nobody_uses_follows_its_file(tmp_path: Path) -> None:
    """The first look-up of an idle process finds what was hashed under a key that came while it slept."""
    path = tmp_path / "keys.json"
    write_keys(path, [key("pan-1")], None)
    ring = Keyring.from_file(path)
    write_keys(path, [key("pan-1"), key("pan-2", state=KeyState.COMING)], None)

    time.sleep(2.5)

    assert ring.ids("pan") == ("pan-1", "pan-2")


def test_d41_a_file_that_is_away_for_a_moment_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gone, broken or open to others: the ring has its keys, and takes the file again once it is good."""
    monkeypatch.setattr(keys_module, "LOOK_EVERY_SECONDS", 0.05)
    path = tmp_path / "keys.json"
    write_keys(path, [key("pan-1")], None)
    ring = Keyring.from_file(path)

    path.unlink()
    time.sleep(0.2)
    path.write_text("{")
    time.sleep(0.2)
    path.chmod(0o644)
    time.sleep(0.2)
    assert ring.active_id("pan") == "pan-1"
    write_keys(path, [key("pan-2")], None)

    until(lambda: ring.active_id("pan") == "pan-2")


def test_a_ring_follows_its_file_in_a_forked_process_too(tmp_path: Path) -> None:
    """A server may load its application before it forks its workers."""
    path = tmp_path / "keys.json"
    write_keys(path, [key("pan-1")], None)
    ring = Keyring.from_file(path)
    child = os.fork()
    if child == 0:  # pragma: no cover - in the other process
        try:
            until(lambda: ring.active_id("pan") == "pan-2")
        except BaseException:  # noqa: BLE001 - nothing of the tests may run on in here
            os._exit(1)
        os._exit(0)
    write_keys(path, [key("pan-2")], None)

    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0


def test_the_thread_of_a_ring_ends_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens many leaves none behind."""
    monkeypatch.setattr(keys_module, "LOOK_EVERY_SECONDS", 0.05)
    path = tmp_path / "keys.json"
    write_keys(path, [key("pan-1")], None)
    before = set(threading.enumerate())
    ring = Keyring.from_file(path)
    (thread,) = set(threading.enumerate()) - before

    del ring

    until(lambda: not thread.is_alive())


def test_an_hsm_that_hangs_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that does not come back is given up."""
    monkeypatch.setattr(master_keys, "HSM_SECONDS", 0.05)
    hanging = master_keys.HsmMasterKey("module", token="t", name="n", pin=Sensitive("p"))
    monkeypatch.setattr(pkcs11, "lib", lambda _: time.sleep(1))

    with pytest.raises(MasterKeyRefused, match="did not answer"):
        hanging.unwrap(bytes(60), place="key|pan|pan-1")


def test_with_a_master_key_all_are_wrapped(tmp_path: Path) -> None:
    """A key in clear beside it, and a wrapped one without it, are refused with what to do."""
    path = tmp_path / "keys.json"
    write_keys(path, [key("pan-1")], None)
    assert Keyring.configured(path, None, None).active_id("pan") == "pan-1"
    new_master_file(tmp_path / "master")
    with pytest.raises(KeyFileRefused, match="keys wrap"):
        Keyring.configured(path, f"file:{tmp_path / 'master'}", None)
    write_keys(path, [key("pan-1")], open_master(f"file:{tmp_path / 'master'}", None))
    with pytest.raises(KeyFileRefused, match="name the master key"):
        read_keys(path, None)


@pytest.mark.parametrize("name", ["", "master", "file:", "pkcs11:", "pkcs11:/m.so", "pkcs11:/m.so?token=t", "vault:x"])
def test_a_name_that_is_none_is_refused(name: str, pin_file: Path) -> None:
    """With the two forms there are."""
    with pytest.raises(MasterKeyRefused, match="a master key is file:/path or pkcs11:"):
        open_master(name, pin_file)


def test_files_that_others_can_read_are_refused(tmp_path: Path, pin_file: Path) -> None:
    """Master key and PIN alike; and a file that is no master key, and one that is there already."""
    path = tmp_path / "master"
    new_master_file(path)
    with pytest.raises(MasterKeyRefused, match="was not made"):
        new_master_file(path)
    path.chmod(0o644)
    with pytest.raises(MasterKeyRefused, match="chmod 600"):
        open_master(f"file:{path}", None)
    path.chmod(0o600)
    for text in ("short", "####"):
        path.write_text(text)
        with pytest.raises(MasterKeyRefused, match="is no master key"):
            open_master(f"file:{path}", None)
    with pytest.raises(MasterKeyRefused, match="there is no master key"):
        open_master(f"file:{tmp_path / 'none'}", None)
    hsm = "pkcs11:/m.so?token=t&object=o"
    with pytest.raises(MasterKeyRefused, match="name a file"):
        open_master(hsm, None)
    pin_file.chmod(0o644)
    with pytest.raises(MasterKeyRefused, match="chmod 600"):
        open_master(hsm, pin_file)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Tell what is written to the disk: the name of a file, or of a folder with what is in it by then."""
    seen: list[str] = []
    write = os.fsync

    def watched(number: int) -> None:
        path = Path(f"/proc/self/fd/{number}").resolve()
        seen.append(f"{path.name}/ {sorted(each.name for each in path.iterdir())}" if path.is_dir() else path.name)
        write(number)

    monkeypatch.setattr(os, "fsync", watched)
    return seen


def test_d41_keys_and_their_names_are_on_the_disk_when_a_command_ends(tmp_path: Path, disk: list[str]) -> None:
    """A master key that a power failure took would take every key with it that is wrapped under it."""
    folder = tmp_path / "keys"
    folder.mkdir()

    new_master_file(folder / "master")
    write_keys(folder / "bank.json", [key("pan-1")], None)

    assert disk == ["master", "keys/ ['master']", ".bank.json.new", "keys/ ['bank.json', 'master']"]


def test_d41_wrapping_waits_for_a_change_that_is_under_way(tmp_path: Path) -> None:
    """Else it would write back the file without the key that was added meanwhile."""
    path = tmp_path / "keys.json"
    write_keys(path, [key("pan-1")], None)
    new_master_file(tmp_path / "master")
    under = open_master(f"file:{tmp_path / 'master'}", None)

    with ThreadPoolExecutor(1) as pool:

        def add(keys: list[Key]) -> list[Key]:
            wrapping.append(pool.submit(wrap_keys, path, None, under))
            time.sleep(0.2)
            assert not wrapping[0].done()
            return [*keys, key("pan-2")]

        wrapping: list[Future[list[Key]]] = []
        change_keys(path, None, add)
        assert [each.id for each in wrapping[0].result()] == ["pan-1", "pan-2"]

    assert [each.id for each in read_keys(path, under, clear_allowed=False)] == ["pan-1", "pan-2"]


def test_a_ring_without_the_key_says_so() -> None:
    """By its purpose and by its id."""
    with pytest.raises(UnknownKey, match="no active key for pan"):
        Keyring([key("pan-1", state=KeyState.COMING)]).active_id("pan")
