from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from orchestrator.devices.link.backoff import Backoff
from orchestrator.devices.link.tries import LIVING_LEAST_S, PATIENT_S, SHARE, SHORT_S, Tries
from orchestrator.devices.link.turns import Turn, rank

TIMEOUT_S = 1.0


def with_one_alive(now_s: float = 0.0) -> Tries:
    tries = Tries()
    tries.answered("meter", 0.02, now_s)
    return tries


def lost(tries: Tries, device: str, seconds: float, now_s: float) -> None:
    """`device` is tried in vain for `seconds`, until `now_s`."""
    tries.failed(device, seconds, now_s)
    tries.tried(device, now_s, found=False)


def test_after_a_try_in_vain_there_is_none_for_nine_times_as_long_whoever_it_would_be() -> None:
    tries = with_one_alive()
    assert tries.may_try("east", 0.0)
    tries.may_try("west", 0.0)
    lost(tries, "west", 0.5, 0.5)
    lost(tries, "east", 0.5, 1.0)

    assert [tries.may_try(name, 5.4) for name in ("east", "west")] == [False, False]
    assert tries.may_try("east", 5.6)


def test_what_a_gateway_makes_the_next_reply_wait_for_one_that_was_given_up_is_paid_for_too() -> None:
    tries = with_one_alive()
    tries.answered("west", 0.02, 0.0)
    assert tries.may_try("east", 0.0)
    lost(tries, "east", 0.5, 0.5)
    tries.answered("meter", 1.52, 2.0)

    assert not tries.may_try("east", 18.4)
    assert tries.may_try("east", 18.6)
    assert tries.patience_s("meter", 60.0, 19.0) == LIVING_LEAST_S, "the meter itself is as quick as ever"


def test_a_reply_that_is_late_by_itself_costs_the_dead_nothing() -> None:
    tries = with_one_alive()
    assert tries.may_try("east", 0.0)
    lost(tries, "east", 0.5, 0.5)
    for seconds, now_s in ((0.02, 0.6), (1.5, 2.2)):
        tries.answered("meter", seconds, now_s)

    assert tries.may_try("east", 5.1)


def test_only_one_is_tried_at_a_time() -> None:
    tries = with_one_alive()
    for name in ("east", "west"):
        tries.failed(name, 0.0, 0.0)
    assert tries.may_try("east", 1.0)

    assert not tries.may_try("west", 1.1)
    tries.tried("east", 1.2, found=True)
    assert tries.may_try("west", 1.2)


def test_the_one_whose_last_try_is_the_longest_ago_comes_next() -> None:
    tries = with_one_alive()
    for name in ("east", "west"):
        lost(tries, name, 0.5, 0.5)
    assert tries.may_try("east", 5.0)
    assert not tries.may_try("west", 5.1)
    lost(tries, "east", 0.5, 5.5)

    assert not tries.may_try("east", 10.0), "west still waits"
    assert tries.may_try("west", 10.1)


def test_one_that_does_not_ask_any_more_holds_nobody_up() -> None:
    tries = with_one_alive()
    for name in ("east", "west"):
        lost(tries, name, 0.1, 0.1)
    assert tries.may_try("east", 2.0)
    assert not tries.may_try("west", 2.0)
    lost(tries, "east", 0.1, 2.1)

    assert tries.may_try("east", 7.1)


def test_a_device_that_was_never_asked_is_tried_at_once() -> None:
    tries = with_one_alive()
    lost(tries, "east", 1.0, 1.0)

    assert tries.may_try("new", 1.1)


def test_where_nobody_answers_there_is_no_budget_and_the_whole_time_out() -> None:
    tries = Tries()
    for name in ("meter", "east"):
        assert tries.may_try(name, 0.0)
        lost(tries, name, 5.0, 5.0)

    assert tries.may_try("meter", 5.1)
    assert tries.may_try("east", 5.1)
    assert tries.patience_s("east", 5.0, 5.1) == 5.0


def test_a_device_that_answers_is_given_up_after_four_times_its_slowest_reply() -> None:
    tries = with_one_alive()
    tries.answered("quick", 0.03, 0.0)
    tries.answered("slow", 0.9, 0.0)

    assert tries.patience_s("quick", 5.0, 1.0) == LIVING_LEAST_S
    assert tries.patience_s("slow", 5.0, 1.0) == pytest.approx(3.6)
    assert tries.patience_s("slow", 2.0, 1.0) == 2.0


def test_tries_are_short_and_each_fourth_one_is_patient() -> None:
    tries = with_one_alive()
    given_s = []
    for number in range(8):
        given_s.append(tries.patience_s("east", 5.0, float(number)))
        tries.failed("east", 0.0, float(number))

    assert given_s == [PATIENT_S, SHORT_S, SHORT_S, SHORT_S] * 2


def test_a_device_known_to_be_slow_is_waited_for_longer_when_it_is_tried() -> None:
    tries = with_one_alive()
    tries.answered("slow", 2.5, 0.0)
    tries.failed("slow", 1.0, 4.0)

    assert tries.patience_s("slow", 5.0, 5.0) == pytest.approx(3.75)


