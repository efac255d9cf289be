"""What must outlive a restart for Home Assistant, as the text of a file: energy, and which entities it was told of."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from orchestrator.telemetry.home_assistant.energy import Counter, EnergyTotals

VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Remembered:
    """`batteries` are the inverters at which a battery was seen. `told` are the topics whose retained descriptions lie
    at the broker `broker` (host:port)."""

    energy: EnergyTotals = field(default_factory=EnergyTotals)
    batteries: frozenset[str] = frozenset()
    broker: str = ""
    told: frozenset[str] = frozenset()


def to_json(remembered: Remembered) -> str:
    """What `from_json` reads again."""
    energy = remembered.energy
    values = {
        "version": VERSION,
        "energy_wh": dict(energy.wh),
        "counters": {flow: asdict(counter) for flow, counter in energy.counters.items()},
        "batteries": sorted(remembered.batteries),
        "broker": remembered.broker,
        "told": sorted(remembered.told),
    }
    return json.dumps(values, indent=1)


def from_json(text: str) -> Remembered:
    """What was remembered. Raises ValueError where the text is anything else than `to_json` wrote."""
    values = json.loads(text)
    try:
        if values["version"] != VERSION:
            raise ValueError("written by another version of this program")
        wh = {str(name): _energy(wh) for name, wh in values["energy_wh"].items()}
        counters = {str(flow): _counter(counter) for flow, counter in values["counters"].items()}
        return Remembered(
            EnergyTotals(wh, counters),
            frozenset(map(str, values["batteries"])),
            str(values["broker"]),
            frozenset(map(str, values["told"])),
        )
    except (KeyError, TypeError, AttributeError) as trouble:
        raise ValueError(f"not what was written ({trouble!r})") from None


def _energy(value: Any) -> float:
    wh = float(value)
    if not (math.isfinite(wh) and wh >= 0):
        raise ValueError("an energy that cannot be")
    return wh


def _counter(values: Any) -> Counter:
    since_s = values["odd_since_s"]
    return Counter(float(values["wh"]), float(values["at_s"]), None if since_s is None else float(since_s))
