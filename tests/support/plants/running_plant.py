"""The example site as it runs: virtual devices on real sockets, a real Mosquitto, every actor, and eyes on the physics.

Everything listens on a free port of 127.0.0.1. What the plant does is read from the simulated devices themselves, never
from what the orchestrator says of it.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from actors.clock import RealClock
from actors.observer import NoObserver
from actors.system import DRIVERS, System, start_system
from orchestrator.config.sections import SiteConfig
from orchestrator.config.simulation import InverterSimulation
from orchestrator.decide.records import CycleResult
from orchestrator.devices.base import AnyDriver
from orchestrator.simulation.server import RunningSite, serve
from orchestrator.simulation.site import METER, VirtualSite
from tests.support.inboxes import Inbox
from tests.support.plants.example_site import EXAMPLE
from tests.support.plants.virtual_site import site_config
from tests.support.servers.brokers import Mosquitto, Nats, mosquitto
from tests.support.servers.required import PATIENCE_S, free_port, require_server, wait_until

NAMES = ("east", "west", "roof")
TOPIC = "site/home"
SETPOINTS = f"{TOPIC}/setpoints"
FIXED = {"export_limit_watts": 5000.0, "battery_soc_min_percent": 10.0}
POLL_S = 0.05
BUSY_MACHINE_S = 5.0
"""So much longer than promised may take what hangs on threads and processes that share this machine with others.

That promises are kept to the second is tested in virtual time.
"""
DELAYED_S = 2.0
"""So late comes a cycle that waited for a silent device: an interval and a time-out. Otherwise it takes 1.25 s at most.
"""


@dataclass(frozen=True)
class Range:
    """What a quantity of the plant must be."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def __repr__(self) -> str:
        return f"{self.low:g} to {self.high:g}"


def about(value: float, tolerance: float) -> Range:
    """`value`, and so much less or more."""
    return Range(value - tolerance, value + tolerance)


def below(value: float) -> Range:
    """At most `value`."""
    return Range(float("-inf"), value)


def above(value: float) -> Range:
    """At least `value`."""
    return Range(value, float("inf"))


Expected = dict[str, Range]
"""Quantities of `measure` by name, and what they must be."""

Wanted = Expected | Callable[[], Expected]


def measure(site: VirtualSite) -> dict[str, float]:
    """The plant at this moment, in W: at the grid connection, in sum, and of each inverter.

    `export` and `import` are the same power with opposite signs; `charging` is positive while batteries charge. With
    each inverter go the words of its registers that say what it obeys.
    """
    states = {name: inverter.state for name, inverter in site.inverters.items()}
    import_watts = site.load_watts - sum(state.ac_watts for state in states.values())
    seen = {
        "import": import_watts,
        "export": -import_watts,
        "meter": site.meter.site_watts,
        "generation": sum(max(state.ac_watts, 0.0) for state in states.values()),
        "drawn": sum(max(-state.ac_watts, 0.0) for state in states.values()),
        "charging": sum(state.battery_watts for state in states.values()),
        "pv": sum(state.pv_watts for state in states.values()),
    }
    for name, state in states.items():
        seen |= {f"{name} ac": state.ac_watts, f"{name} pv": state.pv_watts, f"{name} charging": state.battery_watts}
        seen |= {f"{name} {point}": word for point, word in _controls(site, name).items()}
    return seen


def _controls(site: VirtualSite, name: str) -> dict[str, float]:
    """The words of models 123 and 124 that say what an inverter obeys; none of a make that has registers of its own."""
    if site.inverters[name].settings.make is not None:
        return {}
    registers: Any = site.devices[name].registers
    points = ["123.Conn", "123.WMaxLim_Ena", "123.WMaxLimPct"]
    if site.inverters[name].settings.battery is not None:
        points += ["124.StorCtl_Mod", "124.ChaGriSet"]
    found: dict[str, float] = {}
    for point in points:
        words = registers.read(registers.address(point), 1)
        assert isinstance(words, tuple)
        found[point.partition(".")[2]] = words[0]
    return found


