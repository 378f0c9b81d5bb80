"""SOAP 1.1 and 1.2 from one WSDL and one XSD, for the side that asks and the side that answers.

zeep reads the contract and writes messages by it. What comes in is read here: parsed hard, judged by the XSD, and
turned into plain values with the types that the contract gives them.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree
from lxml.etree import QName
from zeep import Settings
from zeep.transports import Transport
from zeep.wsdl import Document

from foundation.hard_xml import Element, parse, schema_of
from foundation.xml_signatures import SECURITY, TO

UNDERSTOOD = frozenset({SECURITY, TO})
"""Headers that mean something here."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of SOAP: its names, what it is called in HTTP, and how it says whose fault something is.

    Args:
        sender: fault code "the message is wrong".
        sender_status: HTTP status of such a fault.
        receiver: fault code "we cannot now"; always HTTP 500.
    """

    namespace: str
    content_type: str
    sender: str
    sender_status: int
    receiver: str


SOAP_11 = Version("http://schemas.xmlsoap.org/soap/envelope/", "text/xml; charset=utf-8", "Client", 500, "Server")
SOAP_12 = Version(
    "http://www.w3.org/2003/05/soap-envelope", "application/soap+xml; charset=utf-8", "Sender", 400, "Receiver"
)
VERSIONS: Mapping[str, Version] = {version.namespace: version for version in (SOAP_11, SOAP_12)}
_OF_SHAPE = frozenset(f"SCHEMAV_CVC_{facet}_VALID" for facet in ("PATTERN", "MINLENGTH", "MAXLENGTH"))
VERSION_MISMATCH, MUST_UNDERSTAND = "VersionMismatch", "MustUnderstand"


class NotSoap(ValueError):
    """A document that is no envelope of SOAP 1.1 or 1.2."""


class NotUnderstood(ValueError):
    """A header that must be understood and is none of ours."""


class NotOffered(LookupError):
    """The body does not hold exactly one message of this contract."""


class AgainstSchema(ValueError):
    """A message that the XSD does not allow.

    Args:
        operation: the one that it is about.
        field: names of the elements down to the first that is wrong, with dots between.
        shape: whether it is there and plain text, only against a pattern or a length.
        element: the message.
    """

    def __init__(self, operation: str, field: str, element: Element, *, shape: bool) -> None:
        super().__init__(field)
        self.operation = operation
        self.field = field
        self.element = element
        self.shape = shape


@dataclass(frozen=True, slots=True)
class Said:
    """One message: the operation it belongs to, what it says, and its element."""

    operation: str
    document: dict[str, Any]
    element: Element


def open_envelope(raw: bytes, *, max_bytes: int) -> tuple[Version, Element]:
    """Parse an envelope and tell which SOAP it speaks.

    Raises:
        XmlRefused: no XML that may be read.
        NotSoap: no envelope.
    """
    envelope = parse(raw, max_bytes=max_bytes)
    name = QName(envelope)
    version = VERSIONS.get(name.namespace or "")
    if version is None or name.localname != "Envelope":
        raise NotSoap
    return version, envelope


def check_understood(version: Version, envelope: Element) -> None:
    """Look for headers that say they must be understood.

    Raises:
        NotUnderstood: one is neither security nor address.
    """
    must = f"{{{version.namespace}}}mustUnderstand"
    for block in envelope.iterfind(f"{{{version.namespace}}}Header/*"):
        if block.get(must, "0") in {"1", "true"} and block.tag not in UNDERSTOOD:
            raise NotUnderstood


def is_fault(envelope: Element) -> bool:
    """Tell whether an envelope's body is a fault."""
    namespace = QName(envelope).namespace
    return envelope.find(f"{{{namespace}}}Body/{{{namespace}}}Fault") is not None


