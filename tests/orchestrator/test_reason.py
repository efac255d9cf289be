"""A reason as a value: the same whatever its numbers are, and whatever they are at any depth."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.reason import Reason, because


def of_limit(watts: float, source: str | None, *names: str) -> Reason:
    limit = because("export_limit", watts=watts, source=source)
    batteries = tuple(because("of_battery", name=name, why=because("full", percent=watts)) for name in names)
    return because("import_limit_not_kept", limit_watts=watts, why=batteries, limit=limit)


@given(st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_reasons_that_differ_in_numbers_only_are_the_same_without_them(first: float, second: float) -> None:
    assert of_limit(first, "mqtt", "a").without_numbers() == of_limit(second, "mqtt", "a").without_numbers()


def test_who_asked_and_who_it_is_about_remain() -> None:
    reasons = (of_limit(1.0, "mqtt", "a"), of_limit(1.0, "fixed", "a"), of_limit(1.0, "mqtt", "b"), of_limit(1.0, None))
    kinds = [each.without_numbers() for each in reasons]

    assert all(kind not in kinds[:number] for number, kind in enumerate(kinds))


def test_what_is_behind_it_is_found_by_name() -> None:
    reason = of_limit(1.0, "mqtt", "a")

    assert reason.cause("limit") == because("export_limit", watts=1.0, source="mqtt")
    assert reason.cause("limit_watts") is None
    assert reason.cause("nothing") is None
