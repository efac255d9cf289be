"""Each meter's profile against its virtual counterpart, which knows nothing of the profile, over real Modbus."""

from __future__ import annotations

from math import nan

import pytest

from orchestrator.devices.makes.library import load_profile, meter_profile_names
from orchestrator.explain.words import say
from orchestrator.simulation.devices.catalogue import METERS
from orchestrator.simulation.devices.meters.grid import PHASE_SHARES
from orchestrator.simulation.network.faults import Fault, FaultKind
from orchestrator.simulation.plant.meter import Phases
from orchestrator.simulation.site import METER
from tests.support.devices.made_meter import made_meter

WITHOUT_PHASES = ("eastron-sdm72", "goodwe-et", "sma", "sma-home-manager")
WITHOUT_COUNTERS = ("goodwe-et", "sungrow-sh")
WITH_FREQUENCY = (
    *("carlo-gavazzi-em24", "carlo-gavazzi-em24-e1", "carlo-gavazzi-em340", "eastron-sdm630", "janitza-umg"),
    *("kostal-ksem", "schneider-iem3000", "siemens-pac2200"),
)
WITH_VOLTS = (
    *("carlo-gavazzi-em24", "carlo-gavazzi-em24-e1", "carlo-gavazzi-em340", "eastron-sdm630", "janitza-umg"),
    *("kostal-ksem", "schneider-iem3000", "shelly-pro-3em", "siemens-pac2200", "victron-gx-grid"),
)
FLOATS = ("eastron-sdm630", "eastron-sdm72", "janitza-umg", "schneider-iem3000", "shelly-pro-3em", "siemens-pac2200")
KNOWN_BY_REGISTERS = {
    "carlo-gavazzi-em24": "carlo-gavazzi-em340",
    "carlo-gavazzi-em24-e1": "carlo-gavazzi-em340",
    "carlo-gavazzi-em340": "carlo-gavazzi-em24-e1",
    "goodwe-et": "huawei-luna",
    "huawei-luna": "sma",
    "schneider-iem3000": "siemens-pac2200",
    "shelly-pro-3em": "eastron-sdm630",
    "sma": "sma-home-manager",
    "sungrow-sh": "shelly-pro-3em",
    "victron-gx-grid": "janitza-umg",
}
"""Makes that say what they are, each with another one that is at its address."""
COUNT_WH = 100.0
"""The coarsest counter: a tenth of a kWh."""


@pytest.mark.parametrize("make", METERS)
def test_import_and_export_are_read_with_their_sign(make: str) -> None:
    with made_meter(make) as meter:
        imported_watts = meter.flow(load_watts=4000.0, pv_watts=0.0)
        at_import = meter.sample()
        exported_watts = meter.flow(load_watts=500.0, pv_watts=6000.0)
        at_export = meter.sample()

    assert (imported_watts, exported_watts) == (pytest.approx(4000.0), pytest.approx(-5500.0, abs=200.0))
    assert at_import.site_watts == pytest.approx(imported_watts, abs=2.0)
    assert at_export.site_watts == pytest.approx(exported_watts, abs=2.0)


@pytest.mark.parametrize("make", METERS)
def test_each_phase_is_read_in_its_place(make: str) -> None:
    with made_meter(make) as meter:
        watts = meter.flow(load_watts=500.0, pv_watts=6000.0)
        sample = meter.sample()

    shares = () if make in WITHOUT_PHASES else PHASE_SHARES
    assert sample.phase_watts == pytest.approx(tuple(share * watts for share in shares), abs=2.0)


@pytest.mark.parametrize("make", METERS)
def test_each_voltage_is_read_in_its_place(make: str) -> None:
    volts = (229.0, 231.5, 233.0)
    with made_meter(make) as meter:
        meter.running.call(lambda site: setattr(site, "grid", Uneven(volts)))
        meter.flow(load_watts=500.0, pv_watts=6000.0)
        sample = meter.sample()

    assert sample.phase_volts == pytest.approx(volts if make in WITH_VOLTS else (), abs=0.11)


class Uneven:
    """A grid connection whose phases have these voltages."""

    def __init__(self, volts: tuple[float, ...]) -> None:
        self._phases = Phases((), volts)

    def flow(self, *_: object) -> Phases:
        return self._phases

    def trip(self, *_: object) -> None:
        pass


@pytest.mark.parametrize("make", METERS)
def test_each_counter_runs_in_its_own_direction(make: str) -> None:
    with made_meter(make) as meter:
        meter.running.call(lambda site: setattr(site.meter, "export_wh", 2_345_600.0))
        meter.flow(load_watts=12000.0, pv_watts=0.0)
        sample = meter.sample()
        true_wh = meter.running.call(lambda site: (site.meter.import_wh, site.meter.export_wh))

    if make not in WITHOUT_COUNTERS:
        assert (sample.import_wh, sample.export_wh) == pytest.approx(true_wh, abs=COUNT_WH)
    assert sample.frequency_hz == (pytest.approx(50.0) if make in WITH_FREQUENCY else sample.frequency_hz)


