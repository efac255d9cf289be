"""The loop in virtual time: what it sees of a faulty plant, and what reaches the plant."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.config.sections import ControlConfig, FailsafeConfig, SiteConfig
from orchestrator.config.simulation import InverterSimulation, LoadSimulation, MeterSimulation
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import Setpoint
from orchestrator.simulation.network.virtual import InverterFault, MeterDefect
from orchestrator.simulation.virtual_time import VirtualTime
from tests.support.plants.virtual_site import BATTERY_ONLY, PV_ONLY, site_config

pytestmark = pytest.mark.no_cover  # whole plants over time: tracing them takes several times as long

LOAD_WATTS = 1000.0
SILENCING = (InverterFault.OFFLINE, InverterFault.EXCEPTIONS, InverterFault.RESETTING, InverterFault.SILENT)


def site(
    inverters: dict[str, InverterSimulation] | None = None, noise_watts: float = 20.0, **control: Any
) -> SiteConfig:
    config = site_config(
        inverters or {"roof": PV_ONLY, "cellar": BATTERY_ONLY},
        load=LoadSimulation(base_watts=LOAD_WATTS, variation_watts=0.0, noise_watts=noise_watts),
        meter=MeterSimulation(period_s=1.0),
    )
    return config.model_copy(update={"control": ControlConfig(**{"battery_power_flow": True, **control})})


def loop_of(config: SiteConfig, pv_watts: float = 5000.0) -> VirtualTime:
    loop = VirtualTime(config)
    loop.site.set_pv_available("roof", pv_watts)
    return loop


def limited(export_limit_watts: float, ends_s: float | None = None) -> Setpoint:
    return Setpoint("manual", SetpointFields(export_limit_watts=export_limit_watts), 0.0, ends_s)


def answering(loop: VirtualTime) -> list[bool]:
    """Whether the roof was seen, in each moment so far."""
    return [m.result is not None and m.result.snapshot.inverter("roof") is not None for m in loop.history]


def test_a_sample_is_what_was_true_a_latency_ago() -> None:
    slow = PV_ONLY.model_copy(update={"latency_s": 0.4})
    loop = loop_of(site({"roof": slow, "cellar": BATTERY_ONLY}))
    loop.run(5)
    loop.site.inverters["roof"].state = loop.site.inverters["roof"].state.__class__()
    moment = loop.run(1)[0]

    assert moment.result is not None
    sample = moment.result.snapshot.inverter("roof")
    assert sample is not None
    assert sample.ac_watts is not None
    assert sample.ac_watts < moment.powers[0].ac_watts
    assert sample.at_s == moment.at_s


def test_jitter_is_the_same_for_the_same_seed() -> None:
    shaky = PV_ONLY.model_copy(update={"latency_s": 0.2, "jitter_s": 0.15})
    first, second = (loop_of(site({"roof": shaky, "cellar": BATTERY_ONLY})) for _ in range(2))

    assert first.run(30) == second.run(30)


@pytest.mark.parametrize(
    ("fault", "known_after_s"),
    [
        (InverterFault.OFFLINE, 1),
        (InverterFault.EXCEPTIONS, 1),
        (InverterFault.RESETTING, 1),
        (InverterFault.SILENT, 3),
    ],
)
def test_an_inverter_that_does_not_answer_is_away_and_comes_back(fault: InverterFault, known_after_s: int) -> None:
    loop = loop_of(site())
    loop.run(10)
    loop.inverter_faults["roof"] = fault
    loop.run(10)
    loop.inverter_faults.clear()
    loop.run(3)

    seen = answering(loop)
    assert all(seen[:10])
    assert not any(seen[10 + known_after_s - 1 : 20])
    assert all(seen[20:])


@pytest.mark.parametrize(("fault", "arrives"), [(fault, fault is InverterFault.RESETTING) for fault in SILENCING])
def test_commands_reach_only_a_device_that_takes_requests(fault: InverterFault, arrives: bool) -> None:
    loop = loop_of(site({"roof": PV_ONLY}))
    loop.run(5)
    loop.inverter_faults["roof"] = fault
    loop.receive(limited(0.0))  # decided on at once, from the sample of a moment ago
    loop.run(5)

    assert (loop.site.inverters["roof"].controls.ac_limit_watts is not None) is arrives


def test_what_is_under_way_is_lost_with_the_connection() -> None:
    loop = loop_of(site({"roof": PV_ONLY}))
    loop.run(5)
    loop.receive(limited(0.0))
    loop.inverter_faults["roof"] = InverterFault.OFFLINE
    loop.run(5)

    assert loop.site.inverters["roof"].controls.ac_limit_watts is None


def test_a_command_to_a_deaf_device_does_not_arrive_later() -> None:
    loop = loop_of(site({"roof": PV_ONLY}))
    loop.run(5)
    loop.inverter_faults["roof"] = InverterFault.OFFLINE
    loop.receive(limited(0.0))
    loop.inverter_faults.clear()
    loop.kill()
    loop.run(5)

    assert loop.site.inverters["roof"].controls.ac_limit_watts is None


def test_a_frozen_inverter_shows_the_same_for_ever_and_goes_on_obeying() -> None:
    loop = loop_of(site({"roof": PV_ONLY}))
    loop.run(10)
    loop.inverter_faults["roof"] = InverterFault.FROZEN
    loop.receive(Setpoint("manual", SetpointFields(energize=False)))
    moments = loop.run(10)

    samples = [m.result.snapshot.inverter("roof") for m in moments if m.result]
    assert len({s.ac_watts for s in samples if s}) == 1
    assert [s.at_s for s in samples if s] == [m.at_s for m in moments]
    assert moments[-1].powers[0].ac_watts == pytest.approx(0, abs=1)


def test_a_silent_frozen_or_reversed_meter_says_so_only_by_its_values() -> None:
    loop = loop_of(site())
    loop.run(5)
    said = {}
    for fault in MeterDefect:
        loop.meter_fault = fault
        loop.site.set_load(7000.0)
        result = loop.run(1)[0].result
        assert result is not None
        said[fault] = result.snapshot.meter
        loop.meter_fault = None
        loop.site.set_load(None)
        loop.run(3)

    silent, frozen, reverse = (said[fault] for fault in MeterDefect)
    assert silent is not None
    assert frozen is not None
    assert reverse is not None
    assert silent.at_s == 5.0
    assert silent.site_watts < 0 < frozen.at_s
    assert frozen.changed_at_s < frozen.at_s
    assert reverse.site_watts < -1000  # 7 kW of load is an import in truth


def test_a_meter_that_is_mounted_the_wrong_way_round_counts_the_wrong_way_too() -> None:
    loop = loop_of(site({"roof": PV_ONLY}))
    loop.meter_fault = MeterDefect.REVERSED
    result = loop.run(60)[-1].result

    assert result is not None
    assert result.snapshot.meter is not None
    assert result.snapshot.meter.import_wh == loop.site.meter.export_wh > loop.site.meter.import_wh


@pytest.mark.parametrize(("sign", "orientation"), [("import_positive", 1), ("export_positive", -1)])
def test_a_meter_of_either_sign_is_understood_by_its_counters(sign: Any, orientation: int) -> None:
    config = site({"roof": PV_ONLY})
    assert config.simulation is not None
    meter = config.simulation.meter.model_copy(update={"sign": sign})
    simulation = config.simulation.model_copy(update={"meter": meter})
    loop = loop_of(config.model_copy(update={"simulation": simulation}), pv_watts=0.0)
    moment = loop.run(40)[-1]

    assert moment.result is not None
    assert moment.result.snapshot.meter is not None
    assert moment.result.snapshot.meter.orientation == orientation
    assert moment.result.snapshot.meter.site_watts == pytest.approx(moment.site_watts, abs=1)
    assert moment.site_watts > 500


def test_a_reversed_meter_is_turned_for_good_and_the_plant_goes_on() -> None:
    loop = loop_of(site({"roof": PV_ONLY}))
    loop.meter_fault = MeterDefect.REVERSED
    loop.receive(limited(1000.0))
    moments = loop.run(120)

    assert "failsafe" in {m.mode for m in moments[:30]}
    assert {m.mode for m in moments[30:]} == {"normal"}
    assert moments[-1].site_watts == pytest.approx(-1000, abs=50)


def test_a_limit_that_falls_is_decided_on_at_once() -> None:
    loop = loop_of(site({"roof": PV_ONLY}, noise_watts=0.0))
    loop.run(10)
    loop.receive(limited(0.0))
    moment = loop.run(1)[0]

    assert moment.powers[0].ac_watts < 2500


def test_a_setpoint_holds_until_it_expires_or_is_withdrawn() -> None:
    loop = loop_of(site())
    loop.receive(limited(100.0, ends_s=5.0))
    limits = [m.wanted.export_limit_watts for m in loop.run(8)]
    loop.receive(limited(200.0))
    loop.run(1)
    loop.withdraw("manual")

    assert limits == [100.0] * 4 + [None] * 4
    assert loop.envelope().fields.export_limit_watts is None


@pytest.mark.parametrize("when_lost", ["stay", "release"])
def test_devices_of_a_killed_orchestrator_go_on_until_their_timers_end(when_lost: Any) -> None:
    loop = loop_of(site(failsafe=FailsafeConfig(when_lost=when_lost), revert_s=20))
    loop.receive(limited(0.0))
    loop.run(20)
    roof = loop.site.inverters["roof"]
    loop.kill()
    dead = loop.run(19)
    held = roof.controls.ac_limit_watts
    loop.run(3)

    assert all(m.mode is None and m.commands == () and m.result is None for m in dead)
    assert dead[-1].wanted.export_limit_watts == 0.0
    assert held is not None
    assert roof.controls.ac_limit_watts == (held if when_lost == "stay" else None)
    assert loop.site.inverters["cellar"].controls.high_watts is None


def test_a_started_orchestrator_knows_the_setpoints_and_nothing_else() -> None:
    loop = loop_of(site())
    loop.receive(limited(0.0))
    loop.run(10)
    loop.kill()
    loop.start()
    loop_state = loop.state
    moments = loop.run(5)

    assert loop_state.site.load is None
    assert moments[-1].mode == "normal"
    assert moments[-1].wanted.export_limit_watts == 0.0


def test_an_orchestrator_that_stops_in_order_still_sends_its_last_words() -> None:
    loop = loop_of(site(failsafe=FailsafeConfig(when_lost="stay", export_limit_watts=0.0)))
    loop.receive(limited(3000.0))
    loop.run(10)
    loop.stop()
    loop.run(5)

    assert loop.site.inverters["roof"].controls.ac_limit_watts == 0
    assert loop.site.inverters["cellar"].controls.high_watts is None


def test_in_shadow_mode_nothing_is_sent() -> None:
    loop = loop_of(site(enabled=False))
    loop.receive(limited(0.0))
    moments = loop.run(10)

    assert moments[-1].commands != ()
    assert loop.site.inverters["roof"].controls.ac_limit_watts is None


def test_nobody_decides_before_a_silent_device_has_had_its_time() -> None:
    loop = loop_of(site())
    loop.inverter_faults["roof"] = InverterFault.SILENT
    modes = [m.mode for m in loop.run(5)]

    assert modes == ["waiting", "waiting", "normal", "normal", "normal"]


def test_moments_that_are_played_are_not_kept() -> None:
    loop = loop_of(site())
    played = list(loop.play(5))

    assert [m.at_s for m in played] == [1, 2, 3, 4, 5]
    assert loop.history == []


def test_a_value_of_the_meter_that_has_not_changed_keeps_its_time() -> None:
    """As the meter's actor tells it: however late each answer comes."""
    slow = PV_ONLY.model_copy(update={"lag_s": 3.0})
    loop = VirtualTime(site_config({"roof": slow}, meter=MeterSimulation(period_s=3.0, latency_s=0.2, jitter_s=0.15)))
    loop.site.set_pv_available("roof", 5000.0)
    seen = [m.result.snapshot.meter for m in loop.run(20) if m.result is not None]

    times = {(sample.site_watts, sample.changed_at_s) for sample in seen if sample is not None}
    assert len(times) == len({watts for watts, _time in times})
