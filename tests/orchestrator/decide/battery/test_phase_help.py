"""What batteries do for a phase that would exceed its limit, and the laws of it."""

from __future__ import annotations

from collections.abc import Mapping
from math import fsum, inf
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.config.sections import SiteConfig
from orchestrator.decide.allocation.spread import Allocation, BatteryShare
from orchestrator.decide.battery.phase_help import HELPS_FROM_WATTS, PhaseHelp, help_phases
from orchestrator.decide.memory import USUAL_DRAWS_PART, ControlState
from orchestrator.decide.plant.phases import PHASES, SeenPhases, see_phases
from orchestrator.decide.plant.units import Plant, see_plant
from orchestrator.reason import because
from orchestrator.samples import BatterySample, InverterSample, MeterSample, Nameplate, SiteSnapshot
from orchestrator.setpoints.fields import SetpointFields

MOST = 3000.0
NO_LIMIT = SetpointFields()


def config_of(phases: Mapping[str, int | None]) -> SiteConfig:
    entries = [
        {"name": name, "host": "10.0.0.2", "unit_id": n, **({"phases": 3} if phase is None else {"phase": phase})}
        for n, (name, phase) in enumerate(phases.items(), 1)
    ]
    control = {"battery_power_flow": True, "limits_per_phase": True}
    return SiteConfig.model_validate(
        {"site": {"name": "s"}, "meter": {"host": "10.0.0.1"}, "inverters": entries, "control": control}
    )


class Site:
    """Battery inverters of 3 kW without PV, by name on these phases (None: on all), that do nothing now."""

    def __init__(self, phases: Mapping[str, int | None], wanted: SetpointFields, **socs: float) -> None:
        self.config, self.wanted = config_of(phases), wanted
        samples = tuple(
            InverterSample(
                name,
                0.0,
                ac_watts=0.0,
                pv_watts=0.0,
                battery=BatterySample(0.0, socs.get(name, 50.0), MOST, MOST),
                nameplate=Nameplate(ac_max_watts=MOST),
                battery_controllable=True,
                has_pv=False,
            )
            for name in phases
        )
        self.plant: Plant = see_plant(self.config, ControlState(), SiteSnapshot(0.0, None, samples), wanted)

    def see(self, *phase_watts: float) -> SeenPhases:
        meter = MeterSample(0.0, fsum(phase_watts), phase_watts=phase_watts)
        seen = see_phases(
            self.config,
            (),
            meter,
            self.plant,
            self.wanted,
            export_limit_watts=self.wanted.export_limit_watts,
            load_watts=meter.site_watts,
        )
        assert seen is not None
        return seen

    def help(self, *phase_watts: float, **shares: float) -> PhaseHelp:
        asked = {
            b.name: BatteryShare(shares.get(b.name, 0.0), because("share_by_capacity")) for b in self.plant.batteries
        }
        return help_phases(Allocation(asked), self.plant, self.see(*phase_watts), self.wanted, now_s=0.0)

    def flows(self, helped: Allocation, *phase_watts: float) -> list[float]:
        """What flows on each phase once the batteries have followed."""
        parts = self.see(*phase_watts).parts
        return [
            watts + fsum(parts[b.name][phase] * helped.watts(b.name) for b in self.plant.batteries)
            for phase, watts in enumerate(phase_watts)
        ]


def watts_of(helped: PhaseHelp, *names: str) -> list[float]:
    return [round(helped.allocation.watts(name), 3) for name in names]


EXPORT, IMPORT = SetpointFields(export_limit_watts=1500.0), SetpointFields(import_limit_watts=3000.0)


def test_a_battery_on_the_phase_takes_what_it_would_export_too_much_and_no_other_does() -> None:
    site = Site({"one": 1, "two": 2, "all": None}, EXPORT, two=0.0)

    helped = site.help(-2000.0, 0.0, 2000.0)

    assert watts_of(helped, "one", "two", "all") == [1500.0, 0.0, 0.0]
    assert helped.watts == {1: 1500.0}
    assert helped.allocation.shares["one"].reason == because("helps_its_phase", phase=1)


def test_a_battery_takes_no_more_for_its_phase_than_the_load_limit_leaves_with_its_losses() -> None:
    site = Site({"one": 1}, SetpointFields(export_limit_watts=0.0, load_limit_watts=1000.0))

    assert watts_of(site.help(-2000.0, 0.0, 0.0), "one") == [round(1000.0 / USUAL_DRAWS_PART, 3)]
    drawn_already = site.help(-2000.0, 0.0, 0.0, one=500.0)
    assert watts_of(drawn_already, "one") == [round(1000.0 / USUAL_DRAWS_PART, 3)]


def test_batteries_on_other_phases_make_up_for_it_as_far_as_these_may_export() -> None:
    site = Site({"one": 1, "two": 2}, EXPORT)

    assert watts_of(site.help(-2000.0, 0.0, 2000.0), "one", "two") == [1500.0, -500.0]


def test_a_battery_that_is_to_give_gives_less_before_it_is_charged() -> None:
    site = Site({"one": 1, "two": 2}, EXPORT)

    assert watts_of(site.help(-200.0, 0.0, 1000.0, one=-400.0, two=-400.0), "one", "two") == [-300.0, -500.0]


def test_for_an_import_batteries_charge_less_and_then_give() -> None:
    site = Site({"one": 1, "all": None}, IMPORT)

    assert watts_of(site.help(200.0, 0.0, 0.0, one=900.0), "one") == [800.0]
    assert watts_of(site.help(900.0, 0.0, 0.0, all=900.0), "one", "all") == [0.0, 300.0]
    assert watts_of(site.help(1800.0, 0.0, 0.0), "one", "all") == [-800.0, 0.0]


