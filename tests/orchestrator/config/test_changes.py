from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.commands import BatteryMode
from orchestrator.config.changes import Changes, changes_between, forgotten_sources
from orchestrator.config.sections import SiteConfig
from orchestrator.decide.memory import ControlState, InverterMemory, LimitMemory
from orchestrator.loop.presence import Presence
from orchestrator.loop.reconfiguration import HandBacks, presences_after, state_after
from tests.support.records.cycles import NAMES, site_config


def with_inverters(*inverters: dict[str, Any], **sections: Any) -> SiteConfig:
    return site_config(inverters=tuple({"host": "10.0.0.1", **inverter} for inverter in inverters), **sections)


EAST: dict[str, Any] = {"name": "east", "unit_id": 1}
WEST: dict[str, Any] = {"name": "west", "unit_id": 2}
OURS = {"battery_power_flow": True}
NOW_S = 100.0


def test_the_same_configuration_is_no_change() -> None:
    assert not changes_between(site_config(), site_config())
    assert changes_between(site_config(), site_config()).lines() == ()


def test_an_inverter_that_comes_and_one_that_goes() -> None:
    changes = changes_between(with_inverters(EAST), with_inverters(WEST))

    assert changes == Changes(added=("west",), removed=("east",), handed_back=("east",))
    assert changes.lines() == ("inverter west: added", "inverter east: removed, handed back")


@pytest.mark.parametrize("other", [{"host": "10.0.0.2"}, {"port": 503}, {"unit_id": 9}])
def test_the_same_name_at_another_address_is_another_device(other: dict[str, Any]) -> None:
    changes = changes_between(with_inverters(EAST), with_inverters(EAST | other))

    assert (changes.removed, changes.added, changes.replaced) == (("east",), ("east",), ())
    assert changes.handed_back == ("east",)
    assert changes.lines() == ("inverter east: another device now",)


def test_the_same_device_with_other_settings_is_replaced_and_not_handed_back() -> None:
    changes = changes_between(with_inverters(EAST), with_inverters(EAST | {"timeout_s": 5.0}))

    assert (changes.replaced, changes.handed_back) == (("east",), ())


@pytest.mark.parametrize(
    ("after", "control"), [(EAST | {"control": False}, {}), (EAST, {"enabled": False})], ids=["inverter", "site"]
)
def test_what_is_not_controlled_any_more_is_handed_back(after: dict[str, Any], control: dict[str, Any]) -> None:
    changes = changes_between(with_inverters(EAST), with_inverters(after, control=control))

    assert changes.handed_back == ("east",)


def test_what_was_never_controlled_is_not_handed_back() -> None:
    changes = changes_between(with_inverters(EAST | {"control": False}, WEST), with_inverters(WEST))

    assert (changes.removed, changes.handed_back) == (("east",), ())


def test_a_battery_is_left_to_itself_and_its_inverter_is_not_handed_back() -> None:
    former = with_inverters(EAST, WEST, control=OURS)
    one = changes_between(former, with_inverters(EAST | {"battery": {"control": False}}, WEST, control=OURS))
    all_of_them = changes_between(former, with_inverters(EAST, WEST))

    assert (one.freed_batteries, one.handed_back) == (("east",), ())
    assert all_of_them.freed_batteries == ("east", "west")


@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        ({"meter": {"host": "10.0.0.9"}}, Changes(meter=True)),
        ({"control": {"interval_s": 2.0}}, Changes(meter=True, site=True)),
        ({"control": {"revert_s": 90}}, Changes(site=True)),
        ({"setpoints": {"fixed": {"export_limit_watts": 1.0}}}, Changes(site=True)),
        ({"setpoints": {"mqtt": {"host": "10.0.0.5", "topic": "t"}}}, Changes(site=True, mqtt=True)),
        ({"publish": {"mqtt": {"host": "10.0.0.5", "topic": "t"}}}, Changes(mqtt=True)),
        ({"metrics": {"port": 1}}, Changes(metrics=True)),
        ({"metrics": None}, Changes(metrics=True)),
        ({"page": {"enabled": False}}, Changes(page=True)),
    ],
)
def test_each_section_touches_only_its_own_actors(sections: dict[str, Any], expected: Changes) -> None:
    assert changes_between(site_config(), site_config(**sections)) == expected


def test_every_change_is_told_in_a_line_of_its_own() -> None:
    changes = Changes(
        added=("new", "moved"),
        removed=("moved", "gone", "read"),
        replaced=("slow",),
        handed_back=("gone", "left"),
        freed_batteries=("free",),
        meter=True,
        site=True,
        mqtt=True,
        metrics=True,
        page=True,
        ledger=True,
        logging=True,
    )

    assert changes.lines() == (
        "inverter new: added",
        "inverter moved: another device now",
        "inverter gone: removed, handed back",
        "inverter read: removed",
        "inverter slow: changed",
        "inverter left: handed back, it is not controlled any more",
        "inverter free: its battery is left to itself",
        "control, setpoints or site: changed",
        "meter: changed",
        "mqtt: changed",
        "metrics: changed",
        "page: changed",
        "ledger: changed",
        "logging: changed",
    )


