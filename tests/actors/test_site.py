from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from actors.actor import Surroundings
from actors.clock import ManualClock
from actors.messages import (
    Acknowledged,
    Command,
    Event,
    Read,
    Release,
    Report,
    SetpointReceived,
    SetpointWithdrawn,
    Stop,
    Tick,
)
from actors.observer import NoObserver
from actors.site import SiteActor
from orchestrator.config.sections import SiteConfig
from orchestrator.cycle import CycleResult
from orchestrator.samples import BatterySample, InverterSample, MeterSample, Nameplate
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import Setpoint
from tests.support.inboxes import Inbox


def site_config(inverter: dict[str, Any] | None = None, **control: Any) -> SiteConfig:
    return SiteConfig.model_validate(
        {
            "site": {"name": "home"},
            "meter": {"host": "127.0.0.1"},
            "inverters": tuple(
                {"name": name, "host": "127.0.0.1", "port": 502, "unit_id": 1, **(inverter or {})}
                for name in ("east", "west")
            ),
            "control": {"battery_power_flow": True, **control},
            "setpoints": {"fixed": {"export_limit_watts": 5000.0}, "mqtt": ({"host": "127.0.0.1", "topic": "t"},)},
        }
    )


class Bench:
    """A site actor without a thread, between inboxes; the test moves the clock and plays the devices."""

    def __init__(self, config: SiteConfig | None = None) -> None:
        self.clock = ManualClock()
        self.config = config or site_config()
        self.inverters = {inverter.name: Inbox() for inverter in self.config.inverters}
        self.listener = Inbox()
        surroundings = Surroundings(self.clock, NoObserver(), Inbox())
        self.site = SiteActor(surroundings, self.config, self.inverters, (self.listener,), {})
        self._watts = self._changed_s = 0.0

    def tell(self, message: Any) -> None:
        """Have the site handle `message`, and whatever it told itself meanwhile."""
        self.site.actor_ref.tell(message)
        self._drain()

    def _drain(self) -> None:
        while not self.site.actor_inbox.empty():
            self.site.on_receive(self.site.actor_inbox.get().message)

    def advance(self, seconds: float) -> None:
        """Let time pass; every timer is handled at its own time."""
        end_s = self.clock.now_s() + seconds
        while (due_s := self.clock.next_due_s()) is not None and due_s <= end_s:
            self.clock.advance(due_s - self.clock.now_s())
            self._drain()
        self.clock.advance(end_s - self.clock.now_s())

    def meter(self, watts: float | None = None) -> None:
        """A meter sample: a new value, unless `watts` is None."""
        now_s = self.clock.now_s()
        if watts is not None:
            self._watts, self._changed_s = watts, now_s
        self.tell(Report("meter", 0, MeterSample(now_s, self._watts, changed_at_s=self._changed_s)))

    def report(self, name: str, cycle: int | None = None) -> None:
        """An inverter's sample for `cycle`, or for the newest cycle that it was asked for."""
        self.tell(Report(name, self.cycle if cycle is None else cycle, sample(name, self.clock.now_s())))

    def fault(self, name: str) -> None:
        self.tell(Report(name, self.cycle, fault="timeout"))

    def round(self, *names: str, watts: float) -> None:
        """One cycle: a new meter value, then the reports of `names`."""
        self.meter(watts)
        for name in names:
            self.report(name)

    @property
    def cycle(self) -> int:
        return next(iter(self.inverters.values())).of(Read)[-1].cycle

    @property
    def results(self) -> list[CycleResult]:
        return self.listener.of(CycleResult)

    def commands(self, name: str) -> list[Command]:
        return self.inverters[name].of(Command)


def sample(name: str, at_s: float) -> InverterSample:
    battery = BatterySample(0.0, 50.0, 5000.0, 5000.0, 10000.0, grid_charging_allowed=False)
    return InverterSample(
        name,
        at_s,
        ac_watts=1000.0,
        pv_watts=1000.0,
        battery=battery,
        nameplate=Nameplate(ac_max_watts=5000.0),
        connected=True,
        battery_controllable=True,
    )


@pytest.fixture
def bench() -> Bench:
    """A site whose devices have all been heard once, one second ago."""
    bench = Bench()
    bench.tell(Tick())
    bench.round("east", "west", watts=100.0)
    bench.advance(1.0)
    bench.round("east", "west", watts=101.0)
    for inbox in (bench.listener, *bench.inverters.values()):
        inbox.messages[:] = inbox.of(Read)
    return bench


def reads(bench: Bench) -> int:
    return len(bench.inverters["east"].of(Read))