def test_a_look_for_a_device_that_ends_in_vain_is_paid_for_although_it_answered() -> None:
    tries = with_one_alive()
    tries.failed("wrong", 0.0, 0.0)
    assert tries.may_try("wrong", 1.0)
    for _ in range(4):
        tries.answered("wrong", 0.25, 2.0)
    tries.tried("wrong", 2.0, found=False)

    assert not tries.may_try("wrong", 10.9)
    assert tries.may_try("wrong", 11.1)


def test_the_meter_has_every_other_try_and_the_others_have_theirs() -> None:
    tries = with_one_alive()
    names = ("one", "two", "meter")
    for name in names:
        tries.failed(name, 0.0, 1.0)
    tried: list[str] = []
    for second in range(2, 20):
        tries.answered("alive", 0.1, float(second))
        for name in names:
            if tries.may_try(name, float(second), first=name == "meter"):
                tried.append(name)
                tries.tried(name, float(second), found=False)

    assert tried.count("meter") >= len(tried) // 2 - 1
    assert tried.count("one") > 2
    assert tried.count("two") > 2


@dataclass
class Caller:
    """Somebody who asks a link again and again, as the actors do."""

    name: str
    turn: Turn
    every_s: float
    reply_s: float | None
    backoff: Backoff = field(default_factory=lambda: Backoff(0.5, 10.0))
    next_s: float = 0.0
    waits_since_s: float | None = None
    served_at_s: list[float] = field(default_factory=list)
    longest_wait_s: float = 0.0


@dataclass
class Bench:
    """One link in virtual time: who waits is served by rank, and a device without a reply costs its patience."""

    callers: list[Caller]
    timeout_s: float
    tries: Tries = field(default_factory=Tries)
    now_s: float = 0.0
    in_vain_s: float = 0.0

    def run(self, until_s: float) -> None:
        while self.now_s < until_s:
            self._ask()
            waiting = [each for each in self.callers if each.waits_since_s is not None]
            if waiting:
                self._serve(min(waiting, key=lambda each: rank(each.turn, each.waits_since_s or 0.0)))
            else:
                self.now_s = max(min(each.next_s for each in self.callers), self.now_s)

    def _ask(self) -> None:
        for caller in self.callers:
            if caller.waits_since_s is not None or self.now_s < caller.next_s:
                continue
            if caller.reply_s is None and not self._may_try(caller):
                caller.next_s = self.now_s + caller.every_s
            else:
                caller.waits_since_s = self.now_s

    def _may_try(self, caller: Caller) -> bool:
        return caller.backoff.is_over(self.now_s) and self.tries.may_try(caller.name, self.now_s)

    def _serve(self, caller: Caller) -> None:
        asked_at_s = caller.waits_since_s or 0.0
        caller.longest_wait_s = max(caller.longest_wait_s, self.now_s - asked_at_s)
        caller.waits_since_s = None
        if caller.reply_s is None:
            spent_s = self.tries.patience_s(caller.name, self.timeout_s, self.now_s)
            self.now_s += spent_s
            self.in_vain_s += spent_s
            lost(self.tries, caller.name, spent_s, self.now_s)
            caller.backoff = caller.backoff.failed(self.now_s)
        else:
            self.now_s += caller.reply_s
            self.tries.answered(caller.name, caller.reply_s, self.now_s)
            caller.served_at_s.append(self.now_s)
        caller.next_s = max(self.now_s, asked_at_s + caller.every_s)


@settings(max_examples=40, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(
    dead=st.integers(1, 12),
    living=st.integers(0, 6),
    reply_s=st.floats(0.005, 0.1),
    timeout_s=st.sampled_from([0.5, 1.0, 5.0, 30.0]),
)
def test_dead_units_get_a_tenth_of_the_time_the_meter_and_commands_hardly_wait(
    dead: int, living: int, reply_s: float, timeout_s: float
) -> None:
    meter = Caller("meter", Turn.METER, 0.25, reply_s)
    command = Caller("living 0", Turn.WRITE, 3.0, reply_s)
    others = [Caller(f"living {number}", Turn.READ, 1.0, reply_s) for number in range(living)]
    gone = [Caller(f"dead {number}", Turn.TRY, 1.0, None) for number in range(dead)]
    bench = Bench([meter, command, *others, *gone], timeout_s)
    bench.run(20.0 + 2.0 * dead)
    first_look_s, began_s = bench.in_vain_s, bench.now_s

    bench.run(began_s + 400.0)

    longest_s = min(timeout_s, PATIENT_S)
    assert bench.in_vain_s - first_look_s <= SHARE * 400.0 + longest_s
    assert meter.longest_wait_s <= longest_s + 4 * reply_s + 0.02
    assert command.longest_wait_s <= longest_s + 4 * reply_s + 0.02
    assert all(each.backoff.failures > 1 for each in gone), "everyone gets its turn"


@settings(max_examples=20, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(living=st.integers(1, 12), reply_s=st.floats(0.2, 1.5))
def test_on_a_link_that_is_too_slow_for_all_of_them_everyone_is_served(living: int, reply_s: float) -> None:
    meter = Caller("meter", Turn.METER, 0.25, reply_s)
    others = [Caller(f"living {number}", Turn.READ, 1.0, reply_s) for number in range(living)]
    bench = Bench([meter, *others], timeout_s=5.0)

    bench.run(200.0)

    round_s = 2 * (living + 1) * reply_s + 4.0
    assert all(each.longest_wait_s <= round_s and len(each.served_at_s) > 5 for each in (meter, *others))