def test_what_cannot_change_while_the_plant_runs_is_named() -> None:
    changes = changes_between(site_config(), site_config(site={"name": "other"}, control={"state_dir": "/elsewhere"}))

    assert [text.partition(":")[0] for text in changes.needs_restart] == ["control.state_dir", "site.name"]


def test_what_was_entered_in_home_assistant_is_forgotten_once_it_is_not_served_any_more() -> None:
    mqtt = {"host": "127.0.0.1", "topic": "site/home"}
    served = site_config(publish={"mqtt": {**mqtt, "home_assistant": {}}})
    not_served = site_config(publish={"mqtt": mqtt})

    assert forgotten_sources(served, served) == ()
    assert forgotten_sources(served, not_served) == ("home_assistant",)
    assert changes_between(served, not_served) == Changes(mqtt=True, site=True)


def test_the_setpoint_of_a_source_that_is_gone_or_elsewhere_is_forgotten() -> None:
    def config(*sources: dict[str, Any]) -> SiteConfig:
        return site_config(setpoints={"mqtt": [{"host": "10.0.0.5", **source} for source in sources]})

    former = config({"name": "a", "topic": "a"}, {"name": "b", "topic": "b"}, {"name": "c", "topic": "c"})
    new = config({"name": "a", "topic": "a", "validity_s": 5.0}, {"name": "b", "topic": "elsewhere"})

    assert forgotten_sources(former, new) == ("b", "c")


inverters = st.builds(
    dict,
    unit_id=st.integers(1, 3),
    control=st.booleans(),
    timeout_s=st.sampled_from([1.0, 5.0]),
    battery=st.builds(dict, control=st.booleans()),
)
sites = st.dictionaries(st.sampled_from(NAMES), inverters, min_size=1).map(
    lambda named: with_inverters(*({"name": name, **values} for name, values in named.items()), control=OURS)
)


@given(sites, sites)
def test_after_the_change_exactly_the_new_inverters_run(former: SiteConfig, new: SiteConfig) -> None:
    changes = changes_between(former, new)
    before = {each.name: each for each in former.inverters}
    after = {each.name: each for each in new.inverters}

    assert (set(before) - set(changes.stopped)) | set(changes.started) == set(after)
    untouched = set(before) - set(changes.stopped)
    assert all(before[name] == after[name] for name in untouched)
    assert set(changes.stopped) <= set(before)
    assert set(changes.handed_back) <= {each.name for each in former.inverters if each.control}
    assert not set(changes.handed_back) & set(changes.freed_batteries)


@given(sites, sites)
def test_going_back_takes_out_what_was_brought_in(former: SiteConfig, new: SiteConfig) -> None:
    there, back = changes_between(former, new), changes_between(new, former)

    assert set(there.added) == set(back.removed)
    assert set(there.removed) == set(back.added)
    assert set(there.replaced) == set(back.replaced)


@given(sites, sites)
def test_everyone_of_the_new_site_is_expected_and_nobody_else(former: SiteConfig, new: SiteConfig) -> None:
    known = {each.name: Presence(2.0, heard_at_s=1.0, last_cycle=7) for each in former.inverters}
    changes = changes_between(former, new)
    after = presences_after(known, new, changes)

    assert list(after) == [each.name for each in new.inverters]
    for name, each in after.items():
        assert each.late == (name in changes.started)
        assert each.has_reported == (name not in changes.added)


def test_a_release_takes_the_limit_away_and_a_freed_battery_keeps_it() -> None:
    former = with_inverters(EAST, WEST, control=OURS)
    new = with_inverters(WEST | {"battery": {"control": False}}, control=OURS)
    state = ControlState(inverters={"west": InverterMemory(LimitMemory(1500.0)), "east": InverterMemory()})
    released, freed = HandBacks().begin(former, new, changes_between(former, new), state, NOW_S)

    assert (released.inverter, released.ac_limit_watts) == ("east", None)
    assert (freed.inverter, freed.ac_limit_watts) == ("west", 1500.0)
    assert all(each.battery is not None and each.battery.mode is BatteryMode.RELEASE for each in (released, freed))


def test_a_battery_that_was_never_commanded_is_not_written_when_its_inverter_is_handed_back() -> None:
    former = with_inverters(EAST | {"battery": {"control": False}}, WEST, control=OURS)
    new = with_inverters(WEST, control=OURS)
    (released,) = HandBacks().begin(former, new, changes_between(former, new), ControlState(), NOW_S)

    assert released.battery is None


def test_the_loop_forgets_those_that_are_gone_and_remembers_the_others() -> None:
    memory = {"east": InverterMemory(disconnected=True), "west": InverterMemory(LimitMemory(5.0))}
    state = state_after(ControlState(decided_at_s=3.0, inverters=memory), Changes(removed=("east",)))

    assert dict(state.inverters) == {"west": memory["west"]}
    assert state.decided_at_s == 3.0
