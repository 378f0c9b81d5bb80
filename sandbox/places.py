"""What embedded servers share: short private directories for sockets, starting and ending a process by its id."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import stat
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

PRIVATE = 0o700
POLL_SECONDS = 0.05
KILL_SECONDS = 5.0


class CannotRun(Exception):
    """Something the sandbox needs is missing or taken; the message is a sentence for the person who started it."""


def socket_directory(state: Path) -> Path:
    """Return a private directory short enough for a socket's path (107 bytes), always the same one for ``state``.

    Raises:
        CannotRun: when somebody else owns that name.
    """
    name = hashlib.sha256(str(state.resolve()).encode()).hexdigest()[:12]
    path = Path(tempfile.gettempdir()) / f"pooya-{os.getuid()}-{name}"
    path.mkdir(mode=PRIVATE, exist_ok=True)
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise CannotRun(f"{path} belongs to somebody else; remove it or set TMPDIR to a directory of your own")
    path.chmod(PRIVATE)
    return path


def spawn(command: Sequence[str], log: Path, environment: dict[str, str] | None = None) -> int:
    """Start a process in a session of its own, its output appended to ``log``; returns its id."""
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return os.posix_spawnp(
            command[0],
            list(command),
            environment if environment is not None else dict(os.environ),
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, out, 1),
                (os.POSIX_SPAWN_DUP2, out, 2),
            ],
            setsid=True,
        )
    finally:
        os.close(out)


def is_running(pid: int, needle: str = "") -> bool:
    """Tell whether process ``pid`` lives and carries ``needle`` in its command line (an id alone may be reused)."""
    with contextlib.suppress(ChildProcessError):  # another process started it
        os.waitpid(pid, os.WNOHANG)
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return False
    return state != "Z" and (not command or needle in command)  # between fork and exec there is no command line


def bury_the_dead() -> None:
    """Take notice of every child that ended: until then its id counts as alive, and its lock files as held."""
    with contextlib.suppress(ChildProcessError):  # there are no children
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def end(pid: int, needle: str, *, by: signal.Signals, harder_by: signal.Signals, within_seconds: float) -> None:
    """Ask process ``pid`` to end and wait until it has; past ``within_seconds`` ask harder."""
    if not is_running(pid, needle):
        return
    os.kill(pid, by)
    deadline = time.monotonic() + within_seconds
    while is_running(pid, needle):
        if time.monotonic() > deadline:
            os.kill(pid, harder_by)
            deadline += KILL_SECONDS
        time.sleep(POLL_SECONDS)


def last_line(text: str) -> str:
    """Return the last line of a log, to be quoted in a sentence."""
    return (text.strip().splitlines() or ["(it said nothing)"])[-1]
