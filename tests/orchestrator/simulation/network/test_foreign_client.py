"""A client that is not ours, pysunspec2, reads every device and gets what the physics says, point by point."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

from orchestrator.config.simulation import BatterySimulation, InverterSimulation
from orchestrator.simulation.server import RunningSite, serve
from orchestrator.simulation.site import VirtualSite
from tests.support.plants.virtual_site import BATTERY_ONLY, HYBRID, PV_ONLY, site_config
from tests.support.servers.required import free_port

LARGE = InverterSimulation(
    pv_peak_watts=120_000,
    ac_rating_watts=100_000,
    battery=BatterySimulation(capacity_wh=200_000, charge_watts=90_000, discharge_watts=80_000),
)
INVERTERS = {"east": HYBRID, "roof": PV_ONLY, "cellar": BATTERY_ONLY, "hall": LARGE}


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSite]:
    """A site that has worked for a minute; nothing changes any more but its counters."""
    with serve(site_config(INVERTERS), new_port=free_port) as running:
        running.call(bring_to_work)
        yield running


def bring_to_work(site: VirtualSite) -> None:
    """Charging, discharging and limited devices, all settled."""
    for name, watts in (("east", 4000), ("roof", 7000), ("cellar", 0), ("hall", 110_000)):
        site.set_pv_available(name, watts)
    site.set_load(1500)
    write(site, "cellar", "124.OutWRte", 5000, 0x10000 - 5000)
    write(site, "cellar", "124.StorCtl_Mod", 3)
    write(site, "roof", "123.WMaxLimPct", 5000, 0, 0, 0, 1)
    site.advance(60)


def write(site: VirtualSite, name: str, point: str, *words: int) -> None:
    device = site.devices[name]
    assert device.write(device.registers.address(point), words, 0.0) is None


def scan(running: RunningSite, name: str) -> Any:
    address = running.config.meter if name == "meter" else running.config.inverter(name)
    client = SunSpecModbusClientDeviceTCP(
        slave_id=address.unit_id, ipaddr=address.host, ipport=address.port, timeout=60
    )
    client.scan()
    client.close()
    assert [model.error_info for models in client.models.values() for model in models if model.error_info] == []
    return client


def values(client: Any, model_id: int) -> dict[str, Any]:
    return {name: point.cvalue for name, point in client.models[model_id][0].points.items()}


def resolution(points: dict[str, Any], scale: str) -> float:
    """Half of the last digit, and a little for physics that goes on meanwhile."""
    return 0.5 * 10.0 ** points[scale] + 1.0


@pytest.mark.parametrize("name", [*INVERTERS, "meter"])
def test_every_device_is_scanned_without_an_error(running: RunningSite, name: str) -> None:
    found = [key for key in scan(running, name).models if isinstance(key, int)]
    battery = name != "meter" and INVERTERS[name].battery is not None

    assert found == ([1, 203] if name == "meter" else [1, 103, 120, 121, 122, 123, *([124] if battery else []), 160])


@pytest.mark.parametrize("name", INVERTERS)
def test_the_measurements_are_those_of_the_physics(running: RunningSite, name: str) -> None:
    before_wh = running.call(lambda site: site.inverters[name].generated_wh)
    client = scan(running, name)
    measured, modules = values(client, 103), client.models[160][0]
    inverter = running.call(lambda site: site.inverters[name])
    state = inverter.state
    watts = {module.IDStr.cvalue.split()[0]: 0.0 for module in modules.module}
    for module in modules.module:
        watts[module.IDStr.cvalue.split()[0]] += module.DCW.cvalue
    near = 2 * resolution({"DCW_SF": modules.DCW_SF.cvalue}, "DCW_SF")

    assert measured["W"] == pytest.approx(state.ac_watts, abs=resolution(measured, "W_SF"))
    assert measured["DCW"] == pytest.approx(state.pv_watts - state.battery_watts, abs=resolution(measured, "DCW_SF"))
    assert measured["A"] == pytest.approx(abs(state.ac_watts) / 230, abs=resolution(measured, "A_SF"))
    assert before_wh - 50 <= measured["WH"] <= running.call(lambda site: site.inverters[name].generated_wh) + 50
    assert (measured["Hz"], measured["PhVphA"], measured["TmpSnk"]) == (50.0, 230.0, None)
    assert measured["St"] == inverter.operating_state
    assert watts.get("String", 0.0) == pytest.approx(state.pv_watts, abs=near)
    assert watts.get("StCha", 0.0) - watts.get("StDisCha", 0.0) == pytest.approx(state.battery_watts, abs=near)


@pytest.mark.parametrize("name", INVERTERS)
def test_the_nameplate_is_that_of_the_configuration(running: RunningSite, name: str) -> None:
    client, settings = scan(running, name), INVERTERS[name]
    common, rated, battery = values(client, 1), values(client, 120), settings.battery

    assert (common["Mn"], common["SN"]) == ("Virtual", f"SIM-{name}")
    assert rated["WRtg"] == values(client, 121)["WMax"] == settings.ac_rating_watts
    assert rated["WHRtg"] == (battery.capacity_wh if battery else None)
    assert rated["MaxChaRte"] == (battery.charge_watts if battery else None)
    assert rated["MaxDisChaRte"] == (battery.discharge_watts if battery else None)
    assert rated["DERTyp"] == {"east": 82, "roof": 4, "cellar": 80, "hall": 82}[name]


@pytest.mark.parametrize("name", ["east", "cellar", "hall"])
def test_the_battery_is_that_of_the_physics(running: RunningSite, name: str) -> None:
    storage = values(scan(running, name), 124)
    inverter = running.call(lambda site: site.inverters[name])

    assert storage["ChaState"] == pytest.approx(inverter.soc_percent, abs=0.1)
    assert storage["ChaSt"] == inverter.charge_state
    assert storage["WChaMax"] == max(inverter.settings.battery.charge_watts, inverter.settings.battery.discharge_watts)
    assert (storage["WChaGra"], storage["MinRsvPct"], storage["VAChaMax"]) == (100, 5.0, None)
    expected = (3, 50.0, -50.0) if name == "cellar" else (0, 100.0, 100.0)
    assert (storage["StorCtl_Mod"], storage["OutWRte"], storage["InWRte"]) == expected


def test_the_limit_is_that_of_the_controls(running: RunningSite) -> None:
    limit = values(scan(running, "roof"), 123)

    assert (limit["WMaxLimPct"], limit["WMaxLim_Ena"], limit["Conn"]) == (50.0, 1, 1)
    assert limit["OutPFSet"] is None
    assert running.call(lambda site: site.inverters["roof"].state.ac_watts) == pytest.approx(4000, abs=1)


def test_the_meter_is_that_of_the_physics(running: RunningSite) -> None:
    before = running.call(lambda site: (site.meter.export_wh, site.meter.import_wh))
    measured = values(scan(running, "meter"), 203)
    meter = running.call(lambda site: site.meter)

    assert measured["W"] == pytest.approx(meter.site_watts, abs=resolution(measured, "W_SF"))
    assert measured["WphA"] + measured["WphB"] + measured["WphC"] == pytest.approx(measured["W"], abs=200)
    assert before[0] - 100 <= measured["TotWhExp"] <= meter.export_wh + 100
    assert before[1] - 100 <= measured["TotWhImp"] <= meter.import_wh + 100


def test_two_clients_at_once_do_not_disturb_each_other(running: RunningSite) -> None:
    found: dict[str, list[Any]] = {"east": [], "roof": []}

    def scan_often(name: str) -> None:
        for _ in range(3):
            found[name].append(values(scan(running, name), 1)["SN"])

    threads = [threading.Thread(target=scan_often, args=(name,)) for name in found for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)

    assert found == {"east": ["SIM-east"] * 6, "roof": ["SIM-roof"] * 6}
