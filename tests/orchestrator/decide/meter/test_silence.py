"""One definition of a silent meter, and the same for whoever asks: the snapshot, the decision, `check`."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.config.policy import meter_silent_after_s, meter_told_every_s
from orchestrator.config.sections import ControlConfig, MeterConfig, MqttMeterConfig, SiteConfig
from orchestrator.control import step
from orchestrator.decide.memory import ControlState
from orchestrator.decide.meter.silence import is_silent
from orchestrator.loop.presence import freeze
from orchestrator.samples import MeterSample
from orchestrator.setpoints.merge import OperatingEnvelope
from tests.support.plants.virtual_site import site_config

READ_EVERY_S = st.floats(0.05, 60)
TIMEOUTS_S = st.floats(0.1, 30)
LOOPS_S = st.floats(0.1, 60)
WINDOWS_S = st.floats(0.5, 300)
BY_MQTT = MqttMeterConfig(driver="mqtt", host="h", topic="t")


def site(
    read_every_s: float = 0.25, *, timeout_s: float = 1.0, meter: MqttMeterConfig | None = None, **control: Any
) -> SiteConfig:
    modbus = MeterConfig(host="h", interval_s=read_every_s, timeout_s=timeout_s)
    return site_config().model_copy(update={"meter": meter or modbus, "control": ControlConfig(**control)})


@pytest.mark.parametrize(
    ("config", "silent_after_s"),
    [
        (site(), 3.0),
        (site(interval_s=10.0), 5.0),
        (site(sample_window_s=2.0), 2.0),
        (site(0.1, interval_s=0.3), 0.9),
        (site(2.0), 5.0),
        (site(5.0), 6.5),
        (site(60.0), 61.5),
        (site(60.0, timeout_s=30.0), 90.5),
        (site(timeout_s=30.0), 3.0),
        (site(meter=BY_MQTT), 3.0),
    ],
)
def test_a_meter_is_silent_after_three_periods_and_5_s_at_most_unless_it_is_read_more_seldom(
    config: SiteConfig, silent_after_s: float
) -> None:
    assert meter_silent_after_s(config) == pytest.approx(silent_after_s)


@given(READ_EVERY_S, TIMEOUTS_S, LOOPS_S, WINDOWS_S)
def test_a_healthy_meter_is_never_silent(
    read_every_s: float, timeout_s: float, interval_s: float, window_s: float
) -> None:
    config = site(read_every_s, timeout_s=timeout_s, interval_s=interval_s, sample_window_s=window_s)
    answers_within_s = min(timeout_s, read_every_s)

    assert read_every_s + answers_within_s < meter_silent_after_s(config)


@given(READ_EVERY_S, TIMEOUTS_S, LOOPS_S, WINDOWS_S)
def test_a_silent_meter_is_noticed_within_5_s_or_before_a_second_answer_is_missed(
    read_every_s: float, timeout_s: float, interval_s: float, window_s: float
) -> None:
    config = site(read_every_s, timeout_s=timeout_s, interval_s=interval_s, sample_window_s=window_s)

    assert meter_silent_after_s(config) <= max(5.0, 2 * read_every_s + 0.5)


@given(READ_EVERY_S, LOOPS_S)
def test_a_value_that_stays_the_same_is_told_often_enough(read_every_s: float, interval_s: float) -> None:
    config = site(read_every_s, interval_s=interval_s)
    told_every_s = meter_told_every_s(config)
    polls = 1 if read_every_s >= told_every_s else 2  # told at the first poll that is so late or later
    longest_s = max(read_every_s, told_every_s) if polls == 1 else told_every_s + read_every_s

    assert longest_s < meter_silent_after_s(config)


@given(READ_EVERY_S, TIMEOUTS_S, LOOPS_S, WINDOWS_S, st.floats(0, 200))
def test_the_snapshot_and_the_decision_agree_on_silence(
    read_every_s: float, timeout_s: float, interval_s: float, window_s: float, age_s: float
) -> None:
    config = site(read_every_s, timeout_s=timeout_s, interval_s=interval_s, sample_window_s=window_s)
    meter, now_s = MeterSample(1000.0, 500.0, 1000.0), 1000.0 + age_s
    state = ControlState(started_at_s=500.0)

    snapshot = freeze({}, meter, config, now_s)
    result = step(config, state, snapshot, OperatingEnvelope(), now_s)

    assert (snapshot.meter is None) is is_silent(config, meter, 500.0, now_s)
    assert result.mode == ("failsafe" if snapshot.meter is None else "normal")


@pytest.mark.parametrize("read_every_s", [0.25, 5.0, 60.0])
def test_a_meter_that_never_answered_is_silent_within_5_s_however_seldom_it_is_read(read_every_s: float) -> None:
    config = site(read_every_s)

    assert not is_silent(config, None, 100.0, 102.9)
    assert is_silent(config, None, 100.0, 105.1)
