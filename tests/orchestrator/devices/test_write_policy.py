"""When registers are written: on change, before half the revert time, and a few more times where a device differs."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.devices.base import RegisterWrite, WriteGroup
from orchestrator.devices.write_policy import EXTRA_TRIES, WriteMemory, due, forget, observe, remember

EMPTY = WriteMemory()


def group(*values: int, refresh_s: float | None = 24.0, name: str = "ac_limit", address: int = 100) -> WriteGroup:
    return WriteGroup(name, (RegisterWrite(address, values, f"123.{name}"),), refresh_s)


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


def tries(wanted: WriteGroup, cycles: int, registers: dict[int, int], memory: WriteMemory) -> tuple[int, WriteMemory]:
    """Writes within so many cycles of 1 s, of a device that shows `registers` whatever is written."""
    count = 0
    for now_s in range(1, cycles + 1):
        memory = observe(memory, (wanted,), registers)
        for each in due((wanted,), memory, now_s, registers):
            count += 1
            memory = remember(memory, each, now_s)
    return count, memory


def test_a_device_that_shows_another_value_gets_two_more_tries_then_only_the_refresh() -> None:
    wanted = group(50, 1)

    assert tries(wanted, 20, shown(99, 1), written([wanted]))[0] == EXTRA_TRIES
    assert tries(wanted, 100, shown(99, 1), written([wanted]))[0] == EXTRA_TRIES + 4


def test_without_a_timer_a_device_that_never_obeys_gets_two_more_tries_for_ever() -> None:
    wanted = group(50, 1, refresh_s=None)

    assert tries(wanted, 500, shown(99, 1), written([wanted]))[0] == EXTRA_TRIES


def test_a_change_gets_its_own_tries() -> None:
    _, memory = tries(group(50, 1), 20, shown(99, 1), written([group(50, 1)]))

    count, _ = tries(group(40, 1), 20, shown(99, 1), memory)

    assert count == 1 + EXTRA_TRIES


def test_a_device_that_obeyed_and_then_shows_another_value_gets_new_tries() -> None:
    wanted = group(50, 1)
    _, memory = tries(wanted, 10, shown(99, 1), written([wanted]))
    memory = observe(memory, (wanted,), shown(50, 1))

    assert due((wanted,), memory, 11.0, shown(99, 1)) == (wanted,)


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
