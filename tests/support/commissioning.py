"""A virtual site to commission, with a quick plant and short times, and devices with defects in it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from orchestrator.commission_trial import Timing
from orchestrator.config import SiteConfig
from orchestrator.simulation.config import BatterySimulation, InverterSimulation, MeterSimulation
from orchestrator.simulation.devices.register_map import Device
from orchestrator.simulation.server import RunningSite, serve
from orchestrator.simulation.site import VirtualSite
from tests.support.servers import wait_until
from tests.support.virtual_site import site_config

QUICK = Timing(revert_s=1.0, baseline_s=0.3, answer_s=1.0, settle_s=0.3, late_s=0.5, poll_s=0.03)
BATTERY = BatterySimulation(capacity_wh=10000, charge_watts=5000, discharge_watts=5000, soc_percent=60)
HYBRID = InverterSimulation(
    pv_peak_watts=6000, ac_rating_watts=6000, lag_s=0.01, ramp_percent_per_s=10000, battery=BATTERY
)


SUN_WATTS, LOAD_WATTS = 4000.0, 1500.0
RUNS = (
    ("123.Conn_WinTms", "123.WMaxLim_Ena"),
    ("124.StorCtl_Mod", "124.StorCtl_Mod"),
    ("124.OutWRte", "124.ChaGriSet"),
)


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
    with serve(SiteConfig.model_validate(sections), ephemeral_ports=True) as site:
        if defect is not None:
            site.replace_device("east", defect)

        def prepare(virtual: VirtualSite) -> None:
            virtual.set_load(LOAD_WATTS)
            for name in simulated:
                virtual.set_pv_available(name, SUN_WATTS if sunny else 0.0)
                if sunny and virtual.inverters[name].settings.battery is not None:
                    virtual.set_soc(name, 100.0)

        site.call(prepare)
        wait_until(lambda: site.call(is_calm), "calm")
        yield site


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
