"""When a topic is published."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.telemetry.publish_schedule import REPEAT_S, PublishSchedule


def site(watts: int, time: str = "t") -> dict[str, object]:
    return {"time": time, "site_watts": watts}


def test_the_first_message_of_a_topic_is_due() -> None:
    assert PublishSchedule().due({"site": site(1), "limits": {}}, 0.0) == ("site", "limits")


def test_the_same_again_is_not_due() -> None:
    schedule = PublishSchedule()
    schedule.due({"site": site(1)}, 0.0)

    assert schedule.due({"site": site(1, "later")}, 5.0) == ()


def test_a_change_waits_for_its_second() -> None:
    schedule = PublishSchedule()
    schedule.due({"site": site(1)}, 0.0)

    assert schedule.due({"site": site(2)}, 0.5) == ()
    assert schedule.due({"site": site(2)}, 1.0) == ("site",)


def test_changed_limits_do_not_wait() -> None:
    schedule = PublishSchedule()
    schedule.due({"limits": {"a": 1}}, 0.0)

    assert schedule.due({"limits": {"a": 2}}, 0.01) == ("limits",)


def test_one_topic_does_not_hold_back_another() -> None:
    schedule = PublishSchedule()
    schedule.due({"site": site(1)}, 0.0)

    assert schedule.due({"site": site(2), "inverters/east": {}}, 0.1) == ("inverters/east",)


def test_what_does_not_change_is_repeated_within_30_seconds() -> None:
    schedule = PublishSchedule()
    published_s = [second for second in range(100) if schedule.due({"site": site(1)}, float(second))]

    assert published_s == [0, 25, 50, 75]
    assert REPEAT_S <= 30


def test_after_forgetting_everything_is_due_again() -> None:
    schedule = PublishSchedule()
    schedule.due({"site": site(1)}, 0.0)
    schedule.forget()

    assert schedule.due({"site": site(1)}, 0.1) == ("site",)


@given(st.lists(st.floats(0.05, 3.0), max_size=200))
def test_a_topic_that_always_changes_is_published_once_a_second_on_average(gaps_s: list[float]) -> None:
    schedule, now_s, published = PublishSchedule(), 0.0, 0
    for number, gap_s in enumerate(gaps_s):
        published += len(schedule.due({"site": site(number)}, now_s))
        now_s += gap_s

    assert published <= now_s + 2


def test_cycles_of_a_second_that_come_a_little_early_are_all_published() -> None:
    schedule = PublishSchedule()
    times_s = [number - 0.05 * (number % 2) for number in range(20)]

    assert sum(len(schedule.due({"site": site(number)}, now_s)) for number, now_s in enumerate(times_s)) == 20