class Diary(NoObserver):
    """What actors and links told of themselves. Appending is one step, so any thread may."""

    def __init__(self) -> None:
        self.restarts: list[str] = []
        self.requests: list[tuple[str, str | None]] = []

    def request_done(self, device: str, seconds: float, error: str | None) -> None:
        self.requests.append((device, error))

    def actor_restarted(self, actor: str) -> None:
        self.restarts.append(actor)


class Eyes:
    """Looks at a virtual site that is being served, and turns its knobs."""

    def __init__(self, site: RunningSite) -> None:
        self.site = site

    def set(
        self,
        *,
        pv_watts: Mapping[str, float] | None = None,
        load_watts: float | None = None,
        soc_percent: Mapping[str, float] | None = None,
    ) -> None:
        """Sun, load and state of charge from now on; what is not given stays as it is."""

        def turn(site: VirtualSite) -> None:
            for name, watts in (pv_watts or {}).items():
                site.set_pv_available(name, watts)
            for name, percent in (soc_percent or {}).items():
                site.set_soc(name, percent)
            if load_watts is not None:
                site.set_load(load_watts)

        self.site.call(turn)

    def look(self) -> dict[str, float]:
        """Every quantity of `measure` at this moment."""
        return self.site.call(measure)

    def see(self, expected: Wanted, within_s: float = PATIENCE_S, for_s: float = 0.5) -> None:
        """Return when everything expected has been seen for `for_s` on end; fail when that takes over `within_s`.

        What is expected may be asked for anew each time, where it depends on the plant.
        """
        deadline_s = time.monotonic() + within_s + for_s
        since_s = None
        while since_s is None or time.monotonic() - since_s < for_s:
            missed = self._missed(expected)
            now_s = time.monotonic()
            since_s = None if missed else since_s or now_s
            if now_s > deadline_s:
                pytest.fail(f"within {within_s:g} s this was not seen for {for_s:g} s: {missed}")
            time.sleep(POLL_S)

    def stays(self, expected: Expected, for_s: float) -> None:
        """Fail as soon as anything is not as expected; return after `for_s`."""
        began_s = time.monotonic()
        while (after_s := time.monotonic() - began_s) < for_s:
            missed = self._missed(expected)
            if missed:
                pytest.fail(f"after {after_s:.1f} of {for_s:g} s: {missed}")
            time.sleep(POLL_S)

    def record(self, for_s: float) -> list[dict[str, float]]:
        """What is seen, every 0.05 s for `for_s`."""
        end_s = time.monotonic() + for_s
        seen = []
        while time.monotonic() < end_s:
            seen.append(self.look())
            time.sleep(POLL_S)
        return seen

    def longest_above_s(self, name: str, watts: float, for_s: float) -> float:
        """How long a quantity is above `watts` on end at most, while it is looked at for `for_s`."""
        end_s = time.monotonic() + for_s
        above_since_s, longest_s = None, 0.0
        while (now_s := time.monotonic()) < end_s:
            above_since_s = (above_since_s or now_s) if self.look()[name] > watts else None
            longest_s = max(longest_s, now_s - (above_since_s or now_s))
            time.sleep(POLL_S)
        return longest_s

    def requests(self, name: str = METER) -> tuple[int, int]:
        """How many reads and writes a device has answered."""
        return self.site.call(lambda site: (site.devices[name].reads, len(site.devices[name].writes)))

    def _missed(self, wanted: Wanted) -> str:
        seen, expected = self.look(), wanted() if callable(wanted) else wanted
        return ", ".join(
            f"{name} is {seen[name]:.0f}, not {wanted!r}"
            for name, wanted in expected.items()
            if seen[name] not in wanted
        )


class Publisher:
    """Publishes setpoints with Mosquitto's own client, retained and with QoS 1, as an operator would."""

    def __init__(self, broker: Mosquitto | Nats, topic: str = SETPOINTS) -> None:
        self._program = require_server("mosquitto_pub")
        self._to = ["-h", broker.host, "-p", str(broker.port), "-t", topic, "-r", "-q", "1"]

    def publish(self, payload: Mapping[str, object]) -> None:
        """Replace the setpoint."""
        subprocess.run([self._program, *self._to, "-m", json.dumps(payload)], check=True, timeout=PATIENCE_S)

    def withdraw(self) -> None:
        """Take the setpoint back: a zero-length message."""
        subprocess.run([self._program, *self._to, "-n"], check=True, timeout=PATIENCE_S)


