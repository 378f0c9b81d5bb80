"""The app's own files as browsers get them: one version for all of them, named by what is in them.

A file's address carries the version, so a browser may keep it for good, and no page ever runs with scripts of another
version. The service worker is told the same version and keeps exactly these files.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from otp.ramznegar.joined import joined
from otp.ramznegar.wording import WORDS

STATIC = Path(__file__).parent / "static"
KINDS = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".woff2": "font/woff2",
}
_PACKED = {".css", ".js", ".svg", ".txt"}
_REMARKS = {
    ".css": re.compile(rb"/\*.*?\*/\s*|^[ \t]+", re.DOTALL | re.MULTILINE),
    ".js": re.compile(rb"^[ \t]+(//.*\n)?|^//.*\n", re.MULTILINE),
}
"""What a browser does not need of our own style and script: remarks on lines of their own, and indentation."""
SCRIPT = "app.js"
"""All modules of the app and its words in both languages, in one file."""
WORKER = "sw.js"
SCANNER = "jsqr.js"
"""Reads QR codes where the browser cannot; kept only where it is needed, because it is as large as all else."""


@dataclass(frozen=True, slots=True)
class File:
    """One file: its bytes, small where that helps, and what they are."""

    content: bytes
    kind: str
    packed: bytes | None

    @classmethod
    def read(cls, path: Path) -> File:
        """Read a file; what others wrote (the scanner) goes out as they wrote it."""
        content = path.read_bytes()
        return cls.of(content if path.name == SCANNER else _bare(content, path.suffix), path.suffix)

    @classmethod
    def of(cls, content: bytes, suffix: str) -> File:
        """Make a file of ``content``; style, script and drawings are packed once."""
        packed = gzip.compress(content, mtime=0) if suffix in _PACKED else None
        return cls(content, KINDS[suffix], packed)


def _bare(content: bytes, suffix: str) -> bytes:
    remarks = _REMARKS.get(suffix)
    return remarks.sub(b"", content) if remarks else content


def modules() -> dict[str, str]:
    """Return the text of the app's modules by name; one of them is the table of its words."""
    words = json.dumps({key: list(both) for key, both in sorted(WORDS.items())}, ensure_ascii=False)
    paths = [path for path in sorted(STATIC.glob("*.js")) if path.name not in {WORKER, SCANNER}]
    return {path.stem: path.read_text() for path in paths} | {"words": f"export const WORDS = {words};\n"}


class Shell:
    """Everything the app is made of, read once per process.

    Args:
        render: gives the page for a version.
    """

    def __init__(self, render: Callable[[str], str]) -> None:
        self._render = render
        own = modules()
        others = [path for path in sorted(STATIC.iterdir()) if path.suffix != ".js" or path.stem not in own]
        self.files = {path.name: File.read(path) for path in others}
        self.files[SCRIPT] = File.of(_bare(joined(own).encode(), ".js"), ".js")

    @cached_property
    def version(self) -> str:
        """Return twelve digits that change with any file, sentence or page."""
        whole = hashlib.sha256(self._render("-").encode())
        for name, file in sorted(self.files.items()):
            whole.update(name.encode() + hashlib.sha256(file.content).digest())
        return whole.hexdigest()[:12]

    @cached_property
    def page(self) -> File:
        """Return the page, which names the files by this version."""
        content = self._render(self.version).encode()
        return File(content, "text/html; charset=utf-8", gzip.compress(content, mtime=0))

    def kept(self) -> list[str]:
        """Return the names of the files that make the app work without a network."""
        return [SCRIPT, *(name for name in self.files if name.endswith((".css", ".woff2", ".svg")))]

    def worker(self, page: str, address: Callable[[str], str]) -> File:
        """Return the service worker of this version.

        Args:
            page: address of the page.
            address: gives that of a file.
        """
        facts = {"version": self.version, "page": page, "files": [address(name) for name in self.kept()]}
        head = f"const SHELL = {json.dumps(facts)};\n".encode()
        return File.of(head + self.files[WORKER].content, ".js")