class Contract:
    """A document/literal WSDL with its XSD, both files of our own; nothing is fetched.

    Args:
        wsdl: has one binding per version of SOAP and imports ``xsd``.
    """

    def __init__(self, wsdl: Path, xsd: Path) -> None:
        settings = Settings(forbid_dtd=True, forbid_entities=True, forbid_external=True)
        document = Document(str(wsdl), Transport(), settings=settings)
        self._schema = schema_of(xsd)
        self._bindings = {binding.nsmap["soap-env"]: binding for binding in document.bindings.values()}
        operations = self._bindings[SOAP_11.namespace].all()
        self.operations = tuple(sorted(operations))
        inputs = {operation.input.body.qname.text: (name, operation.input) for name, operation in operations.items()}
        outputs = {operation.output.body.qname.text: (name, operation.output) for name, operation in operations.items()}
        self._requests, self._answers = inputs, outputs
        self._elements = {element.qname.localname: element for element in document.types.elements}
        self._judging = threading.Lock()

    def request(self, version: Version, operation: str, document: Mapping[str, Any]) -> Element:
        """Write a request as an envelope without header."""
        return self._bindings[version.namespace].get(operation).input.serialize(**document).content

    def answer(self, version: Version, operation: str, document: Mapping[str, Any]) -> Element:
        """Write an answer as an envelope without header."""
        return self._bindings[version.namespace].get(operation).output.serialize(**document).content

    def detail(self, name: str, document: Mapping[str, Any]) -> Element:
        """Write a global element of the XSD, for the detail of a fault."""
        place = etree.Element("detail")
        element = self._elements[name]
        element.render(place, element(**document))
        return place[0]

    def action(self, operation: str) -> str:
        """Return the operation's SOAPAction."""
        return str(self._bindings[SOAP_11.namespace].get(operation).soapaction)

    def read_request(self, body: Element) -> Said:
        """Read the request in a body.

        Raises:
            NotOffered: there is none.
            AgainstSchema: it is not what the contract says.
        """
        operation, element, message = _only(body, self._requests)
        wrong, shape = self._first_wrong(element)
        if wrong is not None:
            raise AgainstSchema(operation, _path(element, wrong), element, shape=shape)
        return Said(operation, _document(element, message.body.type), element)

    def read_answer(self, body: Element) -> Said:
        """Read what we know of the answer in a body; what a later version adds is passed over.

        Raises:
            NotOffered: there is none.
            AgainstSchema: a number is none.
        """
        operation, element, message = _only(body, self._answers)
        try:
            return Said(operation, _document(element, message.body.type), element)
        except ValueError:
            raise AgainstSchema(operation, "", element, shape=True) from None

    def _first_wrong(self, element: Element) -> tuple[Element | None, bool]:
        """Return the first part that the XSD does not allow, and whether its shape alone is wrong."""
        for part in element.iter():
            if part.attrib:  # xsi:schemaLocation would make libxml2 look for files, xsi:type change the contract
                return part, False
        with self._judging:  # the schema keeps the errors of its last validation
            if self._schema.validate(element):
                return None, False
            error = self._schema.error_log[0]
        return _at(element, error.path), error.type_name in _OF_SHAPE


def canonical(element: Element) -> bytes:
    """Write an element in exclusive canonical form: the same bytes for the same message, however it was sent."""
    form: bytes = etree.tostring(element, method="c14n", exclusive=True, with_comments=False)
    return form


def written(envelope: Element) -> bytes:
    """Write an envelope for the wire."""
    raw: bytes = etree.tostring(envelope, xml_declaration=True, encoding="utf-8")
    return raw


def fault(version: Version, code: str, text: str, detail: Element | None = None) -> Element:
    """Write a fault as an envelope without header.

    Args:
        version: the one that the other side speaks.
        code: one of the version's own, or :data:`VERSION_MISMATCH`.
        text: what a person may read, in English.
        detail: an element that a program may read.
    """
    envelope = etree.Element(QName(version.namespace, "Envelope"), nsmap={"soap": version.namespace})
    body = etree.SubElement(envelope, QName(version.namespace, "Body"))
    found = etree.SubElement(body, QName(version.namespace, "Fault"))
    place = _FAULTS[version.namespace](found, version.namespace, f"soap:{code}", text)
    if detail is not None:
        etree.SubElement(found, place).append(detail)
    return envelope


def _fault_11(found: Element, _: str, code: str, text: str) -> str:
    etree.SubElement(found, "faultcode").text = code
    etree.SubElement(found, "faultstring").text = text
    return "detail"


def _fault_12(found: Element, namespace: str, code: str, text: str) -> QName:
    outer, reason = (etree.SubElement(found, QName(namespace, name)) for name in ("Code", "Reason"))
    etree.SubElement(outer, QName(namespace, "Value")).text = code
    english = {"{http://www.w3.org/XML/1998/namespace}lang": "en"}
    etree.SubElement(reason, QName(namespace, "Text"), english).text = text
    return QName(namespace, "Detail")


_FAULTS = {SOAP_11.namespace: _fault_11, SOAP_12.namespace: _fault_12}


def _only(body: Element, messages: Mapping[str, tuple[str, Any]]) -> tuple[str, Element, Any]:
    if len(body) != 1 or body[0].tag not in messages:
        raise NotOffered
    operation, message = messages[body[0].tag]
    return operation, body[0], message


def _document(element: Element, kind: Any) -> dict[str, Any]:
    """Turn what the contract knows of a message into plain values."""
    kinds = {part.qname.text: part.type for _, part in kind.elements}
    return {QName(child).localname: _value(child, kinds[child.tag]) for child in element if child.tag in kinds}


def _value(element: Element, kind: Any) -> Any:
    return _document(element, kind) if hasattr(kind, "elements") else kind.pythonvalue(element.text or "")


def _at(element: Element, path: str) -> Element:
    """Find what an error's path names; it counts from the validated element and uses the document's own prefixes.

    XML allows names that XPath here does not; such a part is named by the whole.
    """
    steps = path.split("/")[2:]
    prefixes = {prefix: name for part in element.iter() for prefix, name in part.nsmap.items() if prefix}
    try:
        found = element.xpath("/".join((".", *steps)), namespaces=prefixes) if steps else []
    except etree.XPathError:
        return element
    return found[0] if found else element


def _path(element: Element, part: Element) -> str:
    names = []
    while part is not element:
        names.append(QName(part).localname)
        part = part.getparent()
    return ".".join(reversed(names))
