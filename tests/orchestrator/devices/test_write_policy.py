"""When registers are written: on change, before half the revert time, and a few more times where a device differs."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.devices.base import RegisterWrite, WriteGroup
from orchestrator.devices.write_policy import (
    LONGEST_FLASH_GAP_S,
    LONGEST_GAP_S,
    QUICK_TRIES,
    WriteMemory,
    contradicts,
    due,
    forget,
    lost,
    observe,
    remember,
)

EMPTY = WriteMemory()


def group(
    *values: int, refresh_s: float | None = 24.0, name: str = "ac_limit", address: int = 100, flash: bool = False
) -> WriteGroup:
    return WriteGroup(name, (RegisterWrite(address, values, f"123.{name}", flash=flash),), refresh_s)


def shown(*values: int, address: int = 100) -> dict[int, int]:
    return dict(enumerate(values, start=address))


def written(groups: Iterable[WriteGroup], at_s: float = 0.0, memory: WriteMemory = EMPTY) -> WriteMemory:
    for each in groups:
        memory = remember(memory, each, at_s)
    return memory


def test_a_group_that_was_never_written_is_due() -> None:
    wanted = group(50, 1)

    assert due((wanted,), EMPTY, 0.0) == (wanted,)


def test_at_start_up_a_group_with_a_timer_is_written_once_even_if_it_shows_already() -> None:
    wanted = group(50, 1)

    assert due((wanted,), EMPTY, 0.0, shown(50, 1)) == (wanted,)
    assert due((wanted,), written([wanted]), 1.0, shown(50, 1)) == ()


def test_at_start_up_a_group_without_a_timer_that_shows_already_is_not_written() -> None:
    wanted = group(50, 1, refresh_s=None)

    assert due((wanted,), EMPTY, 0.0, shown(50, 1)) == ()
    assert due((wanted,), EMPTY, 0.0, shown(50)) == (wanted,)
    assert due((wanted,), EMPTY, 0.0, shown(51, 1)) == (wanted,)


def test_what_did_not_change_is_not_written_again() -> None:
    assert due((group(50, 1),), written([group(50, 1)]), 23.9) == ()


def test_a_change_is_written_at_once_and_only_that_group() -> None:
    limit, battery = group(50, 1), group(7, name="battery", address=200)
    changed = group(40, 1)

    assert due((changed, battery), written([limit, battery]), 0.1) == (changed,)


def test_a_group_is_refreshed_when_its_time_has_come_and_not_before() -> None:
    wanted = group(50, 1)
    memory = written([wanted])

    assert due((wanted,), memory, 23.9) == ()
    assert due((wanted,), memory, 24.0) == (wanted,)
    assert due((wanted,), remember(memory, wanted, 24.0), 47.9) == ()


def test_a_group_without_a_timer_is_never_refreshed() -> None:
    wanted = group(50, 1, refresh_s=None)

    assert due((wanted,), written([wanted]), 1e9) == ()


def test_groups_are_written_in_their_order() -> None:
    groups = (group(1, name="connect"), group(2, name="ac_limit"), group(3, name="battery"))

    assert due(groups, EMPTY, 0.0) == groups


def tries(
    wanted: WriteGroup, cycles: int, registers: dict[int, int], memory: WriteMemory
) -> tuple[list[int], WriteMemory]:
    """When it is written within so many cycles of 1 s, to a device that shows `registers` whatever is written."""
    at_s = []
    for now_s in range(1, cycles + 1):
        memory = observe(memory, (wanted,), registers)
        for each in due((wanted,), memory, now_s, registers):
            at_s.append(now_s)
            memory = remember(memory, each, now_s, in_vain=contradicts(each, registers))
    return at_s, memory


def test_a_device_that_shows_another_value_is_tried_at_once_and_then_ever_more_rarely_but_for_ever() -> None:
    wanted = group(50, 1, refresh_s=None)

    at_s, _ = tries(wanted, 600, shown(99, 1), written([wanted]))
    gaps_s = [later - earlier for earlier, later in pairwise(at_s)]

    assert at_s[:QUICK_TRIES] == [1, 2]
    assert gaps_s == sorted(gaps_s)
    assert gaps_s[-1] == LONGEST_GAP_S


def test_a_refresh_goes_on_while_tries_get_rarer() -> None:
    wanted = group(50, 1)

    at_s, _ = tries(wanted, 600, shown(99, 1), written([wanted]))

    assert max(later - earlier for earlier, later in pairwise(at_s)) == 24


def test_tries_at_flash_end_up_an_hour_apart() -> None:
    wanted = group(50, 1, refresh_s=None, flash=True)

    at_s, _ = tries(wanted, 20_000, shown(99, 1), written([wanted]))

    assert at_s[-1] - at_s[-2] == LONGEST_FLASH_GAP_S


def test_a_change_gets_its_own_tries() -> None:
    _, memory = tries(group(50, 1), 20, shown(99, 1), written([group(50, 1)]))

    at_s, _ = tries(group(40, 1), 5, shown(99, 1), memory)

    assert at_s[: 1 + QUICK_TRIES] == [1, 2, 3]


def test_a_device_that_obeyed_and_then_shows_another_value_gets_new_tries() -> None:
    wanted = group(50, 1)
    _, memory = tries(wanted, 10, shown(99, 1), written([wanted]))
    memory = observe(memory, (wanted,), shown(50, 1))

    assert due((wanted,), memory, 11.0, shown(99, 1)) == (wanted,)


def test_what_a_device_had_shown_and_does_not_any_more_is_lost_once() -> None:
    wanted = group(50, 1)
    memory = written([wanted])
    assert lost((wanted,), memory, shown(99, 1)) == ()

    memory = observe(memory, (wanted,), shown(50, 1))
    assert lost((wanted,), memory, shown(50, 1)) == ()
    assert lost((wanted,), memory, {}) == ()
    assert lost((wanted,), memory, shown(99, 1)) == (wanted,)

    memory = observe(memory, (wanted,), shown(99, 1))
    assert lost((wanted,), memory, shown(99, 1)) == ()


def test_a_new_value_that_is_not_shown_yet_is_not_lost() -> None:
    memory = observe(written([group(50, 1)]), (group(50, 1),), shown(50, 1))

    assert lost((group(40, 1),), memory, shown(50, 1)) == ()


def test_what_the_driver_excuses_is_neither_written_again_nor_lost() -> None:
    wanted = group(50, 1, refresh_s=None)
    memory = observe(written([wanted]), (wanted,), shown(50, 1))

    assert due((wanted,), memory, 9.0, shown(49, 1), lambda *_: False) == ()
    assert lost((wanted,), memory, shown(49, 1), lambda *_: False) == ()


def test_registers_that_were_not_read_contradict_nothing() -> None:
    assert due((group(50, 1),), written([group(50, 1)]), 1.0, shown(7, address=500)) == ()


def test_a_group_that_leaves_a_register_out_is_not_a_change() -> None:
    with_permission, without = group(50, 1, 1), group(50, 1)

    assert due((without,), written([with_permission]), 1.0) == ()
    assert due((with_permission,), written([with_permission, without]), 1.0) == ()


def test_a_group_that_is_no_longer_commanded_is_written_when_it_comes_back() -> None:
    wanted = group(50, 1, refresh_s=None)

    memory = observe(written([wanted]), (), {})

    assert due((wanted,), memory, 1.0) == (wanted,)


def test_what_is_forgotten_is_written_again() -> None:
    limit, battery = group(50, 1), group(7, name="battery", address=200)
    memory = written([limit, battery])

    assert due((limit, battery), forget(memory, "battery"), 1.0) == (battery,)
    assert due((limit, battery), forget(memory), 1.0) == (limit, battery)


@given(
    revert_s=st.integers(2, 600),
    steps=st.lists(st.tuples(st.floats(0.05, 2.0), st.integers(0, 3)), min_size=1, max_size=200),
)
def test_a_device_is_never_left_alone_for_half_its_revert_time_and_never_written_without_need(
    revert_s: int, steps: list[tuple[float, int]]
) -> None:
    memory, now_s, written_at_s, last = EMPTY, 0.0, 0.0, None
    longest_step_s = 2.0
    for step_s, value in steps:
        now_s += step_s
        wanted = group(value, refresh_s=0.4 * revert_s)
        needed = due((wanted,), memory, now_s)
        assert bool(needed) == (value != last or now_s - written_at_s >= 0.4 * revert_s)
        if needed:
            memory, written_at_s, last = remember(memory, wanted, now_s), now_s, value
        assert now_s - written_at_s < 0.4 * revert_s + longest_step_s
