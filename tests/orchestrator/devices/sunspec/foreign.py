"""What other SunSpec software keeps as test data, as register images; and its client over any reader of words."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from sunspec2.file.client import FileClientDevice
from sunspec2.modbus.client import SunSpecModbusClientDevice

from orchestrator.devices.base import ReadRequest, Refused
from tests.orchestrator.devices.sunspec.images import Image, image_of

INTEGERS = {"u16": 1, "s16": 1, "u32": 2, "s32": 2, "u64": 4, "s64": 4}


class ForeignDevice(SunSpecModbusClientDevice):  # type: ignore[misc]
    """pysunspec2 over any reader of words, instead of its own connection."""

    def __init__(self, read_words: Callable[[int, int], tuple[int, ...]]) -> None:
        super().__init__()
        self._read_words = read_words

    def read(self, addr: float, count: float) -> bytes:
        # It reads the rest of a long model at an address that its own division has made a float.
        return struct.pack(f">{int(count)}H", *self._read_words(int(addr), int(count)))


def foreign(image: Image) -> Any:
    """pysunspec2's device of an image, scanned."""

    def read(address: int, count: int) -> tuple[int, ...]:
        answer = image.answer(ReadRequest(address, count))
        assert not isinstance(answer, Refused)
        return answer

    device = ForeignDevice(read)
    device.scan(connect=False)
    return device


def image_of_device_file(path: Path) -> Image:
    """A pysunspec2 device file in words, as pysunspec2 itself packs them."""
    device = FileClientDevice(str(path))
    device.scan()
    return image_of(*(_words(model.get_mb()) for model in device.model_list if model.model_id != 0xFFFF))


def image_of_mbmap(path: Path) -> Image:
    """A map of the older pysunspec: typed values, one after the other, marker and end included."""
    rows = ElementTree.parse(path).getroot().iter("regs")
    words = [word for row in rows for word in _row(row)]
    return Image(dict(enumerate(words, start=40000)))


def _row(row: ElementTree.Element) -> Iterator[int]:
    text = row.text or ""
    if row.get("type") == "string":
        yield from _words(text.encode().ljust(2 * int(row.get("len", 0)), b"\0"))
        return
    size = INTEGERS[row.get("type", "")]
    yield from _words((int(text, 0) % (1 << 16 * size)).to_bytes(2 * size, "big"))


def _words(data: bytes) -> list[int]:
    return list(struct.unpack(f">{len(data) // 2}H", data))