def test_the_first_tick_asks_every_inverter_to_read() -> None:
    bench = Bench()
    bench.tell(Tick())

    assert [len(inbox.of(Read)) for inbox in bench.inverters.values()] == [1, 1]


def test_a_new_meter_value_begins_a_cycle_half_an_interval_after_the_last(bench: Bench) -> None:
    before = reads(bench)
    bench.advance(0.5)
    bench.meter(200.0)

    assert reads(bench) == before + 1


def test_a_new_meter_value_that_comes_too_early_waits_for_the_next_poll_and_no_longer(bench: Bench) -> None:
    before = reads(bench)
    bench.advance(0.25)
    bench.meter(200.0)
    bench.advance(0.29)
    assert reads(bench) == before

    bench.advance(0.02)
    assert reads(bench) == before + 1


def test_a_cycle_begins_with_a_value_that_has_just_come(bench: Bench) -> None:
    before = reads(bench)
    bench.advance(0.25)
    bench.meter(200.0)
    bench.advance(0.26)
    bench.meter(300.0)

    assert reads(bench) == before + 1


def test_an_unchanged_meter_value_begins_no_cycle(bench: Bench) -> None:
    before = reads(bench)
    bench.advance(0.9)
    bench.meter()

    assert reads(bench) == before


def test_without_a_new_value_the_watchdog_begins_the_cycle_after_one_and_a_quarter_intervals(bench: Bench) -> None:
    before = reads(bench)
    bench.advance(1.24)
    assert reads(bench) == before

    bench.advance(0.02)
    assert reads(bench) == before + 1


def test_it_is_decided_as_soon_as_all_have_reported(bench: Bench) -> None:
    bench.advance(1.0)
    bench.meter(200.0)
    bench.report("east")
    assert bench.results == []

    bench.report("west")

    assert len(bench.results) == 1
    assert bench.results[0].mode == "normal"
    assert [len(bench.commands(name)) for name in ("east", "west")] == [1, 1]


def test_what_site_yaml_says_of_an_inverter_holds_and_is_said_where_it_binds() -> None:
    stated = {"battery": {"charge_max_watts": 1200.0}}
    bench = Bench(site_config(stated))
    bench.tell(Tick())
    bench.round("east", "west", watts=-6000.0)
    command = bench.commands("east")[-1].command

    assert command.battery is not None
    assert command.battery.watts == 1200.0
    assert command.reasons[0] == "charge 1200 W: at its power limit of 1200 W, charge_max_watts (site.yaml)"


def test_a_battery_that_site_yaml_leaves_alone_is_not_commanded() -> None:
    bench = Bench(site_config({"battery": {"control": False}}))
    bench.tell(Tick())
    bench.round("east", "west", watts=-6000.0)

    assert bench.commands("east")[-1].command.battery is None


def test_a_slow_inverter_delays_the_decision_by_a_third_of_a_second_at_most(bench: Bench) -> None:
    bench.advance(1.0)
    bench.round("east", watts=200.0)
    bench.advance(0.29)
    assert bench.results == []

    bench.advance(0.02)

    assert len(bench.results) == 1
    assert bench.results[0].snapshot.away == ()


def test_an_inverter_whose_reports_come_late_stays_in_with_its_newest_sample(bench: Bench) -> None:
    for watts in (200.0, 300.0, 400.0, 500.0):
        bench.advance(0.1)
        bench.report("west")
        bench.advance(0.5)
        bench.round("east", watts=watts)
        bench.advance(0.31)

    assert len(bench.results) == 4
    assert all(result.snapshot.away == () for result in bench.results)


def test_an_inverter_that_was_too_slow_is_not_waited_for_until_it_is_in_time_again(bench: Bench) -> None:
    def decided_at_once() -> bool:
        bench.advance(0.6)
        before = len(bench.results)
        bench.round("east", watts=bench.clock.now_s())
        return len(bench.results) == before + 1

    decisions = [decided_at_once()]
    bench.advance(0.4)
    bench.report("west")
    decisions.append(decided_at_once())
    bench.report("west", bench.cycle - 1)
    decisions.append(decided_at_once())
    bench.report("west")
    decisions.append(decided_at_once())

    assert decisions == [False, True, True, False]


def test_an_inverter_that_says_nothing_costs_one_wait_only(bench: Bench) -> None:
    bench.advance(0.6)
    bench.round("east", watts=200.0)
    bench.advance(0.6)
    bench.round("east", watts=300.0)

    assert len(bench.results) == 2
    assert bench.results[-1].snapshot.away == ()


