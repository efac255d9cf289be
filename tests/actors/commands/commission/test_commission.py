"""Commissioning of virtual devices, sound ones and others: each defect is named, and each device is left as it was."""

from __future__ import annotations

import contextlib
import io
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from actors.commands.commission.commission import CommissionOptions, commission
from actors.commands.progress import Lines
from actors.files.process import AlreadyRunning, registered
from actors.files.state_store import StateStore
from orchestrator.commissioning.report import CommissionReport
from orchestrator.commissioning.verdicts import Verdict
from orchestrator.devices.flash_budget import FlashUse, used_on
from orchestrator.devices.makes.library import load_profile
from orchestrator.simulation.devices.sunspec.register_map import Device
from orchestrator.simulation.server import RunningSite
from orchestrator.simulation.site import VirtualSite
from tests.support.commissioning import (
    NOON,
    PlantClock,
    PlantPause,
    make_to_commission,
    registers,
    settings_of,
    site_to_commission,
)
from tests.support.devices.defects import Deaf, Misscaled, NeverReverts, Reversed, RevertsEarly, ShowsLate
from tests.support.devices.quick_cases import quick_cases
from tests.support.faults import REFUSES_WRITES, fault
from tests.support.plants.virtual_site import PV_ONLY
from tests.support.servers.required import wait_until

DARK, SUNNY = False, True


def commissioned(site: RunningSite, **options: object) -> CommissionReport:
    """In the plant's own time, which passes as often as the devices are read."""
    usual = {"ask": lambda question: True, "clock": PlantClock(site), "ended": PlantPause(site)}
    wanted = CommissionOptions(**(usual | options))  # type: ignore[arg-type]
    with contextlib.redirect_stderr(io.StringIO()):
        return commission(site.config, wanted, Lines("steps", 2))


def verdicts(report: CommissionReport) -> dict[str, Verdict]:
    return {str(check.name): check.verdict for check in report.checks}


def texts(report: CommissionReport, verdict: Verdict = Verdict.UNSAFE) -> str:
    return "\n".join(f"{check.name}: {check.text}" for check in report.checks if check.verdict is verdict)


def change_a_register(virtual: VirtualSite) -> None:
    """Something that is not the default, as an installer may have left it."""
    east = virtual.devices["east"]
    east.write(east.registers.address("124.InOutWRte_RvrtTms"), (77,), 0.0)
    east.write(east.registers.address("123.WMaxLimPct"), (9000,), 0.0)
    east.writes.clear()


def test_a_sound_hybrid_passes_everything_and_is_left_as_it_was_found(tmp_path: Path) -> None:
    with site_to_commission(tmp_path, sunny=True) as site:
        site.call(change_a_register)
        found = registers(site)
        report = commissioned(site)

        assert registers(site) == found

    assert verdicts(report) == {
        "reading": Verdict.PASSED,
        "AC limit": Verdict.PASSED,
        "AC limit: revert time": Verdict.PASSED,
        "battery power": Verdict.PASSED,
        "battery power: revert time": Verdict.PASSED,
        "meter": Verdict.PASSED,
    }
    assert report.is_safe


def test_in_the_dark_an_ac_limit_is_not_tried_and_the_battery_is(tmp_path: Path) -> None:
    with site_to_commission(tmp_path) as site:
        report = commissioned(site)

    assert verdicts(report)["AC limit"] is Verdict.NOT_TRIED
    assert verdicts(report)["battery power"] is Verdict.PASSED
    assert "more sun" in texts(report, Verdict.NOT_TRIED)


@pytest.mark.long
def test_a_step_of_the_battery_leaves_a_limit_alone_that_was_found(tmp_path: Path) -> None:
    with site_to_commission(tmp_path) as site:
        site.call(limit_by_register)
        commissioned(site)
        written = site.call(lambda virtual: {name for w in virtual.devices["east"].writes for name in w.registers})

    assert "124.StorCtl_Mod" in written
    assert not [name for name in written if name.startswith("123.")]


