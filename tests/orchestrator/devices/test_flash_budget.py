from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.devices.flash_budget import (
    FlashUse,
    after_writing,
    budgets,
    flash_use_from_json,
    flash_use_to_json,
    may_write,
    used_on,
)

MIDNIGHT = datetime(2026, 6, 1, tzinfo=UTC)
MOMENTS = st.lists(st.tuples(st.floats(0, 86399), st.booleans()), max_size=80)


def written(moments: list[tuple[float, bool]], per_day: int) -> list[tuple[float, bool]]:
    """Which of these wishes (time of day, whether for more power) are written within the budget of a day."""
    use, done = FlashUse(), []
    for at_s, for_more in sorted(moments):
        wall = MIDNIGHT + timedelta(seconds=at_s)
        if may_write(use, 1, per_day, wall, for_more=for_more):
            use = after_writing(use, 1, wall)
            done.append((at_s, for_more))
    return done


@given(MOMENTS, st.integers(1, 40))
def test_a_day_never_has_more_writes_than_its_budget(moments: list[tuple[float, bool]], per_day: int) -> None:
    assert len(written(moments, per_day)) <= per_day


@given(MOMENTS, st.integers(1, 40))
def test_less_power_is_never_made_to_wait_while_anything_is_left(
    moments: list[tuple[float, bool]], per_day: int
) -> None:
    done = written(moments, per_day)
    wanted = [moment for moment in moments if not moment[1]]
    if len(done) < per_day:
        assert all(moment in done for moment in wanted)


@given(st.integers(10, 500))
def test_more_power_leaves_a_fifth_of_the_day_for_what_must_fall(per_day: int) -> None:
    wishes = [(float(second), True) for second in range(0, 86400, 60)]

    assert len(written(wishes, per_day)) <= 0.8 * per_day + 1


def test_a_fifth_may_be_used_at_once() -> None:
    assert len(written([(float(second), True) for second in range(100)], 100)) == 20


def test_a_new_day_begins_with_nothing() -> None:
    use = after_writing(FlashUse(), 7, MIDNIGHT + timedelta(hours=23))

    assert used_on(use, MIDNIGHT + timedelta(hours=23, minutes=59)).writes == 7
    assert used_on(use, MIDNIGHT + timedelta(days=1)).writes == 0


COUNTS = st.integers(0, 10**6)


@given(st.builds(FlashUse, day=COUNTS, writes=COUNTS, battery_writes=COUNTS))
def test_the_record_comes_back_as_it_was_kept(use: FlashUse) -> None:
    assert flash_use_from_json(flash_use_to_json(use)) == use


def test_a_record_of_before_there_were_two_budgets_counts_for_the_ac_limit() -> None:
    assert flash_use_from_json('{"day": 3, "writes": 2}').of_limit() == FlashUse(3, 2)


@given(COUNTS, COUNTS)
def test_ac_limit_and_battery_have_budgets_of_their_own(limit: int, battery: int) -> None:
    use = after_writing(after_writing(FlashUse(), limit, MIDNIGHT), battery, MIDNIGHT, battery=True)

    assert (use.of_limit().writes, use.of_battery().writes) == (limit, battery)


def test_a_budget_is_shared_only_where_both_are_kept_in_flash() -> None:
    assert budgets(200, limit=True, battery=True) == (150, 50)
    assert budgets(200, limit=True, battery=False) == (200, 0)
    assert budgets(200, limit=False, battery=True) == (0, 200)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"day": 1}', '{"day": -1, "writes": 2}', '{"day": "1", "writes": 2}']
)
def test_anything_else_is_no_record(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - json's own, or ours
        flash_use_from_json(text)