def test_the_end_of_an_earlier_wait_does_not_end_that_of_the_present_cycle() -> None:
    bench = Bench(site_config(interval_s=0.2))
    bench.tell(Tick())
    bench.round("east", "west", watts=100.0)
    bench.advance(0.2)
    bench.round("east", watts=200.0)
    assert len(bench.results) == 1

    bench.advance(0.15)

    assert len(bench.results) == 1


def test_a_failed_attempt_counts_as_an_answer_and_leaves_the_inverter_out(bench: Bench) -> None:
    bench.advance(1.0)
    bench.round("east", watts=200.0)
    bench.fault("west")

    assert bench.results[-1].snapshot.away == ("west",)
    assert [command.inverter for command in bench.results[-1].commands] == ["east"]


def test_an_inverter_that_is_away_is_still_asked_and_never_waited_for(bench: Bench) -> None:
    bench.advance(1.0)
    bench.round("east", watts=200.0)
    bench.fault("west")
    before = len(bench.inverters["west"].of(Read))
    bench.advance(0.6)

    bench.round("east", watts=300.0)

    assert len(bench.results) == 2
    assert len(bench.inverters["west"].of(Read)) == before + 1


def test_an_inverter_that_is_back_is_commanded_in_the_same_cycle(bench: Bench) -> None:
    bench.advance(1.0)
    bench.round("east", watts=200.0)
    bench.fault("west")
    bench.advance(0.6)
    bench.meter(300.0)
    bench.report("west")
    bench.report("east")

    assert bench.results[-1].snapshot.away == ()


def test_two_intervals_without_a_word_make_an_inverter_away(bench: Bench) -> None:
    away = []
    for watts in (200.0, 300.0, 400.0):
        bench.advance(0.5)
        bench.round("east", watts=watts)
        bench.advance(0.31)
        away.append(bench.results[-1].snapshot.away)

    assert away == [(), (), ("west",)]


def test_a_silent_meter_is_missing_from_the_snapshot_after_three_periods(bench: Bench) -> None:
    for _ in range(6):
        bench.advance(0.5)
        for name in bench.inverters:
            bench.report(name)
    assert bench.results[-1].snapshot.meter is not None

    bench.advance(1.3)
    for name in bench.inverters:
        bench.report(name)

    assert bench.results[-1].snapshot.meter is None
    assert bench.results[-1].mode == "failsafe"


def test_commands_carry_the_time_of_their_decision(bench: Bench) -> None:
    bench.advance(1.0)
    bench.round("east", "west", watts=200.0)

    assert bench.commands("east")[-1].issued_at_s == bench.clock.now_s()


def test_shadow_mode_decides_and_tells_and_commands_nobody() -> None:
    bench = Bench(site_config(enabled=False))
    bench.tell(Tick())
    bench.round("east", "west", watts=100.0)

    assert len(bench.results[-1].commands) == 2
    assert bench.commands("east") == bench.commands("west") == []

    assert stop(bench)()
    assert bench.inverters["east"].of(Release) == []


def test_an_inverter_that_may_not_be_controlled_is_never_commanded() -> None:
    config = site_config()
    east = config.inverters[0].model_copy(update={"control": False})
    bench = Bench(config.model_copy(update={"inverters": (east, config.inverters[1])}))
    bench.tell(Tick())
    bench.round("east", "west", watts=100.0)

    assert bench.commands("east") == []
    assert len(bench.commands("west")) == 1


def test_nothing_is_commanded_before_every_device_has_been_heard_once() -> None:
    bench = Bench()
    bench.tell(Tick())
    bench.meter(100.0)
    bench.report("east")
    bench.advance(0.4)

    assert bench.results[-1].mode == "waiting"
    assert bench.commands("east") == []


def test_after_three_seconds_it_goes_on_with_what_is_there() -> None:
    bench = Bench()
    bench.tell(Tick())
    for watts in range(8):
        bench.meter(float(watts))
        bench.report("east")
        bench.advance(0.5)

    assert bench.results[-1].mode == "normal"
    assert bench.results[-1].snapshot.away == ("west",)
    assert bench.commands("east")


def limit(watts: float, expires_at_s: float | None = None) -> SetpointReceived:
    return SetpointReceived(Setpoint("mqtt", SetpointFields(export_limit_watts=watts), expires_at_s=expires_at_s))


def test_a_limit_that_falls_is_decided_on_at_once(bench: Bench) -> None:
    bench.advance(0.3)
    bench.tell(limit(0.0))

    assert len(bench.results) == 1
    assert bench.results[0].envelope.fields.export_limit_watts == 0.0