def limit_by_register(virtual: VirtualSite) -> None:
    """An AC limit that somebody else has set."""
    east = virtual.devices["east"]
    east.write(east.registers.address("123.WMaxLimPct"), (9000, 0, 0, 0, 1), 0.0)
    east.writes.clear()


def test_a_meter_with_the_wrong_sign_is_named(tmp_path: Path) -> None:
    with site_to_commission(tmp_path, meter_sign="export_positive") as site:
        report = commissioned(site)

    assert "meter: the sign of the meter is wrong" in texts(report)
    assert verdicts(report)["battery power"] is Verdict.PASSED


@pytest.mark.long
def test_a_meter_that_counts_export_as_positive_is_right_when_site_yaml_says_so(tmp_path: Path) -> None:
    with site_to_commission(tmp_path, sign="export_positive", meter_sign="export_positive") as site:
        report = commissioned(site)

    assert verdicts(report)["meter"] is Verdict.PASSED


@pytest.mark.parametrize(
    ("defect", "sunny", "said"),
    [
        (lambda device: Misscaled(device, 100), DARK, "its scale factor is ignored, the answer is too big"),
        (lambda device: Misscaled(device, 0.01), DARK, "the answer is about 100 times too small"),
        (lambda device: Misscaled(device, 0.01), SUNNY, "AC limit: from"),
        (Deaf, DARK, "battery power: from 0 W to -500 W was asked, 0 W came: ignored; its registers do not show"),
        (NeverReverts, DARK, "battery power: revert time: its revert timer does not work"),
    ],
)
def test_a_defect_is_named_and_the_device_left_as_it_was_found(
    tmp_path: Path, defect: Callable[[Device], Device], sunny: bool, said: str
) -> None:
    with site_to_commission(tmp_path, defect, sunny=sunny) as site:
        found = registers(site)
        report = commissioned(site)

        assert registers(site) == found

    assert said in texts(report)
    assert not report.is_safe


def test_a_battery_that_takes_charging_for_discharging_is_named(tmp_path: Path) -> None:
    with site_to_commission(tmp_path, Reversed) as site:
        site.call(lambda virtual: virtual.set_pv_available("east", 4000.0))
        wait_until(lambda: site.call(lambda virtual: virtual.inverters["east"].state.battery_watts > 3900), "charging")
        found = registers(site)
        report = commissioned(site)

        assert registers(site) == found

    assert "the wrong way, its sign is wrong" in texts(report)


def test_a_device_that_returns_too_early_is_named(tmp_path: Path) -> None:
    with site_to_commission(tmp_path, RevertsEarly) as site:
        report = commissioned(site)

    assert "battery power: revert time: too early: back by itself 1" in texts(report)
    assert "with a revert time of 30 s" in texts(report)


@pytest.mark.long
def test_a_device_that_shows_late_what_it_took_is_waited_for(tmp_path: Path) -> None:
    with site_to_commission(tmp_path, ShowsLate) as site:
        found = registers(site)
        report = commissioned(site)

        assert registers(site) == found

    assert "put back" not in verdicts(report)


def test_a_device_that_refuses_is_told_from_one_that_ignores(tmp_path: Path) -> None:
    with site_to_commission(tmp_path) as site, fault(site, "east", REFUSES_WRITES):
        report = commissioned(site)

    assert "refused: the device does not take 124." in texts(report)


def test_what_is_not_controlled_or_not_wanted_is_left_alone(tmp_path: Path) -> None:
    with site_to_commission(tmp_path, inverters={"east": PV_ONLY, "west": PV_ONLY, "roof": PV_ONLY}) as site:
        config = site.config.model_copy(
            update={
                "inverters": tuple(i.model_copy(update={"control": i.name != "east"}) for i in site.config.inverters)
            }
        )
        asked: list[str] = []
        wanted = CommissionOptions(ask=lambda question: bool(asked.append(question)))
        report = commission(config, wanted, Lines("steps", 2))

        assert site.call(lambda virtual: [len(device.writes) for device in virtual.devices.values()]) == [0, 0, 0, 0]

    assert len(asked) == 2
    assert "left alone (control: false)" in texts(report, Verdict.NOT_TRIED)
    assert texts(report, Verdict.NOT_TRIED).count("not wanted") == 2


