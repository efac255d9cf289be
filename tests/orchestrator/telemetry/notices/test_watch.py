"""Which messages people get: what lasts, and not the same again and again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace
from pydantic import SecretStr

from orchestrator.config.audience import NotifySection
from orchestrator.decide.records import CycleResult
from orchestrator.ledger.excess import LedgerState, Outcome, observe
from orchestrator.loop.messages import Event
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.telemetry.notices.table import Notice
from orchestrator.telemetry.notices.watch import HOUR_S, Watch
from tests.support.records.cycles import cycle_result

BEGIN = datetime(2026, 6, 1, tzinfo=UTC)
AWAY, HERE = cycle_result(away=("west",)), cycle_result()


def watch(**settings: Any) -> Watch:
    return Watch("Home", NotifySection(urls=(SecretStr("json://127.0.0.1"),), **settings))


def seen(watch: Watch, result: CycleResult, now_s: float) -> list[Notice]:
    at = replace(result, snapshot=replace(result.snapshot, at_s=now_s))
    return watch.cycle(at, now_s)


def test_what_does_not_last_is_not_worth_a_message() -> None:
    watching = watch(after_s=60.0)

    assert seen(watching, AWAY, 0.0) == seen(watching, AWAY, 59.0) == seen(watching, HERE, 60.0) == []
    assert seen(watching, AWAY, 61.0) == seen(watching, AWAY, 120.0) == []


def test_what_lasts_is_told_once_and_its_end_too() -> None:
    watching = watch(after_s=60.0)
    seen(watching, AWAY, 0.0)

    (begun,) = seen(watching, AWAY, 60.0)
    assert (begun.kind, begun.subject) == ("inverter_away", "west")
    assert seen(watching, AWAY, 5000.0) == []
    (ended,) = seen(watching, HERE, 6000.0)
    assert (ended.subject, ended.is_over) == ("west", True)


def test_what_comes_and_goes_is_told_again_only_after_a_while() -> None:
    watching = watch(after_s=0.0, repeat_after_s=600.0)
    assert len(seen(watching, AWAY, 0.0)) == 1
    assert len(seen(watching, HERE, 1.0)) == 1

    assert seen(watching, AWAY, 2.0) == seen(watching, HERE, 3.0) == []
    assert len(seen(watching, AWAY, 700.0)) == 1


def test_a_failsafe_says_what_is_wrong_with_the_meter() -> None:
    failsafe = replace(HERE, mode="failsafe")

    (message,) = seen(watch(after_s=0.0), failsafe, 0.0)

    assert message.kind == "failsafe"
    assert "Look at the meter" in message.body


def test_nothing_is_missing_before_the_first_samples_are_there() -> None:
    assert seen(watch(after_s=0.0), replace(AWAY, mode="waiting"), 0.0) == []


def test_an_event_is_told_at_once_where_it_needs_a_person() -> None:
    watching = watch()

    (message,) = watching.event(Event("meter_reversed", "meter", "write meter.sign"), 0.0)
    assert "write meter.sign" in message.body
    assert watching.event(Event("clock_jumped", "site", "by 5 s"), 0.0) == []
    assert watching.event(Event("meter_contradicts", "meter", "again"), 1.0) == []


def test_a_limit_that_was_exceeded_for_long_is_told_when_it_is_over() -> None:
    limits, watching, told, ledger = SetpointFields(export_limit_watts=1000.0), watch(), [], LedgerState()
    for second in range(30):
        result = cycle_result(-3000.0 if second < 20 else 0.0, limits=limits)
        at = replace(result, snapshot=replace(result.snapshot, at_s=float(second)))
        told += watching.cycle(at, float(second))
        ledger, excesses = observe(ledger, at, BEGIN + timedelta(seconds=second))
        for excess in excesses:
            if excess.outcome is not Outcome.OPEN:
                told += watching.excess(excess, float(second))

    (message,) = told
    assert message.kind == "limit_exceeded"
    assert "export: above its limit of 1000 W (fixed) for 20 s, by 2000 W at most" in message.body


def test_a_refused_setpoint_names_its_source() -> None:
    (message,) = watch().refused("mqtt", "not JSON", 0.0)

    assert message.body.startswith("mqtt: not JSON")


def test_only_the_wanted_kinds_are_told() -> None:
    watching = watch(events=("failsafe",), after_s=0.0)

    assert seen(watching, AWAY, 0.0) == watching.refused("mqtt", "x", 0.0) == []


def test_a_storm_is_cut_and_what_was_cut_is_said_later() -> None:
    watching = watch(most_per_hour=2)
    told = [watching.refused(f"source{number}", "x", 0.0) for number in range(5)]
    assert [len(each) for each in told] == [1, 1, 0, 0, 0]

    (later,) = watching.refused("source9", "x", HOUR_S)

    assert "3 more were not sent" in later.body
