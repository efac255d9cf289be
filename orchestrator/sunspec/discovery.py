"""Finds a SunSpec map and walks its chain of models, without doing the reading itself.

`discover` is a generator: it yields reads, is sent their words or `Refused`, and returns the device.
Model id and length, then the data, then the next model; the id 0xFFFF ends the chain. Real chains also end in a
refusal, in zeros, or in a second model 1, where another device begins (SolarEdge puts its meter there).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Final

from orchestrator.drivers.base import Discovery, ReadRequest, Refused, Words
from orchestrator.errors import NonsenseReply, RequestRefused, WrongDevice
from orchestrator.sunspec.device import COMMON, MPPT, FoundModel, SunSpecDevice
from orchestrator.sunspec.models import MODELS
from orchestrator.sunspec.reads import WORDS_MAX
from orchestrator.sunspec.static import STATIC_POINTS, build_device

BASES: Final = (40000, 0, 50000)
MARKER: Final = (0x5375, 0x6E53)  # "SunS"
END: Final = 0xFFFF
MODULES_MAX: Final = 50
LENGTH_MAX: Final = 1100
"""No known model 160 has more DC inputs, and no known model is longer: what is beyond that is not read."""

MODELS_MAX: Final = 100
ADDRESS_END: Final = 0x10000

_NO_SUCH_ADDRESS: Final = (2, 3)
"""Exception codes that say "there is no such register"; the others speak of the device's state and may pass."""

_Step = Generator[ReadRequest, Words | Refused, bool]


def discover() -> Discovery[SunSpecDevice]:
    """The inverter or meter at the first SunSpec map found.

    Raises WrongDevice when there is no map, no model in it that we know how to use, or a chain that has no end, and
    RequestRefused when the device refuses for a reason that may pass.
    """
    reader = _Reader()
    for base in BASES:
        reader.read_ahead = True
        if (yield from reader.fetch(base, 2)) and reader.pair(base) == MARKER:
            models = yield from _walk(reader, base + len(MARKER))
            reader.raise_if_refused_for_now()
            device = build_device(base, models, reader.words)
            _check(device)
            return device
    reader.raise_if_refused_for_now()
    raise WrongDevice(
        f"no SunSpec map at {', '.join(map(str, BASES))}: this is not a SunSpec device, or it is off there"
    )


def _walk(reader: _Reader, address: int) -> Generator[ReadRequest, Words | Refused, tuple[FoundModel, ...]]:
    models: list[FoundModel] = []
    reader.refused_for_now = None
    while (yield from reader.fetch(address, 2)):
        model = FoundModel(reader.words[address], address, reader.words[address + 1])
        if _ends_the_chain(model, models):
            break
        _check_length(model)
        if len(models) == MODELS_MAX:
            raise WrongDevice(f"the chain of models has no end: more than {MODELS_MAX} models before {address}")
        yield from _fetch_static(reader, model, is_first=all(model.id != other.id for other in models))
        models.append(model)
        address += 2 + model.length
    return tuple(models)


def _ends_the_chain(model: FoundModel, before: list[FoundModel]) -> bool:
    another_device = model.id == COMMON and bool(before)
    return model.id in (END, 0) or another_device


def _check_length(model: FoundModel) -> None:
    if model.id == COMMON and model.length not in (65, 66):
        raise WrongDevice(
            f"model 1 at {model.address} says that it has {model.length} words, but it has 65 or 66: "
            "the map of this device cannot be followed"
        )


def _fetch_static(
    reader: _Reader, model: FoundModel, *, is_first: bool
) -> Generator[ReadRequest, Words | Refused, None]:
    """Get the words that `build_device` wants of this model, around what the device refuses."""
    if model.id not in MODELS or not (is_first or model.id == MPPT):
        return
    wanted = sorted(_wanted(model))
    if not wanted or model.length > LENGTH_MAX:
        return
    if (yield from reader.fetch(model.address, 2 + model.length)):
        return
    for first, end in wanted:
        yield from reader.fetch(first, end - first)


def _wanted(model: FoundModel) -> Iterator[tuple[int, int]]:
    layout = MODELS[model.id]
    end = model.address + 2 + model.length
    points = [(model.address, layout[name]) for name in STATIC_POINTS.get(model.id, ())]
    if model.id == MPPT:
        points = [(model.address, layout["DCW_SF"]), (model.address, layout["N"])]
        modules = min((model.length - layout.length) // layout.repeated_length, MODULES_MAX)
        origins = [model.address + layout.module_offset(index) for index in range(modules)]
        points.extend((origin, layout.repeated["IDStr"]) for origin in origins)
    for origin, point in points:
        if origin + point.end <= end:
            yield origin + point.offset, origin + point.end


def _check(device: SunSpecDevice) -> None:
    if device.inverter is None and device.meter is None:
        found = ", ".join(str(model.id) for model in device.models) or "none"
        raise WrongDevice(
            "the SunSpec map has no inverter model (101 to 103, 111 to 113) and no meter model (201 to 204, 211 to "
            f"214); models found: {found}"
        )


class _Reader:
    """Remembers the words that were read, and reads ahead as long as the device allows it."""

    def __init__(self) -> None:
        self.words: dict[int, int] = {}
        self.read_ahead = True
        self.refused_for_now: int | None = None
        self._refused: dict[ReadRequest, Refused] = {}

    def pair(self, address: int) -> tuple[int, int]:
        """The two words at `address`, which must have been fetched."""
        return self.words[address], self.words[address + 1]

    def fetch(self, address: int, count: int) -> _Step:
        """Have the words from `address` in `words`; False when the device has no such registers."""
        if address + count > ADDRESS_END:
            return False
        while (missing := self._first_missing(address, count)) is not None:
            if self.read_ahead:
                ahead = min(WORDS_MAX, ADDRESS_END - missing)
                if (yield from self._read(missing, ahead)) is None:
                    continue
                self.read_ahead = False
            refused = yield from self._read(missing, min(address + count - missing, WORDS_MAX))
            if refused is not None:
                if refused.code not in _NO_SUCH_ADDRESS:
                    self.refused_for_now = refused.code
                return False
        return True

    def raise_if_refused_for_now(self) -> None:
        """Raise RequestRefused when the device refused something for a reason that may pass: the picture has a hole."""
        if self.refused_for_now is not None:
            code = self.refused_for_now
            raise RequestRefused(f"the device refuses to be read for now (Modbus exception {code})", code)

    def _first_missing(self, address: int, count: int) -> int | None:
        return next((at for at in range(address, address + count) if at not in self.words), None)

    def _read(self, address: int, count: int) -> Generator[ReadRequest, Words | Refused, Refused | None]:
        request = ReadRequest(address, count)
        if request in self._refused:
            return self._refused[request]
        answer = yield request
        if isinstance(answer, Refused):
            self._refused[request] = answer
            return answer
        if len(answer) != count:
            raise NonsenseReply(f"asked for {count} registers from {address}, got {len(answer)}")
        self.words.update(zip(range(address, address + count), answer, strict=True))
        return None