def test_only_the_inverter_that_is_named_is_tried(tmp_path: Path) -> None:
    with site_to_commission(tmp_path, inverters={"east": PV_ONLY, "west": PV_ONLY}) as site:
        report = commissioned(site, only="west")

    assert {check.inverter for check in report.checks} == {"west"}


def test_an_inverter_that_is_away_is_said_and_the_next_one_tried(tmp_path: Path) -> None:
    with site_to_commission(tmp_path, inverters={"east": PV_ONLY, "west": PV_ONLY}) as site:
        site.stop_device("east")
        report = commissioned(site)

    assert "reading: lost: 127.0.0.1" in texts(report)
    assert "west" in {check.inverter for check in report.checks}


def test_an_interrupted_trial_puts_everything_back(tmp_path: Path) -> None:
    with site_to_commission(tmp_path) as site:
        ended = PlantPause(site)
        site.call(change_a_register)
        found = registers(site)
        waiter = threading.Thread(target=lambda: _end_once_written(site, ended))
        waiter.start()
        report = commissioned(site, ended=ended)
        waiter.join()

        assert site.call(lambda virtual: len(virtual.devices["east"].writes)) > 0
        assert registers(site) == found

    assert report.interrupted


def _end_once_written(site: RunningSite, ended: threading.Event) -> None:
    wait_until(lambda: site.call(lambda virtual: virtual.devices["east"].writes), "a write to east")
    ended.set()


@pytest.mark.long
def test_what_cannot_be_put_back_is_named(tmp_path: Path) -> None:
    class ForgetsToRelease(Deaf):
        """Takes a battery command once, and nothing after it."""

        taken = 0

        def write(self, address: int, words: tuple[int, ...], now_s: float) -> object:  # type: ignore[override]
            self.taken += 1
            return self.inside.write(address, words, now_s) if self.taken <= 2 else None

        def advance(self, dt_s: float) -> None:
            """Its timers do not run either."""

    with site_to_commission(tmp_path, ForgetsToRelease) as site:  # type: ignore[arg-type]
        report = commissioned(site)

    assert "124.StorCtl_Mod" in texts(report).partition("put back: not as it was found: ")[2]


def test_beside_a_running_orchestrator_nothing_is_tried(tmp_path: Path) -> None:
    with site_to_commission(tmp_path) as site, registered(tmp_path / "state"), pytest.raises(AlreadyRunning):
        commissioned(site)


@dataclass(frozen=True)
class Expected:
    """What is said of the revert time of a make's battery, and how often its flash is written for one step.

    `said` is a pattern: the plant goes on in real time too, so a busy machine sees a time that has passed some s later.
    """

    verdict: Verdict
    said: str
    flash_writes: int = 0


BATTERY_OF = {
    "goodwe-et": Expected(
        Verdict.UNSAFE, r"it has no revert timer: [5-9]\d s after the last write the command still holds"
    ),
    "huawei-luna": Expected(Verdict.PASSED, "with a revert time of 60 s"),
    "kostal-plenticore": Expected(Verdict.PASSED, "with a revert time of 30 s"),
    "solaredge-storedge": Expected(Verdict.PASSED, "with a revert time of 30 s", flash_writes=8),
    "sma": Expected(Verdict.PASSED, "with a revert time of 60 s"),
    "sungrow-sh": Expected(Verdict.PASSED, "with a revert time of 30 s"),
    "victron-gx": Expected(Verdict.PASSED, "with a revert time of 10 s", flash_writes=2),
}


@pytest.mark.no_cover
@pytest.mark.parametrize("make", quick_cases(BATTERY_OF, ("solaredge-storedge", "sungrow-sh", "victron-gx")))
def test_the_battery_of_a_make_is_tried_in_its_own_way_and_left_as_it_was_found(tmp_path: Path, make: str) -> None:
    expected = BATTERY_OF[make]
    with make_to_commission(tmp_path, make) as site:
        found = settings_of(site, make)
        report = commissioned(site)

        assert settings_of(site, make) == found

    assert verdicts(report)["battery power"] is Verdict.PASSED
    once_only = expected.flash_writes > 0
    assert verdicts(report)["meter"] is (Verdict.UNCLEAR if once_only else Verdict.PASSED)
    assert verdicts(report)["battery power: revert time"] is expected.verdict
    assert re.search(expected.said, texts(report, expected.verdict))
    assert report.is_safe == (expected.verdict is Verdict.PASSED)
    assert flash_writes(tmp_path) == expected.flash_writes


