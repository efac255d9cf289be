"""One full reading of a hybrid, by us and by others, in one run against the same virtual device."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from bench.devices import served
from bench.readers import (
    DRIVER,
    READ_MODELS,
    ForeignReader,
    NaiveReader,
    OurReader,
    PlainReader,
    Reader,
    foreign_values,
)
from bench.sites import site_of
from bench.tables import Cell, table
from orchestrator.config.sections import InverterConfig

ROUNDS: Final = 15
READINGS_PER_S: Final = 1000
"""About so many readings, or half as many decodings, fit into a second."""
READING_TITLE: Final = "Reading a hybrid once (models 103, 124 and 160). us per reading; ratios to the first row."
DECODING_TITLE: Final = "Decoding the bytes of one reading, without the network. us; ratios to the first row."


@dataclass(frozen=True, slots=True)
class Measured:
    """One way: medians over rounds, per call. `requests` is None where there is no network."""

    name: str
    cpu_s: float
    wall_s: float
    requests: float | None = None


def report(readings: Sequence[Measured], decodings: Sequence[Measured]) -> str:
    """Both tables."""
    columns = ("client", "requests", "CPU us", "CPU ratio", "wall us", "wall ratio")
    reading_rows: list[tuple[Cell, ...]] = [
        (
            each.name,
            each.requests,
            1e6 * each.cpu_s,
            each.cpu_s / readings[0].cpu_s,
            1e6 * each.wall_s,
            each.wall_s / readings[0].wall_s,
        )
        for each in readings
    ]
    decoding_rows: list[tuple[Cell, ...]] = [
        (each.name, 1e6 * each.cpu_s, each.cpu_s / decodings[0].cpu_s) for each in decodings
    ]
    return "\n\n".join(
        [
            table(READING_TITLE, columns, reading_rows),
            table(DECODING_TITLE, ("decoder", "CPU us", "CPU ratio"), decoding_rows),
        ]
    )


def measure(seconds: float) -> tuple[list[Measured], list[Measured]]:
    """Readings and decodings of a virtual hybrid, about `seconds` for each of the two."""
    with served(site_of(1)) as devices:
        config = devices.config.inverters[0]
        assert isinstance(config, InverterConfig)
        ours, foreign = OurReader(config), ForeignReader(config)
        plain, naive = PlainReader(config, ours.device), NaiveReader(config, ours.device)
        readers: tuple[Reader, ...] = (ours, foreign, naive, plain)
        try:
            readings = _measure_readers(readers, seconds)
            decodings = _in_turns(_decoders(ours, foreign), seconds)
        finally:
            for reader in readers:
                reader.close()
    return readings, decodings


def _measure_readers(readers: Sequence[Reader], seconds: float) -> list[Measured]:
    before = {reader.name: reader.requests for reader in readers}
    calls = _calls(seconds / len(readers))
    measured = _in_turns({reader.name: reader.read for reader in readers}, seconds)
    total = ROUNDS * calls
    return [
        Measured(each.name, each.cpu_s, each.wall_s, (reader.requests - before[each.name]) / total)
        for each, reader in zip(measured, readers, strict=True)
    ]


def _decoders(ours: OurReader, foreign: ForeignReader) -> dict[str, Callable[[], object]]:
    """From bytes to values. Ours makes words of them and takes what a cycle needs; pysunspec2 decodes every point."""
    device = ours.device
    plan = [(each, _bytes(ours.words(each.address, each.count))) for each in DRIVER.plan_reads(device)]
    addresses = {model.id: (model.address, 2 + model.length) for model in device.models}
    models = [(foreign.models[each][0], _bytes(ours.words(*addresses[each]))) for each in READ_MODELS]

    def decode_ours() -> object:
        registers: dict[int, int] = {}
        for request, data in plan:
            registers |= enumerate(struct.unpack(f">{request.count}H", data), request.address)
        return DRIVER.decode_inverter(device, ours.name, registers, 0.0)

    def decode_foreign() -> None:
        for model, data in models:
            model.set_mb(data)

    def decode_foreign_values() -> object:
        decode_foreign()
        return foreign_values(foreign.models)

    return {
        ours.name: decode_ours,
        "pysunspec2, raw points": decode_foreign,
        "pysunspec2, values we use": decode_foreign_values,
    }


def _in_turns(ways: Mapping[str, Callable[[], object]], seconds: float) -> list[Measured]:
    """Each way in each round, so that a noisy moment of the machine hits all of them alike."""
    calls = _calls(seconds / len(ways))
    rounds: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, call in ways.items():
            rounds[name].append(_time(call, calls))
    return [
        Measured(name, median(cpu_s for cpu_s, _ in times), median(wall_s for _, wall_s in times))
        for name, times in rounds.items()
    ]


def _time(call: Callable[[], object], calls: int) -> tuple[float, float]:
    """CPU and wall seconds of one call."""
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    for _ in range(calls):
        call()
    return (time.process_time() - cpu_s) / calls, (time.perf_counter() - wall_s) / calls


def _calls(seconds: float) -> int:
    return max(1, round(seconds * READINGS_PER_S / ROUNDS))


def _bytes(words: Sequence[int]) -> bytes:
    return struct.pack(f">{len(words)}H", *words)
