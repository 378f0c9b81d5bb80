"""The app's modules as one script, put together as a process starts: a phone asks once instead of twenty times.

Nothing else is done to them: each keeps a scope of its own, and others get of it what it exports. One that imports or
exports in a way that is not known here stops the start.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from graphlib import TopologicalSorter

_IMPORT = re.compile(
    r'^import (?:\* as (?P<whole>\w+)|(?P<some>\{[^{}]*\})) from "\./(?P<module>\w+)\.js";$', re.MULTILINE
)
_EXPORT = re.compile(r"^export (?=(?:async function|function|class|const) (\w+))", re.MULTILINE)
_UNKNOWN = re.compile(r"^(?:import|export)\b", re.MULTILINE)


class UnknownModule(Exception):
    """A module of the app is written in a way that cannot be joined; ``str`` says which."""


def joined(modules: Mapping[str, str]) -> str:
    """Return modules as one, each behind those that it imports.

    Args:
        modules: text by name; the name has no ``.js``.

    Raises:
        UnknownModule: one is imported that is not there, or something is imported or exported in another way.
        CycleError: two import each other.
    """
    wanted = {name: [found["module"] for found in _IMPORT.finditer(text)] for name, text in modules.items()}
    order = tuple(TopologicalSorter(wanted).static_order())
    missing = [name for name in order if name not in modules]
    if missing:
        raise UnknownModule(missing[0])
    return "".join(_scope(name, modules[name]) for name in order)


def _scope(name: str, text: str) -> str:
    exported = ", ".join(_EXPORT.findall(text))
    body = _EXPORT.sub("", _IMPORT.sub(_taken, text))
    if _UNKNOWN.search(body):
        raise UnknownModule(name)
    return f"const ${name} = (() => {{\n{body}return {{ {exported} }};\n}})();\n"


def _taken(found: re.Match[str]) -> str:
    return f"const {found['whole'] or found['some']} = ${found['module']};"
