"""A virtual site to commission, with a quick plant, and devices with defects in it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from actors.clock import RealClock
from orchestrator.config.sections import SiteConfig
from orchestrator.config.simulation import BatterySimulation, InverterSimulation, MeterSimulation
from orchestrator.devices.makes.library import load_profile
from orchestrator.devices.makes.schema import writes_of
from orchestrator.simulation.devices.sunspec.register_map import Device
from orchestrator.simulation.server import RunningSite, serve
from orchestrator.simulation.site import VirtualSite
from tests.support.plants.virtual_site import site_config
from tests.support.servers.required import free_port, wait_until

BATTERY = BatterySimulation(capacity_wh=10000, charge_watts=5000, discharge_watts=5000, soc_percent=60)
HYBRID = InverterSimulation(
    pv_peak_watts=6000, ac_rating_watts=6000, lag_s=0.01, ramp_percent_per_s=10000, battery=BATTERY
)


STEP_S = 0.5
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SUN_WATTS, LOAD_WATTS = 4000.0, 1500.0
RUNS = (
    ("123.Conn_WinTms", "123.WMaxLim_Ena"),
    ("124.StorCtl_Mod", "124.StorCtl_Mod"),
    ("124.OutWRte", "124.ChaGriSet"),
)


class PlantClock(RealClock):
    """The time of a virtual site."""

    def __init__(self, site: RunningSite) -> None:
        super().__init__()
        self._site = site

    def wall(self) -> datetime:
        """Always noon: midnight would give a new budget of writes to flash."""
        return NOON

    def now_s(self) -> float:
        """Seconds of the plant."""
        return self._site.call(lambda virtual: virtual.now_s)


class PlantPause(threading.Event):
    """A pause that is over at once, and that has taken `STEP_S` of the plant's time."""

    def __init__(self, site: RunningSite) -> None:
        super().__init__()
        self._site = site

    def wait(self, timeout: float | None = None) -> bool:
        """Let time pass for the plant; whether the end was asked for."""
        self._site.call(lambda virtual: virtual.advance(STEP_S))
        return self.is_set()


@contextlib.contextmanager
def make_to_commission(folder: Path, make: str, *, sunny: bool = False) -> Iterator[RunningSite]:
    """East, a hybrid of a make, as in `site_to_commission`. Rests between requests are left out: they are real time."""
    sections: dict[str, Any] = site_config({"east": HYBRID.model_copy(update={"make": make})}).model_dump()
    sections["inverters"] = [{"name": "east", "driver": make, "host": "127.0.0.1", "min_gap_s": 0.0}]
    sections["meter"]["sign"] = "import_positive"
    sections["control"]["state_dir"] = str(folder / "state")
    with serve(SiteConfig.model_validate(sections), new_port=free_port) as site:
        site.call(lambda virtual: _prepare(virtual, sunny=sunny))
        site.call(lambda virtual: virtual.advance(30.0))
        yield site


def settings_of(site: RunningSite, make: str) -> dict[str, object]:
    """Every register that the driver of `make` may write, as the device has it, and what the plant obeys."""
    profile = load_profile(make)
    names = dict.fromkeys(write.register_ for write in writes_of(profile))

    def read(virtual: VirtualSite) -> dict[str, object]:
        found: dict[str, object] = {"controls": virtual.inverters["east"].controls}
        for name in names:
            register = profile.registers[name]
            found[name] = _unit(virtual.devices["east"], register.unit_id).read(register.address, register.size)
        return found

    return site.call(read)


def _unit(device: Any, unit_id: int | None) -> Device:
    return device if unit_id is None else device.others[unit_id]  # type: ignore[no-any-return]


@contextlib.contextmanager
def site_to_commission(
    folder: Path,
    defect: Callable[[Device], Device] | None = None,
    *,
    sunny: bool = False,
    sign: str = "import_positive",
    meter_sign: str = "import_positive",
    inverters: Mapping[str, InverterSimulation] | None = None,
) -> Iterator[RunningSite]:
    """East, a hybrid whose battery idles: in the dark, or full where it is `sunny`.

    site.yaml says `sign` of the meter, `meter_sign` is the truth.
    """
    simulated = dict(inverters or {"east": HYBRID})
    meter = MeterSimulation(period_s=0.05, sign=meter_sign)  # type: ignore[arg-type]
    sections: dict[str, Any] = site_config(simulated, meter=meter).model_dump()
    sections["meter"]["sign"] = sign
    sections["control"]["state_dir"] = str(folder / "state")
    with serve(SiteConfig.model_validate(sections), new_port=free_port) as site:
        if defect is not None:
            site.replace_device("east", defect)

        site.call(lambda virtual: _prepare(virtual, sunny=sunny))
        wait_until(lambda: site.call(is_calm), "calm")
        yield site


def _prepare(virtual: VirtualSite, *, sunny: bool) -> None:
    virtual.set_load(LOAD_WATTS)
    for name, inverter in virtual.inverters.items():
        virtual.set_pv_available(name, SUN_WATTS if sunny else 0.0)
        if sunny and inverter.settings.battery is not None:
            virtual.set_soc(name, 100.0)


def is_calm(virtual: VirtualSite) -> bool:
    """Whether the plant has taken up the sun and the load, and the meter shows it."""
    states = [inverter.state for inverter in virtual.inverters.values()]
    settled = all(abs(state.pv_available_watts - state.pv_watts) < 20 for state in states)
    idle = all(abs(state.battery_watts) < 20 for state in states)
    site_watts = LOAD_WATTS - sum(state.ac_watts for state in states)
    return settled and idle and abs(virtual.meter.site_watts - site_watts) < 20


def registers(site: RunningSite, name: str = "east") -> tuple[int, ...]:
    """The words of models 123 and 124 that can be written."""

    def read(virtual: VirtualSite) -> tuple[int, ...]:
        device = virtual.devices[name]
        words: list[int] = []
        for first, last in RUNS:
            address = device.registers.address(first)
            block = device.read(address, device.registers.address(last) - address + 1)
            assert isinstance(block, tuple)
            words.extend(block)
        return tuple(words)

    return site.call(read)