@pytest.mark.parametrize("make", METERS)
def test_a_meter_that_refuses_is_a_named_fault_and_comes_back(make: str) -> None:
    with made_meter(make) as meter:
        watts = meter.flow(load_watts=4000.0, pv_watts=0.0)
        meter.sample()
        meter.running.set_fault(METER, Fault(FaultKind.EXCEPTION))
        refused = meter.report()
        meter.running.set_fault(METER, None)
        again = meter.sample()

    assert (refused.fault, refused.sample) == ("refused", None)
    assert again.site_watts == pytest.approx(watts, abs=2.0)


@pytest.mark.parametrize("make", METERS)
def test_a_meter_that_says_no_power_is_a_named_fault(make: str) -> None:
    """Not a number, or the largest one, as each make says that it has none."""
    with made_meter(make, period_s=60.0) as meter:
        meter.sample()
        none = nan if make in FLOATS else 1e12
        meter.running.call(lambda site: setattr(site.meter, "site_watts", none))
        report = meter.report()

    assert (report.fault, report.sample) == ("nonsense", None)
    assert make in say(report.why)


@pytest.mark.parametrize(("make", "other"), KNOWN_BY_REGISTERS.items())
def test_a_device_of_another_make_at_its_address_is_refused(make: str, other: str) -> None:
    with made_meter(other, driver=make) as meter:
        report = meter.report()

    assert (report.fault, report.sample) == ("wrong_device", None)
    assert make in say(report.why)


@pytest.mark.parametrize("make", meter_profile_names())
def test_a_meter_that_cannot_be_told_says_so_in_its_notes(make: str) -> None:
    notes = " ".join(load_profile(make).notes)

    assert (make in KNOWN_BY_REGISTERS) != ("Its make is not looked at" in notes)


@pytest.mark.parametrize(
    ("make", "setting", "word"),
    [
        ("carlo-gavazzi-em24", {"setting": 1}, "application H"),
        ("carlo-gavazzi-em24-e1", {"setting": 1}, "application H"),
        ("carlo-gavazzi-em340", {"setting": 0}, "measurement mode B"),
        ("schneider-iem3000", {"model": "iEM3150"}, "iEM3150"),
    ],
)
def test_a_meter_that_would_show_export_as_import_is_refused_with_what_to_do(
    make: str, setting: dict[str, object], word: str
) -> None:
    with made_meter(make) as meter:
        meter.device(**setting)
        report = meter.report()

    assert (report.fault, report.sample) == ("wrong_device", None)
    assert word in say(report.why)


@pytest.mark.parametrize(
    ("make", "lost", "fault"),
    [
        ("huawei-luna", {"is_wired": False}, "nonsense"),
        ("sma", {"is_heard": False}, "nonsense"),
        ("sma-home-manager", {"is_heard": False}, "nonsense"),
        ("victron-gx-grid", {"is_there": False}, "timeout"),
        ("shelly-pro-3em", {"is_triphase": False}, "refused"),
    ],
)
def test_what_passes_a_meter_on_and_has_lost_it_is_not_believed(make: str, lost: dict[str, object], fault: str) -> None:
    """A Huawei inverter without its meter shows 0 W, which a site without export would have too."""
    with made_meter(make) as meter:
        meter.sample()
        meter.device(**lost)
        report = meter.report()

    assert (report.fault, report.sample) == (fault, None)


def test_an_em540_in_mode_c_is_read_as_an_em340_is() -> None:
    with made_meter("carlo-gavazzi-em340") as meter:
        meter.device(model=1744, setting=2)
        watts = meter.flow(load_watts=500.0, pv_watts=6000.0)

        assert meter.sample().site_watts == pytest.approx(watts, abs=2.0)


def test_a_pac2200_without_all_phases_shows_the_sum_and_no_phase() -> None:
    with made_meter("siemens-pac2200") as meter:
        meter.device(has_all_phases=False)
        watts = meter.flow(load_watts=4000.0, pv_watts=0.0)
        sample = meter.sample()

    assert (sample.site_watts, sample.phase_watts) == (pytest.approx(watts, abs=2.0), ())


def test_registers_of_something_else_are_told_by_a_frequency_that_no_grid_has() -> None:
    with made_meter("eastron-sdm630", driver="janitza-umg") as other:
        refused = other.report()
    with made_meter("eastron-sdm630") as meter:
        meter.running.call(lambda site: site.devices[METER].grid.__setattr__("frequency_hz", 500.0))
        report = meter.report()

    assert refused.fault == "refused"
    assert (report.fault, report.sample) == ("nonsense", None)
    assert "500 Hz; is it of this make?" in say(report.why)
