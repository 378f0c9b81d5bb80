"""The sandbox's own pages and the reference of the merchant API."""

from __future__ import annotations

from collections.abc import Iterator

from bench.pages.walker import Sight, Walker


def phones(walker: Walker) -> Iterator[Sight]:
    """The guide, every phone, an empty one and one with messages."""
    yield walker.at("sandbox", "guide", f"{walker.bank}/sandbox/")
    yield walker.at("sandbox", "phones", f"{walker.bank}/sandbox/phone/")
    yield walker.at("sandbox", "phone-empty", f"{walker.bank}/sandbox/phone/09990000000/")
    mobile = walker.world.card("insufficient_funds")["mobile"]
    yield walker.at("sandbox", "phone", f"{walker.bank}/sandbox/phone/{mobile}/")


def controls(walker: Walker) -> Iterator[Sight]:
    """The control page: all right, something wrong, a mistake."""
    control = f"{walker.bank}/sandbox/control/"
    yield walker.at("sandbox", "control", control)
    walker.page.fill("#clock_seconds", "soon")
    walker.page.locator("#clock_seconds").press("Enter")
    yield walker.sight("sandbox", "control-mistake")
    walker.wrong(bank="slow", sms="delay")
    try:
        yield walker.at("sandbox", "control-wrong", control)
    finally:
        walker.wrong(reset=True)


def reference(walker: Walker) -> Iterator[Sight]:
    """The merchant API's reference and its problems."""
    yield walker.at("reference", "reference", f"{walker.gateway}/api/v1/docs")
    yield walker.at("reference", "problems", f"{walker.gateway}/api/v1/problems")