def test_a_battery_with_three_phases_gives_what_is_still_missing_as_far_as_the_others_may_export() -> None:
    wanted = SetpointFields(import_limit_watts=3000.0, export_limit_watts=600.0)
    site = Site({"all": None}, wanted)

    assert watts_of(site.help(1100.0, 0.0, 0.0), "all") == [-300.0]
    assert watts_of(site.help(1500.0, 0.0, 0.0), "all") == [-600.0]


def test_a_battery_with_three_phases_gives_less_where_one_of_them_would_export_too_much() -> None:
    site = Site({"all": None}, EXPORT)

    assert watts_of(site.help(-300.0, 0.0, 3000.0, all=-2700.0), "all") == [-600.0]


def test_a_meter_without_phases_is_taken_at_its_worst() -> None:
    site = Site({"one": 1}, SetpointFields(export_limit_watts=1500.0, import_limit_watts=3000.0))
    meter = MeterSample(0.0, 900.0)
    seen = see_phases(site.config, (), meter, site.plant, site.wanted, export_limit_watts=1500.0, load_watts=900.0)

    assert seen is not None
    assert not seen.is_known
    assert {(each.load_watts, each.import_load_watts) for each in seen.phases} == {(0.0, 900.0)}


def test_without_the_key_there_are_no_phases() -> None:
    plain = Site({"one": 1}, EXPORT)
    config = plain.config.model_copy(
        update={"control": plain.config.control.model_copy(update={"limits_per_phase": False})}
    )

    assert (
        see_phases(config, (), MeterSample(0.0, 0.0), plain.plant, EXPORT, export_limit_watts=1500.0, load_watts=0.0)
        is None
    )


FLOWS = st.floats(-6000, 6000)
PLACES = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from((None, 1, 2, 3)), min_size=1)
LIMITS = st.one_of(st.none(), st.floats(0, 12000))


@st.composite
def cases(draw: st.DrawFn) -> tuple[Site, tuple[float, ...], dict[str, float]]:
    places: dict[str, Any] = draw(PLACES)
    wanted = SetpointFields(export_limit_watts=draw(LIMITS), import_limit_watts=draw(LIMITS))
    socs = {name: draw(st.sampled_from((0.0, 50.0, 100.0))) for name in places}
    site = Site(places, wanted, **socs)
    rooms = {b.name: (b.discharge_room_watts(), b.charge_room_watts()) for b in site.plant.batteries}
    shares = {name: draw(st.floats(-gives, takes)) for name, (gives, takes) in rooms.items()}
    return site, draw(st.tuples(FLOWS, FLOWS, FLOWS)), shares


@settings(max_examples=30)
@given(case=cases())
def test_law_no_battery_is_asked_for_more_than_it_can_do(
    case: tuple[Site, tuple[float, ...], dict[str, float]],
) -> None:
    site, flows, shares = case
    helped = site.help(*flows, **shares)

    for battery in site.plant.batteries:
        watts = helped.allocation.watts(battery.name)
        assert -battery.discharge_room_watts() - 1e-6 <= watts <= battery.charge_room_watts() + 1e-6


@settings(max_examples=30)
@given(case=cases())
def test_law_no_phase_imports_more_than_its_limit_while_a_battery_on_it_alone_could_help(
    case: tuple[Site, tuple[float, ...], dict[str, float]],
) -> None:
    site, flows, shares = case
    helped = site.help(*flows, **shares)
    limit = inf if site.wanted.import_limit_watts is None else site.wanted.import_limit_watts / PHASES
    seen = site.see(*flows)

    for phase, watts in enumerate(site.flows(helped.allocation, *flows)):
        if watts > limit + HELPS_FROM_WATTS:
            for battery in site.plant.batteries:
                if seen.parts[battery.name][phase] == 1.0:
                    asked = helped.allocation.watts(battery.name)
                    assert asked == pytest.approx(-battery.discharge_room_watts(), abs=1e-3)


@settings(max_examples=30)
@given(case=cases())
def test_law_no_phase_exports_more_than_its_limit_while_a_battery_on_it_alone_could_help(
    case: tuple[Site, tuple[float, ...], dict[str, float]],
) -> None:
    site, flows, shares = case
    helped = site.help(*flows, **shares)
    export, most = site.wanted.export_limit_watts, site.wanted.import_limit_watts
    ends = site.flows(helped.allocation, *flows)
    seen = site.see(*flows)

    for phase, watts in enumerate(ends):
        if export is None or -watts <= export / PHASES + HELPS_FROM_WATTS:
            continue
        if most is not None and fsum(ends) >= most - PHASES * HELPS_FROM_WATTS:
            continue  # what is stored more would be imported more than the site may
        for battery in site.plant.batteries:
            if seen.parts[battery.name][phase] == 1.0:
                assert helped.allocation.watts(battery.name) == pytest.approx(battery.charge_room_watts(), abs=1e-3)


@settings(max_examples=30)
@given(case=cases())
def test_law_where_no_phase_is_beyond_a_limit_nothing_changes(
    case: tuple[Site, tuple[float, ...], dict[str, float]],
) -> None:
    site, flows, shares = case
    nothing = Allocation({n: BatteryShare(w, because("share_by_capacity")) for n, w in shares.items()})
    export = inf if site.wanted.export_limit_watts is None else site.wanted.export_limit_watts / PHASES
    most = inf if site.wanted.import_limit_watts is None else site.wanted.import_limit_watts / PHASES

    if all(-export <= watts <= most for watts in site.flows(nothing, *flows)):
        assert site.help(*flows, **shares).allocation == nothing
