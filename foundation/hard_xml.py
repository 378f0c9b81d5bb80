"""The only way XML gets in: capped before it is parsed, UTF-8, no DTD, no entity, no network, no comments.

libxml2's own limits hold besides: 256 levels deep, 10 MB a text. Files of our own (WSDL, XSD) come through here too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lxml import etree

Element = Any
"""An element of lxml, which ships no types."""

_DOCTYPE = b"<!DOCTYPE"


class XmlRefused(ValueError):
    """These bytes are no XML that may be read here; the argument says why and quotes nothing."""


def parse(raw: bytes, *, max_bytes: int) -> Element:
    """Return the root element.

    Args:
        raw: the document as it came.
        max_bytes: one byte more is not even looked at.

    Raises:
        XmlRefused: too large, a DTD, or not well-formed UTF-8.
    """
    if len(raw) > max_bytes:
        raise XmlRefused("too large")
    if _DOCTYPE in raw:  # so that no DTD ever reaches the parser
        raise XmlRefused("a DTD")
    try:
        root = etree.fromstring(raw, _parser())
    except etree.XMLSyntaxError:
        raise XmlRefused("not well-formed") from None
    if root.getroottree().docinfo.doctype:
        raise XmlRefused("a DTD")
    return root


def schema_of(path: Path) -> Any:
    """Load an XSD of our own.

    Raises:
        XmlRefused: when it is no schema.
    """
    raw = path.read_bytes()
    try:
        return etree.XMLSchema(parse(raw, max_bytes=len(raw)))
    except etree.XMLSchemaParseError:
        raise XmlRefused(f"{path.name} is no schema") from None


def _parser() -> Any:
    """Make a parser; each serves one document, because lxml's keep what they saw."""
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
    )
