"""Sun, clouds and load as functions of time: the same seed and time always give the same value."""

from __future__ import annotations

import math
from functools import lru_cache
from hashlib import blake2b

from orchestrator.config.simulation import LoadSimulation, SunSimulation


@lru_cache(maxsize=4096)
def chance(seed: str, number: int) -> float:
    """A number in 0..1 that looks random and depends on `seed` and `number` alone."""
    return int.from_bytes(blake2b(f"{seed}/{number}".encode(), digest_size=4).digest(), "big") / 0xFFFFFFFF


def drift(seed: str, at_s: float, period_s: float) -> float:
    """A smooth random walk in 0..1 that reaches a new value every `period_s`."""
    step, part = divmod(at_s / period_s, 1.0)
    before, after = chance(seed, int(step)), chance(seed, int(step) + 1)
    return before + (after - before) * (1 - math.cos(math.pi * part)) / 2


def sunlight(sun: SunSimulation, seed: str, at_s: float) -> float:
    """The part of its peak power (0..1) that PV can make at `at_s` seconds after the start."""
    time_of_day = (at_s / sun.period_s + sun.start_fraction) % 1.0
    daylight = 1.0 - sun.night_fraction
    if time_of_day >= daylight:
        return 0.0
    clear_sky = math.sin(math.pi * time_of_day / daylight)
    if not sun.cloud_depth:
        return clear_sky
    cloud = 0.5 + sun.cloud_contrast * (drift(f"cloud/{seed}", at_s, sun.cloud_period_s) - 0.5)
    return clear_sky * (1.0 - sun.cloud_depth * min(max(cloud, 0.0), 1.0))


def load_watts(load: LoadSimulation, seed: str, at_s: float) -> float:
    """What the site consumes, in W (never negative), `at_s` seconds after the start."""
    watts = load.base_watts + load.variation_watts * drift(f"load/{seed}", at_s, load.period_s)
    if load.appliance_watts and chance(f"appliance/{seed}", int(at_s / load.appliance_period_s)) > 0.5:
        watts += load.appliance_watts
    if load.noise_watts:
        watts += load.noise_watts * (2 * drift(f"noise/{seed}", at_s, 0.5) - 1)
    return max(watts, 0.0)
