"""The shop's pages on the way to the gateway; what comes after it stands beside the payment that led there."""

from __future__ import annotations

from collections.abc import Iterator

from bench.pages.walker import Sight, Walker


def shelf(walker: Walker) -> Iterator[Sight]:
    """Shelf, basket, checkout and their mistakes; leaves a teapot in the basket."""
    yield walker.at("shop", "basket-empty", f"{walker.shop}/basket")
    yield walker.at("shop", "shelf", f"{walker.shop}/")
    walker.page.locator("form[action$='/basket/teapot'] button").click()
    yield walker.sight("shop", "added")
    yield walker.at("shop", "basket", f"{walker.shop}/basket")
    yield walker.at("shop", "checkout", f"{walker.shop}/checkout")
    walker.page.click("#pay")
    yield walker.sight("shop", "checkout-mistakes")
    yield walker.at("shop", "missing", f"{walker.shop}/nothing-here")
