"""What steps say of the meter: a wrong word here turns a good meter round."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.commands import InverterCommand
from orchestrator.commissioning.meter_verdict import Opinion, edges, is_decided, meter_check, opinion
from orchestrator.commissioning.steps import Quantity, Step
from orchestrator.commissioning.trial import Observation, Stage, Timing, Trial
from orchestrator.commissioning.verdicts import Verdict

TIMING = Timing()
STEP = Step(Quantity.AC, 2500.0, InverterCommand("east", 30.0, ac_limit_watts=2500.0))


def seen(begin_s: float, ac_watts: float, site_watts: float | None) -> tuple[Observation, ...]:
    """Three seconds of one look at inverter and meter."""
    return tuple(Observation(begin_s + 0.5 * number, ac_watts, None, site_watts) for number in range(6))


def trial(down: tuple[float, float | None], back: tuple[float, float] | None = None) -> Trial:
    """A step by which AC power and the meter moved by so much, and then moved back."""
    ac, site = down
    moved = None if site is None else site
    after = () if back is None else seen(43.0, 3000.0 + ac + back[0], (moved or 0.0) + back[1])
    return Trial(
        STEP,
        TIMING,
        0.0,
        Stage.DONE,
        before=seen(0.0, 3000.0, None if site is None else 0.0),
        answer=seen(5.0, 3000.0 + ac, moved),
        waiting=(*seen(10.0, 3000.0 + ac, moved), *seen(37.0, 3000.0 + ac, moved)),
        after=after,
        written_at_s=3.0,
        returned_at_s=None if back is None else 41.0,
    )


RIGHT = trial((-1000.0, 1000.0), (1000.0, -1000.0))
WRONG = trial((-1000.0, -1000.0), (1000.0, 1000.0))


def test_two_steps_that_agree_pass_with_their_numbers() -> None:
    check = meter_check("east", (RIGHT, RIGHT))

    assert check.verdict is Verdict.PASSED
    assert check.text.startswith("AC -1000 W and meter +1000 W, back AC +1000 W and meter -1000 W; AC -1000 W")


def test_two_steps_that_agree_name_a_wrong_sign_with_every_move_that_shows_it() -> None:
    check = meter_check("east", (WRONG, WRONG))

    assert check.verdict is Verdict.UNSAFE
    moves = "AC -1000 W and meter -1000 W, back AC +1000 W and meter +1000 W"
    assert check.text == f"the sign of the meter is wrong: {moves}; {moves} (import +); change meter.sign in site.yaml"


@pytest.mark.parametrize(
    "trials",
    [
        (RIGHT,),
        (WRONG,),
        (RIGHT, WRONG),
        (WRONG, RIGHT, WRONG),
        (trial((-1055.0, -1870.0), (1055.0, 1055.0)),) * 2,
        (trial((-2146.0, 5191.0), (2146.0, -5191.0)),) * 2,
        (trial((-1000.0, 1000.0)),) * 2,
        (trial((-1000.0, 1000.0), (1000.0, 1000.0)),) * 2,
        (trial((-1000.0, 0.0), (1000.0, 0.0)),) * 2,
        (trial((-90.0, 90.0), (90.0, -90.0)),) * 2,
        (trial((-1000.0, None)),) * 2,
        (),
    ],
)
def test_anything_less_is_unclear(trials: tuple[Trial, ...]) -> None:
    assert not is_decided(trials)
    assert meter_check("east", trials).verdict is Verdict.UNCLEAR


def test_a_device_known_to_have_no_timer_shows_one_edge_and_that_counts() -> None:
    one = replace(trial((-1000.0, 1000.0)), timing=replace(TIMING, has_timer=False))

    assert opinion(one) is Opinion.RIGHT
    assert meter_check("east", (one, one)).verdict is Verdict.PASSED


moves = st.floats(-6000.0, 6000.0)


@given(st.lists(st.tuples(moves, moves, moves, moves), min_size=2, max_size=4))
def test_whatever_moves_a_wrong_sign_needs_two_steps_of_two_edges_each_that_show_it(
    found: list[tuple[float, float, float, float]],
) -> None:
    trials = [trial((ac, site), (ac_back, site_back)) for ac, site, ac_back, site_back in found]

    if meter_check("east", trials).verdict is Verdict.UNSAFE:
        shown = [edge.share for each in trials if opinion(each) is Opinion.WRONG for edge in edges(each)]
        assert len(shown) >= 4
        assert all(-1.4 <= share <= -0.6 for share in shown)
        assert not any(opinion(each) is Opinion.RIGHT for each in trials)
