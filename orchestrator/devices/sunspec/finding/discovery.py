"""Finds a SunSpec map and walks its chain of models, without doing the reading itself.

`discover` is a generator: it yields reads, is sent their words or `Refused`, and returns the device.
Model id and length, then the data, then the next model; the id 0xFFFF ends the chain. Real chains also end in a
refusal or in zeros. A second model 1 begins another device in the same map: SolarEdge puts its meters there.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Final

from orchestrator.devices.base import Discovery, ReadRequest, Refused, Role, Words
from orchestrator.devices.sunspec.device import COMMON, INVERTERS, METERS, FoundModel, SunSpecDevice
from orchestrator.devices.sunspec.finding.reads import WORDS_MAX
from orchestrator.devices.sunspec.finding.static import REPEATED_POINTS, STATIC_POINTS, build_device, implemented_points
from orchestrator.devices.sunspec.inputs import fitted
from orchestrator.devices.sunspec.models import MODELS
from orchestrator.devices.sunspec.registers import read_raw
from orchestrator.errors import NonsenseReply, RequestRefused, WrongDevice
from orchestrator.reason import because

BASES: Final = (40000, 0, 50000)
MARKER: Final = (0x5375, 0x6E53)  # "SunS"
END: Final = 0xFFFF
MODELS_MAX: Final = 100
ADDRESS_END: Final = 0x10000
LENGTH_MAX: Final = 1400
"""No known model is longer; what says that it is, is nonsense, and is not read."""

GRID_METER: Final = "export"
"""A SolarEdge calls the meter at the grid connection "Export+Import" (model 1, Opt), others "Production" and so on."""

_NO_SUCH_ADDRESS: Final = (2, 3)
"""Exception codes that say "there is no such register"; the others are about the device's state and may pass."""

_Step = Generator[ReadRequest, Words | Refused, bool]
_Chain = tuple[FoundModel, ...]


def discover(role: Role | None = None) -> Discovery[SunSpecDevice]:
    """The inverter or the meter (None: the first device, whatever it is) at the first SunSpec map found.

    Raises WrongDevice when there is no map, nothing in it that we know how to use or that has this role, or a chain
    that has no end, and RequestRefused when the device refuses for a reason that may pass.
    """
    reader = _Reader()
    for base in BASES:
        reader.read_ahead = True
        if (yield from reader.fetch(base, 2)) and reader.pair(base) == MARKER:
            chains = yield from _walk(reader, base + len(MARKER), role)
            reader.raise_if_refused_for_now()
            device = build_device(base, _chosen(chains, role, reader), reader.words)
            _check(device, chains, role)
            return device
    reader.raise_if_refused_for_now()
    raise WrongDevice(because("no_sunspec_map", bases=", ".join(map(str, BASES))))


def look_again(device: SunSpecDevice, role: Role | None = None) -> Discovery[SunSpecDevice]:
    """The device found again where one of its `doubtful` models implements more than it did; else the device itself.

    At night some devices say "not implemented" of points that they have by day.
    """
    reader = _Reader(read_ahead=False)
    for model in device.doubtful:
        yield from _fetch_static(reader, model, is_first=True)
        if not device.implemented.issuperset(implemented_points(model, reader.words)):
            return (yield from discover(role))
    return device


def _walk(reader: _Reader, address: int, role: Role | None) -> Generator[ReadRequest, Words | Refused, list[_Chain]]:
    """The chain of each device in the map; with no role, or once there is an inverter where one is wanted, of one."""
    models: list[FoundModel] = []
    chains: list[_Chain] = []
    reader.refused_for_now = None
    while (yield from reader.fetch(address, 2)):
        model = FoundModel(reader.words[address], address, reader.words[address + 1])
        if model.id in (END, 0):
            break
        _check_length(model)
        if model.id == COMMON and models:
            chains.append(tuple(models))
            models = []
            if _suffices(chains[-1], role):
                return chains
        if len(models) + sum(map(len, chains)) == MODELS_MAX:
            raise WrongDevice(because("chain_without_end", most=MODELS_MAX, address=str(address)))
        if role != "meter" or model.id == COMMON:
            yield from _fetch_static(reader, model, is_first=all(model.id != other.id for other in models))
        models.append(model)
        address += 2 + model.length
    return [*chains, tuple(models)]


def _suffices(chain: _Chain, role: Role | None) -> bool:
    return role is None or (role == "inverter" and _has(chain, INVERTERS))


def _has(chain: _Chain, ids: tuple[int, ...]) -> bool:
    return any(model.id in ids for model in chain)


def _chosen(chains: list[_Chain], role: Role | None, reader: _Reader) -> _Chain:
    """The chain of the device that has the role, else the first. Of a meter only its own models count: what else is in
    its chain is the inverter that it is built into.
    """
    if role != "meter":
        return next((chain for chain in chains if _has(chain, INVERTERS)), chains[0]) if role else chains[0]
    meters = [tuple(m for m in chain if m.id == COMMON or m.id in METERS) for chain in chains if _has(chain, METERS)]
    at_the_grid = (chain for chain in meters if GRID_METER in _options(chain, reader).lower())
    return next(at_the_grid, meters[0] if meters else chains[0])


def _options(chain: _Chain, reader: _Reader) -> str:
    common = next((model for model in chain if model.id == COMMON), None)
    return "" if common is None else read_raw(reader.words, common.address, MODELS[COMMON]["Opt"]) or ""


def _check_length(model: FoundModel) -> None:
    if model.id == COMMON and model.length not in (65, 66):
        raise WrongDevice(because("common_model_broken", address=str(model.address), words=model.length))


def _fetch_static(
    reader: _Reader, model: FoundModel, *, is_first: bool
) -> Generator[ReadRequest, Words | Refused, None]:
    """Get the words that `build_device` wants of this model, around what the device refuses."""
    if model.id not in MODELS or not (is_first or model.id in REPEATED_POINTS):
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
    fixed, repeated = REPEATED_POINTS.get(model.id, (STATIC_POINTS.get(model.id, ()), ()))
    points = [(model.address, layout[name]) for name in fixed]
    if repeated:
        origins = [model.address + layout.module_offset(index) for index in range(fitted(model))]
        points.extend((origin, layout.repeated[name]) for origin in origins for name in repeated)
    for origin, point in points:
        if origin + point.end <= end:
            yield origin + point.offset, origin + point.end


def _check(device: SunSpecDevice, chains: list[_Chain], role: Role | None) -> None:
    found = ", ".join(str(model.id) for chain in chains for model in chain)
    if device.inverter is None and device.meter is None:
        raise WrongDevice(because("no_usable_model", models=found))
    if role == "meter" and not device.is_meter:
        raise WrongDevice(because("no_meter_model", models=found))
    if role == "inverter" and device.inverter is None:
        raise WrongDevice(because("meter_not_inverter", models=found))


class _Reader:
    """Remembers the words that were read, and reads ahead as long as the device allows it."""

    def __init__(self, *, read_ahead: bool = True) -> None:
        self.words: dict[int, int] = {}
        self.read_ahead = read_ahead
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
            raise RequestRefused(because("busy", exception=code), code)

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
            raise NonsenseReply(because("wrong_length", where=str(address), got=len(answer), wanted=count))
        self.words.update(zip(range(address, address + count), answer, strict=True))
        return None
