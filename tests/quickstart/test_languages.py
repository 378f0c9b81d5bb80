"""What the quick starts need is installed where that is possible; otherwise a sentence says what is missing."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

LANGUAGES = Path(__file__).parents[2] / ".ci" / "languages"
NEEDED = ("node", "php", "curl", "jq", "openssl")
SHELL = ("bash", "sed", "env", "chmod", "touch")


class Machine:
    """A folder of programs that is all a script sees."""

    def __init__(self, folder: Path, user: int, *missing: str) -> None:
        self.folder = folder
        for name in SHELL:
            (folder / name).symlink_to(str(shutil.which(name)))
        for name in set(NEEDED) - set(missing):
            self.program(name, "exit 0")
        self.program("id", f"echo {user}")

    def program(self, name: str, does: str) -> None:
        """Install a program."""
        path = self.folder / name
        path.write_text(f"#!{shutil.which('bash')}\n{does}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def run(self) -> tuple[str, str]:
        """Run the script; return what it says to its caller and to people."""
        done = subprocess.run(  # noqa: S603 - our own script
            [str(shutil.which("bash")), str(LANGUAGES)],
            env={"PATH": str(self.folder), "HOME": os.environ.get("HOME", "/")},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout.strip(), done.stderr


def test_nothing_is_done_where_everything_is_there(tmp_path: Path) -> None:
    """Not even as root."""
    assert Machine(tmp_path, 0).run() == ("all", "")


def test_what_is_missing_is_said_in_a_sentence(tmp_path: Path) -> None:
    """Nobody but root installs; the sentence names Debian's packages."""
    said, told = Machine(tmp_path, 1000, "node", "php").run()

    assert said == "present"
    assert "for want of nodejs php-cli: install them (Debian: sudo apt-get install nodejs php-cli)." in told


@pytest.mark.skipif(not Path("/etc/debian_version").is_file(), reason="asks Debian's package manager on Debian alone")
def test_root_on_debian_installs_what_is_missing(tmp_path: Path) -> None:
    """Under Debian's names, without questions; what cannot be installed is said."""
    machine = Machine(tmp_path, 0, "node", "jq")
    machine.program(
        "apt-get",
        f'echo "$DEBIAN_FRONTEND $*" >> {tmp_path}/asked\n[ "$1" = update ] && exit 0\n'
        f"for name in node jq; do touch {tmp_path}/$name; chmod +x {tmp_path}/$name; done",
    )

    assert machine.run()[0] == "all"
    update, install = (tmp_path / "asked").read_text().splitlines()
    assert update.split() == ["update", "-qq"]
    assert install == "noninteractive install -y -qq --no-install-recommends nodejs jq"

    for name in ("node", "jq"):
        (tmp_path / name).unlink()
    machine.program("apt-get", "exit 100")
    said, told = machine.run()
    assert said == "present"
    assert "for want of nodejs jq" in told