class RunningPlant(Eyes):
    """The virtual site, the broker, and a system that runs them."""

    def __init__(
        self, site: RunningSite, broker: Mosquitto | Nats, config: SiteConfig, drivers: Mapping[str, AnyDriver]
    ) -> None:
        super().__init__(site)
        self.broker, self.config = broker, config
        self.setpoint = Publisher(broker)
        self.diary, self.listener = Diary(), Inbox()
        self._runs = True
        self.clock = RealClock()
        self.system: System = start_system(
            config, clock=self.clock, observer=self.diary, listeners=(self.listener,), drivers=drivers
        )

    @property
    def results(self) -> Sequence[CycleResult]:
        """Every cycle so far."""
        return self.listener.of(CycleResult)

    def next_results(self, count: int) -> Sequence[CycleResult]:
        """The next `count` cycles."""
        before = len(self.results)
        wait_until(lambda: len(self.results) >= before + count, f"{count} cycles", PATIENCE_S + 2 * count)
        return self.results[before : before + count]

    def forget_setpoints(self) -> None:
        """Take the setpoint back, and return when the plant obeys nobody but its site.yaml.

        A plant that is not connected at that moment never hears of a setpoint that is withdrawn; of one that asks for
        nothing it hears as soon as it is.
        """
        if not self._runs:
            return
        self.setpoint.publish({})
        wait_until(lambda: self.results and not self._is_asked(), "a plant that nobody asks for anything")
        self.setpoint.withdraw()

    def _is_asked(self) -> bool:
        return any(origin.source != "fixed" for origin in self.results[-1].envelope.origins.values())

    def stop(self) -> None:
        """As SIGTERM does: hand the devices back and stop. Harmless when it has stopped."""
        if self._runs:
            self._runs = False
            self.system.stop(PATIENCE_S)
            self.clock.close()


def gaps_s(results: Sequence[CycleResult]) -> list[float]:
    """The time from each cycle to the next."""
    return [after.snapshot.at_s - before.snapshot.at_s for before, after in pairwise(results)]


def goes_on(results: Sequence[CycleResult]) -> bool:
    """Whether no device held up these cycles. One of them may be late, as on a machine that is busy for a moment."""
    *usual, _longest = sorted(gaps_s(results))
    return usual[-1] < DELAYED_S


def nearly_always(seen: Iterable[object]) -> bool:
    """Whether it was as it should be, but for one cycle at most: on a busy machine a reply may miss it."""
    return sum(not each for each in seen) <= 1


def example_config(
    state_dir: Path,
    *,
    inverters: Mapping[str, InverterSimulation] = EXAMPLE,
    broker: Mosquitto | Nats,
    fixed: Mapping[str, object] = FIXED,
    **control: Any,
) -> SiteConfig:
    """A site of `inverters` with a source of setpoints and publishing at `broker`; `control` adds to its section."""
    at = {"host": broker.host, "port": broker.port}
    sections = site_config(dict(inverters)).model_dump()
    sections["control"] |= {"state_dir": str(state_dir), **control}
    sections |= {
        "setpoints": {"fixed": dict(fixed), "mqtt": {**at, "topic": SETPOINTS}},
        "publish": {"mqtt": {**at, "topic": TOPIC}},
        "metrics": None,
    }
    return SiteConfig.model_validate(sections)


@contextlib.contextmanager
def running_plant(
    folder: Path,
    *,
    prepare: Callable[[Eyes], None] = lambda eyes: None,
    drivers: Mapping[str, AnyDriver] = DRIVERS,
    **settings: Any,
) -> Iterator[RunningPlant]:
    """A running plant; `prepare` sets sun and load before it starts, `settings` are those of `example_config`."""
    with mosquitto(folder) as broker:
        config = example_config(folder / "state", broker=broker, **settings)
        with serve(config, new_port=free_port) as site:
            prepare(Eyes(site))
            plant = RunningPlant(site, broker, site.config, drivers)
            try:
                yield plant
            finally:
                plant.stop()
