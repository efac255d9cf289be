"""All registers of one SunSpec device: how they are read from it, and what of them must not be told.

`image_file` is the file that they are kept in.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from orchestrator.devices.base import ReadRequest, Refused, Words
from orchestrator.devices.sunspec.codec import TYPES
from orchestrator.devices.sunspec.device import COMMON, FoundModel
from orchestrator.devices.sunspec.finding.discovery import ADDRESS_END, BASES, END, MARKER, MODELS_MAX
from orchestrator.devices.sunspec.finding.reads import WORDS_MAX
from orchestrator.devices.sunspec.models import MODELS
from orchestrator.errors import WrongDevice

ETHERNET: Final = 11
MAC_TAIL: Final = range(7, 9)
"""Words of model 11 that hold the part of the MAC address that differs from device to device."""

Steps = Generator[ReadRequest, Words | Refused, None]


@dataclass(frozen=True, slots=True)
class Chain:
    """Where the map begins, its models in order, and how many words end it (0: the device refuses or lacks the end)."""

    base: int
    models: tuple[FoundModel, ...]
    end_words: int

    @property
    def end(self) -> int:
        """The first address behind the map."""
        last = self.models[-1] if self.models else None
        behind = self.base + len(MARKER) if last is None else last.address + 2 + last.length
        return behind + self.end_words

    @property
    def words(self) -> int:
        """How many words the map has."""
        return self.end - self.base


@dataclass(frozen=True, slots=True)
class RegisterImage:
    """One device. `words` start at `chain.base`; None is a word that it refuses. `unit_id` None: any unit."""

    chain: Chain
    words: tuple[int | None, ...]
    unit_id: int | None = None
    device: str = ""
    captured: str = ""
    real: bool = True
    source: str = ""
    licence: str = ""
    note: str = ""

    def registers(self) -> dict[int, int]:
        """The words that can be read, by address."""
        return {at: word for at, word in enumerate(self.words, self.chain.base) if word is not None}


# Reading it from a device: the caller carries out the reads


def find_chain() -> Generator[ReadRequest, Words | Refused, Chain]:
    """Find the map and walk its models. Raises WrongDevice where there is no SunSpec map.

    It follows whatever there is: unknown models, a second model 1, an end that is refused.
    """
    for base in BASES:
        if (yield ReadRequest(base, 2)) == MARKER:
            return (yield from _walk(base))
    raise WrongDevice(f"no SunSpec map at {', '.join(map(str, BASES))}")


def _walk(base: int) -> Generator[ReadRequest, Words | Refused, Chain]:
    models: list[FoundModel] = []
    address = base + len(MARKER)
    while address + 2 <= ADDRESS_END and len(models) < MODELS_MAX:
        header = yield ReadRequest(address, 2)
        if isinstance(header, Refused):
            lone = yield ReadRequest(address, 1)  # some devices have no length behind the end
            return Chain(base, tuple(models), 1 if lone == (END,) else 0)
        model_id, length = header
        if model_id in (END, 0) or address + 2 + length > ADDRESS_END:
            return Chain(base, tuple(models), 2)
        models.append(FoundModel(model_id, address, length))
        address += 2 + length
    return Chain(base, tuple(models), 0)


def read_words(chain: Chain) -> Generator[ReadRequest, Words | Refused, tuple[int | None, ...]]:
    """Every word of the map, model by model; a block that is refused is read in halves, down to single words."""
    words: dict[int, int] = dict(enumerate(MARKER, chain.base))
    for model in chain.models:
        yield from _read(words, model.address, 2 + model.length)
    if chain.end_words:
        yield from _read(words, chain.end - chain.end_words, chain.end_words)
    return tuple(words.get(address) for address in range(chain.base, chain.end))


def _read(words: dict[int, int], address: int, count: int) -> Steps:
    if count > WORDS_MAX:
        yield from _read(words, address, WORDS_MAX)
        yield from _read(words, address + WORDS_MAX, count - WORDS_MAX)
        return
    answer = yield ReadRequest(address, count)
    if not isinstance(answer, Refused):
        words.update(enumerate(answer, address))
    elif count > 1:
        yield from _read(words, address, count // 2)
        yield from _read(words, address + count // 2, count - count // 2)


# What it says of the device


def title(image: RegisterImage) -> str:
    """Maker, model and version, as the first model 1 says them."""
    registers = image.registers()
    common = next((model for model in image.chain.models if model.id == COMMON), None)
    texts = [] if common is None else [_text(registers, common, name) for name in ("Mn", "Md", "Vr")]
    return " ".join(text for text in texts if text) or "unnamed device"


def _text(registers: Mapping[int, int], model: FoundModel, name: str) -> str:
    point = MODELS[COMMON][name]
    addresses = range(model.address + point.offset, model.address + point.end)
    text: str | None = TYPES["string"].unpack([registers.get(address, 0) for address in addresses])
    return text or ""


def described(image: RegisterImage, *, captured: str, with_serial: bool) -> RegisterImage:
    """The image with its title, the day it was read, and without what tells one device from another of its kind."""
    missing = image.words.count(None)
    notes = [f"null: the device refused these {missing} words"] if missing else []
    if not image.chain.end_words:
        notes.append("the chain has no end marker")
    if not with_serial:
        notes.append("serial number and MAC tail zeroed")
    named = replace(image, device=title(image), captured=captured, note="; ".join(notes))
    return named if with_serial else masked(named)


def masked(image: RegisterImage) -> RegisterImage:
    """The image with 0 in place of each letter and digit of serial numbers, and of the tail of a MAC address."""
    words = list(image.words)
    for model in image.chain.models:
        for offset, mask in _PRIVATE.get(model.id, {}).items():
            index = model.address + offset - image.chain.base
            word = words[index] if offset < 2 + model.length and index < len(words) else None
            if word is not None:
                words[index] = mask(word)
    return replace(image, words=tuple(words))


def _zeroed(word: int) -> int:
    high, low = (0x30 if chr(byte).isalnum() else byte for byte in divmod(word, 0x100))
    return high << 8 | low


def _nothing(_word: int) -> int:
    return 0


_SERIAL: Final = MODELS[COMMON]["SN"]
_PRIVATE: Final[Mapping[int, Mapping[int, Callable[[int], int]]]] = {
    COMMON: dict.fromkeys(range(_SERIAL.offset, _SERIAL.end), _zeroed),
    ETHERNET: dict.fromkeys(MAC_TAIL, _nothing),
}
"""The words that tell one device from another of its kind, by model and offset, and what takes their place."""
