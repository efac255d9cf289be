"""What all registers that a profile names say on one device: how they are read, and the file that they are kept in.

For whoever has a device of a make: such a file tells what it says, so that a profile can be put right, or written.
The serial number is not in it. JSON: stretches of words as hex, each with its table and unit; what is refused is named.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Final

from orchestrator.devices.addresses import Place, place_of
from orchestrator.devices.base import ReadRequest, Refused, Words
from orchestrator.devices.makes.registers import Register
from orchestrator.devices.makes.schema import Profile
from orchestrator.devices.profiles.location import located
from orchestrator.devices.profiles.plan import (
    cycle_names,
    fixed_names,
    meter_names,
    pieces,
    requests,
    written_names,
)

WORDS_IN_A_ROW: Final = 16
_TABLES: Final = {"holding": False, "input": True}

Steps = Generator[ReadRequest, Words | Refused, "MakeImage"]


class NoMakeImage(ValueError):
    """A text is not such a file; the error says why."""


@dataclass(frozen=True, slots=True)
class MakeImage:
    """Words by the number of their place, and the names of registers that the device refuses or does not answer."""

    driver: str
    words: Mapping[int, int]
    refused: tuple[str, ...] = ()
    unit_id: int = 1
    captured: str = ""
    note: str = ""


def readable(profile: Profile) -> tuple[str, ...]:
    """The registers that can be read at all."""
    return tuple(name for name, register in profile.registers.items() if register.read_back)


def read_make(profile: Profile) -> Steps:
    """Read them all, in the stretches that the driver reads. A block that is refused is read register by register."""
    profile = yield from located(profile)
    words: dict[int, int] = {}
    for request in _all_requests(profile):
        answer = yield request
        if not isinstance(answer, Refused):
            words |= dict(enumerate(answer, request.address))
            continue
        for piece in (each for each in pieces(profile, request) if each != request):
            answer = yield piece
            if not isinstance(answer, Refused):
                words |= dict(enumerate(answer, piece.address))
    return MakeImage(profile.name, words, tuple(_unanswered(profile, words)))


def _all_requests(profile: Profile) -> tuple[ReadRequest, ...]:
    parts = (fixed_names(profile), cycle_names(profile), meter_names(profile), written_names(profile))
    planned = [request for names in (*parts, readable(profile)) for request in requests(profile, names)]
    return tuple(dict.fromkeys(planned))


def _unanswered(profile: Profile, words: Mapping[int, int]) -> Iterator[str]:
    for name in readable(profile):
        register = profile.registers[name]
        if not all(at in words for at in range(register.place, register.end)):
            yield name


def without_serial(profile: Profile, image: MakeImage) -> MakeImage:
    """The image with 0 in place of each letter and digit of the serial number, or of its second half where its first
    tells the make.
    """
    name = profile.nameplate.serial if profile.nameplate else None
    if name is None:
        return image
    identity = {each for entry in profile.identity for each in (entry.register_, entry.or_register)}
    register = profile.registers[name]
    first = register.place + (register.size // 2 if name in identity and register.type == "text" else 0)
    words = dict(image.words)
    for at in range(first, register.end):
        if at in words:
            words[at] = _zeroed(register, words[at])
    return replace(image, words=words, note="; ".join(filter(None, (image.note, "serial number zeroed"))))


def _zeroed(register: Register, word: int) -> int:
    if register.type != "text":
        return 0
    high, low = (0x30 if chr(byte).isalnum() else byte for byte in divmod(word, 0x100))
    return high << 8 | low


def to_json(image: MakeImage) -> str:
    """The image as a file."""
    head = {
        "driver": image.driver,
        "captured": image.captured,
        "unit_id": image.unit_id,
        "note": image.note,
        "refused": image.refused,
    }
    rows = ",\n  ".join(json.dumps(block) for block in _blocks(image.words))
    return json.dumps(head, indent=1).removesuffix("\n}") + f',\n "blocks": [\n  {rows}\n ]\n}}\n'


def _blocks(words: Mapping[int, int]) -> Iterator[dict[str, Any]]:
    for run in _runs(words):
        for start in range(0, len(run), WORDS_IN_A_ROW):
            part = run[start : start + WORDS_IN_A_ROW]
            place = place_of(part[0])
            yield {
                "table": "input" if place.inputs else "holding",
                "unit_id": place.unit_id,
                "address_0based": place.address,
                "words_hex": [f"{words[at]:04X}" for at in part],
            }


def _runs(words: Iterable[int]) -> Iterator[list[int]]:
    for _, run in groupby(enumerate(sorted(words)), lambda each: each[1] - each[0]):
        yield [at for _, at in run]


def from_json(text: str) -> MakeImage:
    """The image in a file. Raises NoMakeImage."""
    try:
        data = json.loads(text)
        words: dict[int, int] = {}
        for block in data["blocks"]:
            first = Place(int(block["address_0based"]), block["unit_id"], _TABLES[block["table"]]).number
            words |= {at: int(word, 16) for at, word in enumerate(block["words_hex"], first)}
        refused = tuple(str(name) for name in data["refused"])
        return MakeImage(
            str(data["driver"]), words, refused, int(data["unit_id"]), str(data["captured"]), str(data["note"])
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise NoMakeImage(f"not the registers of a make: {error!r}") from None