def test_falling_limits_are_decided_on_five_times_a_second_at_most_and_the_last_one_holds(bench: Bench) -> None:
    bench.advance(0.3)
    for watts in range(100, 0, -1):
        bench.tell(limit(float(watts)))
        bench.advance(0.001)
    bench.advance(0.12)

    assert len(bench.results) == 2
    assert bench.results[-1].envelope.fields.export_limit_watts == 1.0


@pytest.mark.parametrize(
    "message",
    [limit(9000.0), SetpointWithdrawn("mqtt"), SetpointReceived(Setpoint("mqtt", SetpointFields()))],
    ids=["a higher limit", "a withdrawal", "an empty setpoint"],
)
def test_what_limits_no_further_waits_for_the_next_cycle(bench: Bench, message: Any) -> None:
    bench.advance(0.3)
    bench.tell(message)
    bench.advance(0.3)

    assert bench.results == []


def test_a_withdrawn_setpoint_is_gone_with_the_next_cycle(bench: Bench) -> None:
    bench.tell(limit(0.0))
    bench.tell(SetpointWithdrawn("mqtt"))
    bench.advance(1.0)
    bench.round("east", "west", watts=200.0)

    assert bench.results[-1].envelope.fields.export_limit_watts == 5000.0


def test_a_default_that_is_stricter_comes_into_force_the_moment_a_setpoint_expires() -> None:
    config = site_config()
    source = config.setpoints.mqtt[0].model_copy(update={"default": limit_values(0.0)})
    setpoints = config.setpoints.model_copy(update={"mqtt": (source,)})
    bench = Bench(config.model_copy(update={"setpoints": setpoints}))
    bench.tell(Tick())
    for _ in range(2):
        bench.tell(limit(4000.0, expires_at_s=bench.clock.now_s() + 1.1))
        bench.round("east", "west", watts=bench.clock.now_s())
        bench.advance(1.09)
        assert bench.results[-1].envelope.fields.export_limit_watts == 4000.0

        bench.advance(0.02)

        assert bench.results[-1].envelope.fields.export_limit_watts == 0.0


def limit_values(watts: float) -> Any:
    return site_config().setpoints.fixed.model_copy(update={"export_limit_watts": watts})


def test_setpoints_outlive_a_restart_of_the_site() -> None:
    bench = Bench()
    kept: dict[str, Setpoint] = {}
    surroundings = Surroundings(bench.clock, NoObserver(), Inbox())
    first = SiteActor(surroundings, bench.config, bench.inverters, (), kept)
    first.receive(limit(0.0))
    bench.site = SiteActor(surroundings, bench.config, bench.inverters, (bench.listener,), kept)
    bench.tell(Tick())
    bench.round("east", "west", watts=100.0)

    assert bench.results[-1].envelope.fields.export_limit_watts == 0.0


def test_events_and_acknowledgements_go_on_to_the_listeners(bench: Bench) -> None:
    messages = [Event("command_ignored", "east", "x"), Acknowledged("east", 1.0, 2.0, 3)]
    for message in messages:
        bench.tell(message)

    assert bench.listener.messages == messages


def stop(bench: Bench) -> Callable[[], bool]:
    done = threading.Event()
    bench.tell(Stop(done))
    return done.is_set


def acknowledge(bench: Bench, name: str) -> None:
    bench.tell(Acknowledged(name, bench.clock.now_s(), bench.clock.now_s(), 1, released=True))


def test_stop_releases_every_inverter_and_is_done_when_all_have_answered(bench: Bench) -> None:
    is_done = stop(bench)
    assert [len(inbox.of(Release)) for inbox in bench.inverters.values()] == [1, 1]
    acknowledge(bench, "east")
    bench.tell(Acknowledged("west", 0.0, 0.0, 1))
    assert not is_done()

    acknowledge(bench, "west")

    assert is_done()


def test_after_stop_nothing_is_decided_any_more(bench: Bench) -> None:
    bench.advance(0.5)
    bench.meter(200.0)
    stop(bench)
    bench.report("east")
    bench.report("west")
    bench.tell(limit(0.0))
    bench.advance(10.0)
    bench.meter(300.0)

    assert bench.results == []
    assert bench.commands("east") == []


def test_a_fault_of_the_meter_is_said_once_when_it_begins(bench: Bench) -> None:
    bench.advance(6.0)
    assert [e.name for e in bench.listener.of(Event)] == ["meter_silent"]

    bench.meter(100.0)
    bench.advance(2.0)
    bench.advance(6.0)
    assert [e.name for e in bench.listener.of(Event)] == ["meter_silent", "meter_silent"]
