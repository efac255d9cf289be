"""A trial against plants in virtual time: each way to answer comes to its verdict, whatever the size of the step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.commands import BatteryCommand, BatteryMode, InverterCommand
from orchestrator.commissioning.meter_verdict import Opinion, opinion
from orchestrator.commissioning.steps import Quantity, Step
from orchestrator.commissioning.trial import Observation, Stage, Timing, Trial, begin, observed, written
from orchestrator.commissioning.verdicts import Verdict, judge

TIMING = Timing()
LONGEST_S = 200.0


@dataclass
class Plant:
    """A device in virtual time: `answer` is what the asked power becomes, after `delay_s`, until `reverts_after_s`."""

    quantity: Quantity = Quantity.AC
    present: float = 3000.0
    asked: float = 2500.0
    answer: Callable[[float], float] = lambda asked: asked
    delay_s: float = 1.0
    reverts_after_s: float | None = 30.0
    meter_sign: float = 1.0
    meter_lag_s: float = 0.5
    load_watts: Callable[[float], float] = lambda at_s: 1000.0

    def power(self, since_s: float | None) -> float:
        """The power `since_s` after the write."""
        is_back = self.reverts_after_s is not None and since_s is not None and since_s >= self.reverts_after_s
        if since_s is None or since_s < self.delay_s or is_back:
            return self.present
        return self.answer(self.asked)

    def observe(self, at_s: float, written_at_s: float | None) -> Observation:
        since_s = None if written_at_s is None else at_s - written_at_s
        watts, ac_watts = self.power(since_s), self._ac(since_s)
        site_watts = self.meter_sign * (
            self.load_watts(at_s) - self._ac(None if since_s is None else since_s - self.meter_lag_s)
        )
        battery = watts if self.quantity is Quantity.BATTERY else None
        held = since_s is not None and (self.reverts_after_s is None or since_s < self.reverts_after_s)
        return Observation(at_s, ac_watts, battery, site_watts, held)

    def _ac(self, since_s: float | None) -> float:
        watts = self.power(since_s)
        return watts if self.quantity is Quantity.AC else 4000.0 - watts

    def step(self) -> Step:
        if self.quantity is Quantity.AC:
            return Step(self.quantity, self.asked, InverterCommand("east", 30.0, ac_limit_watts=self.asked))
        window = BatteryCommand(BatteryMode.CHARGE, self.asked, self.asked, self.asked)
        return Step(self.quantity, self.asked, InverterCommand("east", 30.0, battery=window))


def tried(plant: Plant, timing: Timing = TIMING, refused: tuple[str, ...] = ()) -> Trial:
    """Run a trial to its end."""
    at_s = 1000.0
    trial = begin(plant.step(), timing, at_s)
    while trial.stage is not Stage.DONE:
        assert at_s < 1000.0 + LONGEST_S, "a trial must end"
        if trial.stage is Stage.WRITE:
            trial = written(trial, at_s, refused)
        else:
            trial = observed(trial, plant.observe(at_s, trial.written_at_s))
            at_s += timing.poll_s
    return trial


def judged(plant: Plant) -> dict[str, tuple[Verdict, str]]:
    return {check.name: (check.verdict, check.text) for check in judge(tried(plant))}


BATTERY = {"quantity": Quantity.BATTERY, "present": 0.0, "asked": 500.0}


@pytest.mark.parametrize("values", [{}, BATTERY, BATTERY | {"present": 3000.0, "asked": 2500.0}])
def test_a_sound_device_passes(values: dict[str, object]) -> None:
    checks = judged(Plant(**values))  # type: ignore[arg-type]

    assert [verdict for verdict, _ in checks.values()] == [Verdict.PASSED] * 2


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"answer": lambda asked: 3000.0}, "ignored, or its scale factor is ignored (100 times too big)"),
        ({"answer": lambda asked: asked / 100}, "about 100 times too small"),
        ({"delay_s": 8.0}, "too slow: from 3000 W to 2500 W was asked, 2500 W came after 8."),
        (BATTERY | {"answer": lambda asked: asked / 100}, "about 100 times too small"),
        (BATTERY | {"answer": lambda asked: 5000.0}, "the answer is too big"),
        (BATTERY | {"answer": lambda asked: -asked}, "its sign is wrong"),
        (BATTERY | {"present": 3000.0, "asked": 2500.0, "answer": lambda asked: -asked}, "its sign is wrong"),
        (BATTERY | {"present": 5.0, "answer": lambda asked: 5.0}, "ignored, or"),
        (BATTERY | {"answer": lambda asked: 0.0}, "ignored"),
    ],
)
def test_a_wrong_answer_is_named(values: dict[str, object], said: str) -> None:
    verdict, text = next(iter(judged(Plant(**values)).values()))  # type: ignore[arg-type]

    assert verdict is Verdict.UNSAFE
    assert said in text


def test_an_answer_that_does_not_stay_is_none() -> None:
    class Short(Plant):
        """Obeys for a second, and forgets."""

        def power(self, since_s: float | None) -> float:
            return self.asked if since_s is not None and 0.5 < since_s < 1.5 else self.present

    verdict, text = next(iter(judged(Short()).values()))

    assert verdict is Verdict.UNSAFE
    assert "ignored" in text


def test_a_step_from_which_the_sun_has_run_away_proves_nothing() -> None:
    verdict, text = next(iter(judged(Plant(present=2300.0, asked=2500.0)).values()))

    assert verdict is Verdict.UNCLEAR
    assert "changed by itself to 2300 W" in text


def test_a_refusal_ends_the_trial_at_once() -> None:
    (check,) = judge(tried(Plant(), refused=("123.WMaxLimPct",)))

    assert (check.verdict, check.text) == (Verdict.UNSAFE, "refused: the device does not take 123.WMaxLimPct")


def test_a_device_that_never_returns_is_named_after_one_and_a_half_revert_times() -> None:
    trial = tried(Plant(reverts_after_s=None))

    assert trial.waiting[-1].at_s - (trial.written_at_s or 0) == pytest.approx(50.0, abs=0.5)
    assert "its revert timer does not work" in judge(trial)[1].text


def test_a_device_that_returns_too_early_is_named() -> None:
    verdict, text = judged(Plant(reverts_after_s=8.0))["AC limit: revert time"]

    assert verdict is Verdict.UNSAFE
    assert text.startswith("too early: back by itself 8")


def test_a_return_that_only_the_registers_show_is_unclear() -> None:
    class Cloud(Plant):
        """The sun goes while the limit holds."""

        def power(self, since_s: float | None) -> float:
            return super().power(since_s if since_s is None else min(since_s, 29.0))

    verdict, text = judged(Cloud())["AC limit: revert time"]

    assert verdict is Verdict.UNCLEAR
    assert "its registers show the return" in text


def test_power_that_cannot_be_read_is_unclear_and_the_trial_ends() -> None:
    class Blind(Plant):
        def observe(self, at_s: float, written_at_s: float | None) -> Observation:
            return Observation(at_s)

    assert judged(Blind())["AC limit"] == (Verdict.UNCLEAR, "its power could not be read")


def test_a_runaway_is_ended_long_before_its_revert_time() -> None:
    trial = tried(Plant(**BATTERY, answer=lambda asked: 100 * asked))  # type: ignore[arg-type]

    assert trial.answer[-1].at_s - (trial.written_at_s or 0) < 4.0
    assert trial.waiting == ()


powers = st.floats(300, 20000)


@given(powers, st.floats(0.05, 0.6), st.floats(0.1, 4.0), st.floats(1.0, 31.0), st.sampled_from([1.0, -1.0]))
def test_any_trial_of_an_obedient_device_passes_and_tells_the_sign_of_the_meter(
    present: float, share: float, delay_s: float, jitter: float, sign: float
) -> None:
    plant = Plant(present=present, asked=present * (1 - share), delay_s=delay_s, meter_sign=sign)
    checks = judged(plant)

    assert checks["AC limit"][0] is Verdict.PASSED
    assert checks["AC limit: revert time"][0] is Verdict.PASSED
    if present * share >= 101.0:
        assert opinion(tried(plant)) is (Opinion.RIGHT if sign > 0 else Opinion.WRONG)


values = st.none() | st.floats(-1e5, 1e5)


@given(st.lists(st.builds(Observation, at_s=st.just(0.0), ac_watts=values, battery_watts=values, site_watts=values)))
def test_whatever_is_seen_a_trial_ends_with_a_verdict(seen: list[Observation]) -> None:
    trial, at_s = begin(Plant().step(), TIMING, 0.0), 0.0
    while trial.stage is not Stage.DONE:
        assert at_s < LONGEST_S
        if trial.stage is Stage.WRITE:
            trial = written(trial, at_s)
        else:
            trial = observed(trial, replace(seen.pop(0) if seen else Observation(0.0), at_s=at_s))
            at_s += 1.0

    assert judge(trial)


def test_a_device_that_is_known_to_have_no_timer_is_said_to_have_none() -> None:
    trial = tried(Plant(reverts_after_s=None), replace(TIMING, has_timer=False))

    assert judge(trial)[1].verdict is Verdict.UNSAFE
    assert judge(trial)[1].text.startswith("it has no revert timer: 50 s after the last write the command still holds;")


def test_a_time_that_an_installer_may_have_lengthened_is_waited_for_longer() -> None:
    late = Plant(reverts_after_s=60.0)

    assert judge(tried(late))[1].verdict is Verdict.UNSAFE
    assert judge(tried(late, replace(TIMING, late_share=2.5)))[1].verdict is Verdict.PASSED
