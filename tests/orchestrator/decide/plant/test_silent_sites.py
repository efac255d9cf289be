"""What silent sites may do is taken from the limits of the others, where nobody sees them."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.config.sections import SiteConfig
from orchestrator.decide.memory import InverterMemory, LimitMemory
from orchestrator.decide.plant.silent_sites import NOTHING_UNSEEN, Unseen, unseen
from orchestrator.samples import BatterySample, InverterSample, Nameplate, SiteBounds, SiteSnapshot
from orchestrator.setpoints.fields import SetpointFields

REVERT_S = 60
LIMITS = SetpointFields(export_limit_watts=9000.0, import_limit_watts=9000.0)


def portfolio(meter: str = "sum") -> SiteConfig:
    meters = {"sum": {"driver": "sum"}, "own": {"driver": "mqtt", "host": "127.0.0.1", "topic": "meter"}}
    sites = [{"name": name, "driver": "site", "host": "127.0.0.1", "topic": name} for name in ("north", "south")]
    sites[1]["ac_max_watts"] = 7000  # type: ignore[assignment]
    return SiteConfig.model_validate(
        {"site": {"name": "v"}, "meter": meters[meter], "inverters": sites, "control": {"revert_s": REVERT_S}}
    )


def south(site_watts: float = -1000.0, **values: Any) -> InverterSample:
    bounds = {each: values.pop(each) for each in SiteBounds.__struct_fields__ if each in values}
    given: dict[str, Any] = {"ac_watts": 2000.0, "pv_watts": 2000.0, "ac_limit_watts": 3000.0}
    return InverterSample(
        "south",
        0.0,
        nameplate=Nameplate(ac_max_watts=5000.0),
        site=SiteBounds(site_watts, **bounds),
        **(given | values),
    )


def seen(sample: InverterSample, away_s: float = 5.0, commanded_watts: float | None = 3000.0) -> Unseen:
    memories = {"south": InverterMemory(away=True, limit=LimitMemory(commanded_watts))}
    snapshot = SiteSnapshot(away_s, None, (), ("south",), (sample,))
    return unseen(portfolio(), memories, snapshot, LIMITS, away_s)


@pytest.mark.parametrize(
    ("away_s", "sample", "commanded_watts", "exported"),
    [
        (5.0, south(), 3000.0, 3000),
        (5.0, south(), 4000.0, 4000),  # whether the last command came is not known
        (5.0, south(), None, 5000),
        (5.0, south(export_limit_watts=500.0), 3000.0, 500),
        (5.0, south(export_limit_after_watts=500.0), 3000.0, 3000),
        (40.0, south(), 3000.0, 5000),  # it may have ended
        (40.0, south(export_limit_after_watts=500.0), 3000.0, 3000),  # or not
        (80.0, south(export_limit_after_watts=500.0), 3000.0, 500),
        (80.0, south(), 3000.0, 5000),
    ],
)
def test_all_that_it_may_export_is_counted(
    away_s: float, sample: InverterSample, commanded_watts: float | None, exported: float
) -> None:
    assert seen(sample, away_s, commanded_watts).export_watts == exported


def test_nothing_is_counted_that_nobody_limits() -> None:
    snapshot = SiteSnapshot(5.0, None, (), ("south",), (south(),))

    assert unseen(portfolio(), {}, snapshot, SetpointFields(), 5.0) == NOTHING_UNSEEN


def test_what_it_may_import_is_taken_from_the_import_limit() -> None:
    battery = BatterySample(500.0, charge_max_watts=4000.0, grid_charging_allowed=True)

    assert seen(south(1500.0)).import_watts == 3500  # its PV may be gone
    assert seen(south(1500.0, battery=battery)).import_watts == 7000
    assert seen(south(1500.0, import_limit_watts=2000.0)).import_watts == 2000


def test_it_is_taken_from_the_import_limit_of_the_others_whose_meter_hides_its_export() -> None:
    both = Unseen(3000.0, 2000.0)

    assert both.left_of(LIMITS) == SetpointFields(export_limit_watts=9000.0, import_limit_watts=4000.0)
    assert both.left_of(SetpointFields(import_limit_watts=1000.0)).import_limit_watts == 0


def test_the_others_do_what_is_left_of_a_target_while_its_command_holds() -> None:
    target = SetpointFields(battery_target_watts=-5000.0)
    sample = south(battery=BatterySample(-2000.0))

    def left(away_s: float) -> float | None:
        snapshot = SiteSnapshot(away_s, None, (), ("south",), (sample,))
        return unseen(portfolio(), {}, snapshot, target, away_s).left_of(target).battery_target_watts

    assert (left(5.0), left(40.0)) == (-3000, -5000)


def test_one_that_was_never_heard_counts_as_site_yaml_says() -> None:
    snapshot = SiteSnapshot(5.0, None, (), ("south",), ())

    assert unseen(portfolio(), {}, snapshot, LIMITS, 5.0).export_watts == 7000


def test_a_meter_of_its_own_sees_them_all() -> None:
    snapshot = SiteSnapshot(5.0, None, (), ("south",), (south(),))

    assert unseen(portfolio("own"), {}, snapshot, LIMITS, 5.0) == NOTHING_UNSEEN
