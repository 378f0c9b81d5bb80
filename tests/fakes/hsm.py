"""A token of SoftHSM with one AES-256 key that cannot be read out: the real library, in a folder of the test's own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pkcs11
import pytest

PIN = "4711-user"
MODULES = (os.environ.get("SOFTHSM", ""), "/usr/lib/softhsm/libsofthsm2.so")


def softhsm() -> str:
    """Return the module's path; skip where there is none."""
    found = next((path for path in MODULES if path and Path(path).exists()), None)
    if found is None:
        pytest.skip("SoftHSM is not installed (Debian: apt-get install softhsm2)")
    return found


def new_token(folder: Path, *, label: str, key: str = "master") -> str:
    """Make a token and its key; return the name of the master key as a setting has it.

    The library reads its configuration once per process, so every token of a test run lies in one folder.
    """
    module, configuration = softhsm(), folder / "softhsm2.conf"
    if not configuration.exists():
        (folder / "tokens").mkdir(parents=True)
        configuration.write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    words = ["softhsm2-util", "--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", "so-" + PIN]
    subprocess.run(words, check=True, capture_output=True, timeout=30)  # noqa: S603 - words of our own
    library = pkcs11.lib(module)
    library.reinitialize()
    fixed = {pkcs11.Attribute.SENSITIVE: True, pkcs11.Attribute.EXTRACTABLE: False}
    with library.get_token(token_label=label).open(user_pin=PIN, rw=True) as session:
        session.generate_key(pkcs11.KeyType.AES, 256, label=key, store=True, template=fixed)
    return f"pkcs11:{module}?token={label}&object={key}"
