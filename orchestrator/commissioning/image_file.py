"""A register image as a file: written by `dump`, served by `serve`, used as a fixture in tests.

JSON: where the map begins (`base_address_0based`), its words as hex from there on (null: the device refuses to return
this one), the chain of models, the unit, and where it comes from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from orchestrator.commissioning.register_image import Chain, RegisterImage, find_chain
from orchestrator.devices.base import Refused
from orchestrator.devices.sunspec.finding.discovery import ADDRESS_END, END
from orchestrator.errors import UsageError, WrongDevice

WORDS_IN_A_ROW: Final = 16
_HEX: Final = re.compile(r"[0-9A-Fa-f]{4}")


class ImageError(UsageError):
    """A file is not a register image; the text says what is wrong with it."""


def to_json(image: RegisterImage) -> str:
    """The image as a file, with 16 words a row."""
    models = [{"model": model.id, "L": model.length, "header_addr": model.address} for model in image.chain.models]
    end = image.chain.end - image.chain.end_words
    head = {
        "device": image.device,
        "captured": image.captured,
        "real": image.real,
        "unit_id": image.unit_id,
        "source": image.source,
        "licence": image.licence,
        "note": image.note,
        "base_address_0based": image.chain.base,
        "registers": len(image.words),
        "chain": [*models, {"model": END, "L": 0, "header_addr": end}] if image.chain.end_words else models,
    }
    words = [json.dumps(None if word is None else f"{word:04X}") for word in image.words]
    rows = [", ".join(words[at : at + WORDS_IN_A_ROW]) for at in range(0, len(words), WORDS_IN_A_ROW)]
    listed = ",\n  ".join(rows)
    return json.dumps(head, indent=1).removesuffix("\n}") + f',\n "words_hex": [\n  {listed}\n ]\n}}\n'


def from_json(text: str) -> RegisterImage:
    """The image in a file. Raises ImageError."""
    try:
        data = json.loads(text)
    except ValueError as error:
        raise ImageError(f"not JSON: {error}") from None
    if not isinstance(data, dict):
        raise ImageError("not a JSON object")
    base, words = _number(data, "base_address_0based", ADDRESS_END - 1), tuple(_words(data))
    if base + len(words) > ADDRESS_END:
        raise ImageError(f"{len(words)} words from {base} on reach beyond address {ADDRESS_END - 1}")
    unit_id = None if data.get("unit_id") is None else _number(data, "unit_id", 255)
    texts = {name: _said(data, name) for name in ("device", "captured", "source", "licence", "note")}
    return RegisterImage(_chain(base, words), words, unit_id, real=bool(data.get("real", True)), **texts)


def _number(data: Mapping[str, Any], key: str, most: int) -> int:
    value = data.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise ImageError(f"{key} must be a whole number from 0 to {most} (got {value!r})")
    return value


def _said(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key, "")
    if not isinstance(value, str):
        raise ImageError(f"{key} must be text")
    return value


def _words(data: Mapping[str, Any]) -> Iterator[int | None]:
    listed = data.get("words_hex")
    if not isinstance(listed, list) or not listed:
        raise ImageError('words_hex must be a list of words such as "5375", null where there is none')
    for index, word in enumerate(listed):
        try:
            yield None if word is None else _word(word)
        except ValueError:
            raise ImageError(f"words_hex[{index}] must be four hex digits or null (got {word!r})") from None


def _word(text: object) -> int:
    if not isinstance(text, str) or _HEX.fullmatch(text) is None:
        raise ValueError
    return int(text, 16)


def _chain(base: int, words: tuple[int | None, ...]) -> Chain:
    """The chain that the words themselves tell. Raises ImageError where they are no SunSpec map."""
    steps = find_chain()
    request = next(steps)
    try:
        while True:
            first = request.address - base
            part = words[first : first + request.count] if first >= 0 else ()
            whole = tuple(word for word in part if word is not None)
            request = steps.send(whole if len(whole) == request.count else Refused(2))
    except StopIteration as end:
        chain: Chain = end.value
        return chain
    except WrongDevice as error:
        raise ImageError(str(error)) from None
