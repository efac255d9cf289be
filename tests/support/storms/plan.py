"""What happens in a storm and when: a random plant, and faults that begin every few seconds and overlap.

    storm = make_storm(seed)
    storm.faults[0]          # Fault(at_s=9.3, kind="lost_limits", names=("u3",), for_s=0.0)

The same seed gives the same storm.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

from orchestrator.config.sections import SiteConfig
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.values import PriorityMode
from orchestrator.simulation.scenarios.scenario import Scenario
from tests.support.random_plants.random_scenarios import random_scenario

LASTS_S: Final = 600.0
CALM_S: Final = 120.0
"""At the end nothing is wrong any more, for so long."""

LARGEST: Final = 12
"""So many inverters at most: of a larger plant the first ones."""

OF_INVERTER: Final = (
    "offline",
    "silent",
    "exceptions",
    "resetting",
    "frozen",
    "ignores_commands",
    "ignores_battery",
    "power_cut",
    "lost_limits",
)
OF_METER: Final = ("meter_silent", "meter_frozen", "meter_reversed")
OF_ORCHESTRATOR: Final = ("killed", "killed_and_state_lost", "stopped")
OF_ASKING: Final = ("broker_lost", "disk_full", "redelivered", "expired", "garbage")
OF_GATEWAY: Final = "dead_gateway"
OF_CLOCK: Final = "clock_wrong"
KINDS: Final = frozenset({*OF_INVERTER, *OF_METER, *OF_ORCHESTRATOR, *OF_ASKING, OF_GATEWAY, OF_CLOCK})
AT_ONCE: Final = frozenset({"lost_limits", "redelivered", "expired", "garbage"})
"""What happens in a moment and lasts no time."""


@dataclass(frozen=True)
class Fault:
    """One fault that begins at `at_s` and ends `for_s` later; `names` are the inverters that it is about.

    A clock that is wrong is so by `wrong_s`, ahead +.
    """

    at_s: float
    kind: str
    names: tuple[str, ...] = ()
    for_s: float = 0.0
    wrong_s: float = 0.0

    @property
    def ends_s(self) -> float:
        return self.at_s + self.for_s


@dataclass(frozen=True)
class Change:
    """Load (W) and light (W by inverter) from `at_s` on, and what is asked for: retained by the broker or not.

    `fields` None takes back what was asked for. `validity_s` None: it holds without end.
    """

    at_s: float
    load_watts: float
    light: dict[str, float]
    fields: SetpointFields | None
    retained: bool = True
    validity_s: float | None = None


@dataclass(frozen=True)
class Storm:
    """A plant and all that happens to it. `says_ratings`: site.yaml has the `ac_max_watts` of each inverter."""

    seed: int
    scenario: Scenario
    faults: tuple[Fault, ...]
    changes: tuple[Change, ...]
    says_ratings: bool = False

    def site_config(self) -> SiteConfig:
        """The site.yaml of the plant."""
        config = self.scenario.site_config()
        if not self.says_ratings:
            return config
        ratings = {name: inverter.ac_rating_watts for name, inverter in self.scenario.inverters.items()}
        said = tuple(each.model_copy(update={"ac_max_watts": ratings[each.name]}) for each in config.inverters)
        return config.model_copy(update={"inverters": said})

    @property
    def nameplate_watts(self) -> float:
        return sum(inverter.ac_rating_watts for inverter in self.scenario.inverters.values())

    @property
    def reverses_its_meter(self) -> bool:
        return any(fault.kind == "meter_reversed" for fault in self.faults)


def make_storm(seed: int) -> Storm:
    """About 90 faults in 10 minutes, then two minutes of calm."""
    dice = Random(f"storm/{seed}")
    plain = random_scenario(seed)
    inverters = dict(list(plain.inverters.items())[:LARGEST])
    scenario = plain.model_copy(
        update={
            "title": f"storm {seed}",
            "duration_s": LASTS_S + CALM_S,
            "inverters": inverters,
            "timeline": tuple(each for each in plain.timeline if each.at_s == 0)[:1],
        }
    )
    kinds = [*OF_INVERTER, *OF_METER[: dice.choice([2, 2, 3])], *OF_ORCHESTRATOR, *OF_ASKING, OF_GATEWAY]
    faults = [*_faults(dice, list(inverters), kinds), *_wrong_clocks(Random(f"storm/clock/{seed}"))]
    faults.sort(key=lambda fault: fault.at_s)
    changes = tuple(_changes(dice, scenario))
    return Storm(seed, scenario, tuple(faults), changes, says_ratings=Random(f"storm/site/{seed}").random() < 0.5)


def _faults(dice: Random, names: list[str], kinds: list[str]) -> Iterator[Fault]:
    """Each of a device or part that has none at that time."""
    busy_until_s: dict[str, float] = {}
    at_s = 10.0
    while at_s < LASTS_S - 30.0:
        kind = dice.choice(kinds)
        about = _about(dice, kind, names)
        if all(busy_until_s.get(each, 0.0) < at_s for each in about):
            for_s = 0.0 if kind in AT_ONCE else dice.choice([3.0, 8.0, 15.0, 28.0])
            busy_until_s |= dict.fromkeys(about, at_s + for_s + 1.0)
            yield Fault(at_s, kind, tuple(each for each in about if each in names), for_s)
        at_s += dice.choice([1.0, 2.0, 5.0, 15.0])


def _wrong_clocks(dice: Random) -> Iterator[Fault]:
    """The wall clock jumps, and is put right some time later."""
    at_s = dice.choice([12.0, 40.0, 80.0])
    while at_s < LASTS_S - 90.0:
        for_s, wrong_s = dice.choice([3.0, 15.0, 60.0]), dice.choice([-21600.0, -3600.0, -30.0, 30.0, 3600.0, 86400.0])
        yield Fault(at_s, OF_CLOCK, (), for_s, wrong_s)
        at_s += for_s + dice.choice([20.0, 60.0, 120.0])


def _about(dice: Random, kind: str, names: list[str]) -> list[str]:
    """What a fault keeps busy: inverters by name, or a part of the plant."""
    if kind in OF_INVERTER:
        return [dice.choice(names)]
    if kind == OF_GATEWAY:
        return dice.sample(names, max(len(names) // 2, 1))
    if kind in OF_METER:
        return ["<meter>"]
    return ["<orchestrator>"] if kind in OF_ORCHESTRATOR else [f"<{kind}>"]


def _changes(dice: Random, scenario: Scenario) -> Iterator[Change]:
    nameplate = sum(inverter.ac_rating_watts for inverter in scenario.inverters.values())
    at_s = 0.0
    while at_s < LASTS_S:
        asks = at_s == 0 or dice.random() < 0.9
        yield Change(
            at_s,
            load_watts=dice.uniform(0.02, 0.8) * nameplate,
            light={n: i.pv_peak_watts * dice.choice([0.0, 0.1, 0.3, 0.6, 1.0]) for n, i in scenario.inverters.items()},
            fields=_fields(dice, nameplate) if asks else None,
            retained=dice.random() < 0.7,
            validity_s=dice.choice([None, None, 20.0, 60.0]),
        )
        at_s += dice.choice([10.0, 25.0, 40.0])


def _fields(dice: Random, nameplate: float) -> SetpointFields:
    return SetpointFields(
        export_limit_watts=dice.choice([None, 0.0, 0.0, 0.05 * nameplate, 0.3 * nameplate]),
        generation_limit_watts=dice.choice([None, None, None, 0.5 * nameplate]),
        battery_priority_mode=dice.choice([None, PriorityMode.BATTERY_FIRST, PriorityMode.EXPORT_FIRST]),
        battery_soc_min_percent=10.0,
    )