def flash_writes(folder: Path) -> int:
    return used_on(StateStore(folder / "state").load_flash_use("east"), NOON).writes


AC_LIMIT_OF = {
    "huawei-luna": Expected(Verdict.UNSAFE, "AC limit: revert time: it has no revert timer", flash_writes=2),
    "kostal-plenticore": Expected(Verdict.UNSAFE, "AC limit: revert time: its revert timer does not work"),
    "solaredge-storedge": Expected(Verdict.PASSED, "from 3880 W to 3000 W was asked", flash_writes=8),
}


@pytest.mark.no_cover
@pytest.mark.parametrize("make", quick_cases(AC_LIMIT_OF, ("solaredge-storedge",)))
def test_the_ac_limit_of_a_make_is_tried_in_its_own_way_and_left_as_it_was_found(tmp_path: Path, make: str) -> None:
    expected = AC_LIMIT_OF[make]
    with make_to_commission(tmp_path, make, sunny=True) as site:
        found = settings_of(site, make)
        report = commissioned(site)

        assert settings_of(site, make) == found

    assert verdicts(report)["AC limit"] is Verdict.PASSED
    assert verdicts(report)["meter"] is Verdict.PASSED
    assert verdicts(report)["AC limit: revert time"] is expected.verdict
    assert re.search(expected.said, texts(report, expected.verdict))
    assert flash_writes(tmp_path) == expected.flash_writes


INTERRUPTED = ("goodwe-et", "huawei-luna", "kostal-plenticore", "solaredge-storedge", "victron-gx")


@pytest.mark.parametrize("make", quick_cases(INTERRUPTED, ("huawei-luna",)))
def test_a_make_that_is_interrupted_is_as_it_was_found_within_a_minute(tmp_path: Path, make: str) -> None:
    """A minute, because what was written to a KOSTAL lapses and cannot be taken back."""
    with make_to_commission(tmp_path, make) as site:
        found = settings_of(site, make)
        ended = PlantPause(site)
        waiter = threading.Thread(target=lambda: _end_once_written(site, ended))
        waiter.start()
        report = commissioned(site, ended=ended)
        waiter.join()
        site.call(lambda virtual: virtual.advance(60.0))

        assert settings_of(site, make) == found

    assert report.interrupted
    assert "put back" not in verdicts(report)


def test_of_what_a_device_does_not_show_the_report_says_that_it_was_released(tmp_path: Path) -> None:
    with make_to_commission(tmp_path, "sma") as site:
        ended = PlantPause(site)
        waiter = threading.Thread(target=lambda: _end_once_written(site, ended))
        waiter.start()
        report = commissioned(site, ended=ended)
        waiter.join()

        assert site.call(lambda virtual: virtual.inverters["east"].controls.high_watts) != -500.0

    assert report.interrupted
    assert "put back: released, because the device does not show all of it: ac_set_point" in texts(
        report, Verdict.UNCLEAR
    )


def test_when_the_day_of_the_flash_is_used_up_a_step_is_not_tried(tmp_path: Path) -> None:
    per_day = load_profile("solaredge-storedge").flash_writes_per_day or 0
    today = (NOON.date() - date(1970, 1, 1)).days
    StateStore(tmp_path / "state").save_flash_use("east", FlashUse(today, per_day))
    with make_to_commission(tmp_path, "solaredge-storedge") as site:
        report = commissioned(site)

        assert site.call(lambda virtual: virtual.devices["east"].writes) == []

    assert verdicts(report)["battery power"] is Verdict.NOT_TRIED
    assert "today's budget of writes to its flash is used up" in texts(report, Verdict.NOT_TRIED)
