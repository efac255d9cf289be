"""IEEE 2030.5 documents: XML text in, nodes with typed values out, and back.

A document comes from a stranger: one with a document type is refused (it could define entities), and so is one that is
too large. Names of CSIP-AUS are known in every version of its namespace.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from xml.etree import ElementTree as ET

import msgspec

from orchestrator.errors import OrchestratorError

SEP: Final = "urn:ieee:std:2030.5:ns"
CSIP_AUS: Final = {
    "1.2": "https://csipaus.org/ns",
    "1.3-beta": "https://csipaus.org/ns/v1.3-beta/storage",
    "1.3": "https://csipaus.org/ns/v1.3",
}
"""The namespace of each version."""
LARGEST_BYTES: Final = 4_000_000
"""A list of 1000 events has about a quarter of it."""
LARGEST_WATTS: Final = 1e9
"""What the setpoints of the project reach to: more is no limit."""


class DocumentError(OrchestratorError):
    """What a server sent is no document, or another one than was asked for."""


class Node:
    """One element of a document. Values that are missing are None, those that are wrong raise DocumentError."""

    def __init__(self, element: ET.Element) -> None:
        self._element = element

    @property
    def name(self) -> str:
        """Its name without the namespace."""
        return _local(self._element.tag)

    def attribute(self, name: str) -> str | None:
        """An attribute as text."""
        return self._element.get(name)

    def child(self, name: str) -> Node | None:
        """The first child of this name."""
        return next(self.children(name), None)

    def children(self, name: str) -> Iterator[Node]:
        """Every child of this name."""
        return (Node(each) for each in self._element if _local(each.tag) == name)

    def text(self, name: str) -> str | None:
        """The text of a child."""
        child = self.child(name)
        return None if child is None else (child._element.text or "").strip()

    def link(self, name: str) -> str | None:
        """Where a link leads."""
        child = self.child(name)
        return None if child is None else child.attribute("href") or None

    def whole(self, name: str) -> int | None:
        """A whole number."""
        text = self.text(name)
        return None if text is None else _whole(text, name)

    def switch(self, name: str) -> bool | None:
        """A truth value."""
        text = self.text(name)
        if text is None:
            return None
        if text not in ("true", "false", "1", "0"):
            raise DocumentError(f"{name} is {text[:40]!r}, which is neither true nor false")
        return text in ("true", "1")

    def bits(self, name: str) -> int | None:
        """A number in hexadecimal digits."""
        text = self.text(name)
        return None if text is None else _hexadecimal(text, name)

    def attribute_whole(self, name: str) -> int | None:
        """An attribute as a whole number."""
        text = self.attribute(name)
        return None if text is None else _whole(text, name)

    def attribute_bits(self, name: str) -> int:
        """An attribute in hexadecimal digits; 0 where there is none."""
        return _hexadecimal(self.attribute(name) or "0", name)

    def watts(self, name: str) -> float | None:
        """An ActivePower in W: its value times ten to the power of its multiplier."""
        child = self.child(name)
        if child is None:
            return None
        value, exponent = child.whole("value"), child.whole("multiplier") or 0
        if value is None or not -9 <= exponent <= 9:
            raise DocumentError(f"{name} has no value, or a multiplier beyond -9 to 9")
        return max(-LARGEST_WATTS, min(LARGEST_WATTS, value * 10.0**exponent))


def parse(text: bytes, expected: str) -> Node:
    """The root of a document. Raises DocumentError unless it is an `expected` one."""
    if len(text) > LARGEST_BYTES:
        raise DocumentError(f"the document has {len(text)} bytes; {LARGEST_BYTES} are the most that is read")
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise DocumentError("the document defines a type or entities of its own")
    try:
        root = Node(ET.fromstring(text))
    except (ET.ParseError, ValueError) as error:
        raise DocumentError(f"this is no XML: {error}") from error
    if root.name != expected:
        raise DocumentError(f"a {expected} was expected, and a {root.name[:40]} came")
    return root


def versions(text: bytes) -> dict[str, tuple[str, ...]]:
    """Where each version begins that a server names, by its namespace. Raises DocumentError."""
    try:
        named = msgspec.json.decode(text[:LARGEST_BYTES], type=_Versions).supportedSchemaVersions
    except msgspec.MsgspecError as error:
        raise DocumentError(f"the list of versions is not as it should be: {error}") from error
    return {name: each.dcap for name, each in named.items()}


class _Version(msgspec.Struct, frozen=True):
    dcap: tuple[str, ...] = ()


class _Versions(msgspec.Struct, frozen=True):
    supportedSchemaVersions: dict[str, _Version]


class Writer:
    """A document that is written. Values of None are left out."""

    def __init__(self, name: str, namespace: str = SEP) -> None:
        self._root = ET.Element(f"{{{namespace}}}{name}")

    def add(self, name: str, value: object, namespace: str = SEP) -> Writer:
        """Add a child with a text; returns the writer itself."""
        if value is not None:
            ET.SubElement(self._root, f"{{{namespace}}}{name}").text = _text(value)
        return self

    def group(self, name: str, **values: object) -> Writer:
        """Add a child with children of its own."""
        if all(value is None for value in values.values()):
            return self
        inner = Writer(name)
        for key, value in values.items():
            inner.add(key, value)
        return self.nest(inner)

    def nest(self, inner: Writer) -> Writer:
        """Add another writer as a child."""
        self._root.append(inner._root)
        return self

    def watts(self, name: str, value: float | None, namespace: str = SEP) -> Writer:
        """Add a power (or energy) whose value fits into 16 bits, with the multiplier that it needs."""
        if value is None:
            return self
        exponent = 0
        while abs(round(value / 10**exponent)) > 32767:
            exponent += 1
        element = ET.SubElement(self._root, f"{{{namespace}}}{name}")
        ET.SubElement(element, f"{{{SEP}}}multiplier").text = str(exponent)
        ET.SubElement(element, f"{{{SEP}}}value").text = str(round(value / 10**exponent))
        return self

    @property
    def document(self) -> bytes:
        """The whole document."""
        ET.register_namespace("", SEP)
        ET.register_namespace("csipaus", CSIP_AUS["1.2"])
        return bytes(ET.tostring(self._root, encoding="utf-8", xml_declaration=True))


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _local(tag: str) -> str:
    """The name without its namespace. That of another namespace than ours keeps it, so it is never taken for ours."""
    namespace, _, name = tag[1:].rpartition("}")
    return name if namespace == SEP or namespace.startswith(CSIP_AUS["1.2"]) else tag


def _whole(text: str, name: str) -> int:
    try:
        return int(text[:32])
    except ValueError as error:
        raise DocumentError(f"{name} is {text[:40]!r}, which is no whole number") from error


def _hexadecimal(text: str, name: str) -> int:
    try:
        return int(text[:64], 16)
    except ValueError as error:
        raise DocumentError(f"{name} is {text[:40]!r}, which has other than hexadecimal digits") from error
