"""The messages of one source: newest valid one wins, and old news is no news."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis.strategies import datetimes, just, lists, none, one_of, sampled_from
from hypothesis.strategies import text as texts

from orchestrator.setpoints.intake import SUPERSEDED_KEPT, Arrival, Intake, KeptSource, Outcome
from orchestrator.setpoints.stored import from_json, to_json

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
ZERO, HALF = b'{"opModExpLimW": 0}', b'{"opModExpLimW": 2500}'


def arrival(payload: bytes, at_s: float = 100.0, *, redelivered: bool = False) -> Arrival:
    return Arrival(payload, redelivered, at_s, NOW + timedelta(seconds=at_s - 100.0))


def limit_of(outcome: Outcome) -> float | None:
    return outcome.setpoint.fields.export_limit_watts if outcome.setpoint else None


def test_a_first_message_is_news() -> None:
    intake = Intake("mqtt", None)

    assert limit_of(intake.take([arrival(ZERO)])) == 0.0
    assert intake.setpoint is not None


def test_only_the_newest_of_a_batch_counts() -> None:
    assert limit_of(Intake("mqtt", None).take([arrival(ZERO), arrival(HALF)])) == 2500.0


def test_a_refused_message_leaves_the_valid_one_before_it_in_force() -> None:
    outcome = Intake("mqtt", None).take([arrival(ZERO), arrival(b"off"), arrival(b"on")])

    assert limit_of(outcome) == 0.0
    assert len(outcome.reasons) == 2


def test_a_refused_message_leaves_the_former_setpoint() -> None:
    intake = Intake("mqtt", None)
    intake.take([arrival(ZERO)])

    outcome = intake.take([arrival(b"off")])

    assert outcome.setpoint is None
    assert not outcome.withdrawn
    assert intake.setpoint is not None


def test_refusals_before_the_newest_valid_message_are_superseded() -> None:
    assert Intake("mqtt", None).take([arrival(b"off"), arrival(ZERO)]).reasons == ()


def test_the_same_again_is_no_news_where_nothing_expires() -> None:
    intake = Intake("mqtt", None)
    intake.take([arrival(ZERO)])

    assert intake.take([arrival(b'{ "opModExpLimW": 0.0 }', 200.0)]) == Outcome()


def test_the_same_published_again_renews_the_validity() -> None:
    intake = Intake("mqtt", 60.0)
    intake.take([arrival(ZERO)])

    renewed = intake.take([arrival(ZERO, 130.0)]).setpoint

    assert renewed is not None
    assert renewed.expires_at_s == 190.0


def test_unchanged_retained_bytes_do_not_renew_the_validity() -> None:
    intake = Intake("mqtt", 60.0)
    intake.take([arrival(ZERO, redelivered=True)])

    assert intake.take([arrival(ZERO, 130.0, redelivered=True)]) == Outcome()
    assert intake.setpoint is not None
    assert intake.setpoint.expires_at_s == 160.0


def test_unchanged_retained_bytes_do_not_revive_what_has_expired() -> None:
    intake = Intake("mqtt", 60.0)
    intake.take([arrival(ZERO)])

    assert intake.take([arrival(ZERO, 500.0, redelivered=True)]) == Outcome()


def test_unchanged_retained_bytes_do_not_replace_what_came_after_them() -> None:
    intake = Intake("mqtt", None)
    intake.take([arrival(ZERO)])

    outcome = intake.take([arrival(HALF, 110.0), arrival(ZERO, 120.0, redelivered=True)])

    assert limit_of(outcome) == 2500.0


def test_changed_retained_bytes_are_taken_after_a_reconnect() -> None:
    intake = Intake("mqtt", None)
    intake.take([arrival(ZERO)])

    assert limit_of(intake.take([arrival(HALF, 200.0, redelivered=True)])) == 2500.0


def test_a_retained_message_is_refused_once() -> None:
    intake = Intake("mqtt", None)

    assert len(intake.take([arrival(b"off", redelivered=True)]).reasons) == 1
    assert intake.take([arrival(b"off", redelivered=True)]).reasons == ()


def test_a_wrong_message_published_twice_is_refused_twice() -> None:
    intake = Intake("mqtt", None)
    intake.take([arrival(b"off")])

    assert len(intake.take([arrival(b"off")]).reasons) == 1


def test_a_zero_length_message_withdraws() -> None:
    intake = Intake("mqtt", None)
    intake.take([arrival(ZERO)])

    assert intake.take([arrival(b"")]).withdrawn
    assert intake.setpoint is None


def test_what_was_withdrawn_can_be_asked_for_again() -> None:
    intake = Intake("mqtt", None)
    intake.take([arrival(ZERO), arrival(b"")])

    assert limit_of(intake.take([arrival(ZERO, 110.0)])) == 0.0


def test_a_setpoint_after_a_withdrawal_in_one_batch_holds() -> None:
    outcome = Intake("mqtt", None).take([arrival(b""), arrival(ZERO)])

    assert not outcome.withdrawn
    assert limit_of(outcome) == 0.0


def test_a_source_that_must_renew_its_setpoint_is_fresh_only_while_one_holds() -> None:
    intake = Intake("mqtt", validity_s=10.0)
    never = intake.is_fresh(100.0, NOW)
    intake.take([arrival(ZERO)])

    assert not never
    assert intake.is_fresh(109.9, NOW)
    assert not intake.is_fresh(110.0, NOW)


def test_a_withdrawn_setpoint_is_not_fresh() -> None:
    intake = Intake("mqtt", validity_s=10.0)
    intake.take([arrival(ZERO)])
    intake.take([arrival(b"", 101.0)])

    assert not intake.is_fresh(101.0, NOW)


def test_a_source_whose_setpoints_have_no_validity_is_always_fresh() -> None:
    assert Intake("mqtt", None).is_fresh(1e9, NOW)


ENDED_5_H_AGO = b'{"opModExpLimW": 0, "validUntil": "2026-06-01T07:00:00Z"}'
FOR_AN_HOUR = b'{"opModExpLimW": 0, "validUntil": "2026-06-01T13:00:00Z"}'


def by_a_clock_ahead_by(hours: float, message: Arrival) -> Arrival:
    return replace(message, wall=message.wall + timedelta(hours=hours))


def test_a_message_that_was_refused_for_its_time_alone_counts_when_it_comes_again_by_the_right_clock() -> None:
    intake = Intake("mqtt", None)
    early = intake.take([by_a_clock_ahead_by(6, arrival(FOR_AN_HOUR, redelivered=True))])

    assert "has passed" in early.reasons[0]
    assert limit_of(intake.take([arrival(FOR_AN_HOUR, 160.0, redelivered=True)])) == 0.0


def test_a_retained_message_whose_time_has_passed_is_refused_once() -> None:
    intake = Intake("mqtt", None)

    assert len(intake.take([arrival(ENDED_5_H_AGO, redelivered=True)]).reasons) == 1
    assert intake.take([arrival(ENDED_5_H_AGO, 130.0, redelivered=True)]) == Outcome()


def test_a_message_that_was_refused_for_its_time_alone_counts_once_the_clock_is_right_without_coming_again() -> None:
    intake = Intake("mqtt", 600.0)
    intake.take([by_a_clock_ahead_by(6, arrival(FOR_AN_HOUR))])

    assert intake.reconsider(160.0, NOW + timedelta(hours=6, seconds=60)) == Outcome()
    assert limit_of(intake.reconsider(170.0, NOW + timedelta(seconds=70))) == 0.0
    assert intake.setpoint is not None
    assert intake.setpoint.expires_at_s == 700.0, "its validity counts from when it came"
    assert intake.reconsider(180.0, NOW + timedelta(seconds=80)) == Outcome()


def test_what_came_after_a_message_that_was_refused_for_its_time_stays_whatever_the_clock_says() -> None:
    intake = Intake("mqtt", None)
    intake.take([by_a_clock_ahead_by(6, arrival(FOR_AN_HOUR))])
    intake.take([by_a_clock_ahead_by(6, arrival(HALF, 110.0))])

    assert intake.reconsider(170.0, NOW + timedelta(seconds=70)) == Outcome()
    assert limit_in_force(intake) == 2500.0


HALF_FOR_AN_HOUR = FOR_AN_HOUR.replace(b": 0,", b": 2500,")


def test_a_message_that_was_refused_for_its_time_does_not_come_back_over_what_came_after_it() -> None:
    intake = Intake("mqtt", None)
    intake.take([by_a_clock_ahead_by(6, arrival(HALF_FOR_AN_HOUR))])
    intake.take([by_a_clock_ahead_by(6, arrival(ZERO, 110.0))])

    assert intake.take([arrival(HALF_FOR_AN_HOUR, 120.0, redelivered=True)]) == Outcome()
    assert limit_in_force(intake) == 0.0


def test_one_that_is_refused_for_its_time_is_not_superseded_by_one_before_it_that_came_at_once() -> None:
    intake = Intake("mqtt", None)
    late = arrival(HALF_FOR_AN_HOUR, redelivered=True)
    intake.take([by_a_clock_ahead_by(6, arrival(ZERO)), by_a_clock_ahead_by(6, late)])

    assert limit_of(intake.reconsider(170.0, NOW + timedelta(seconds=70))) == 2500.0


def test_a_message_that_is_handed_over_again_does_not_take_the_place_of_a_newer_one_that_waits_for_the_clock() -> None:
    intake = Intake("mqtt", None)
    for message in (
        arrival(HALF_FOR_AN_HOUR),
        arrival(FOR_AN_HOUR, 110.0),
        arrival(HALF_FOR_AN_HOUR, 120.0, redelivered=True),
    ):
        intake.take([by_a_clock_ahead_by(6, message)])

    assert limit_of(intake.reconsider(170.0, NOW + timedelta(seconds=70))) == 0.0


def restored(before: Intake, at_s: float, *, validity_s: float | None = None, wall_s: float = 0.0) -> Intake:
    """The same source after a restart: the monotonic clock began anew, `wall_s` after NOW on the wall."""
    wall = NOW + timedelta(seconds=wall_s)
    return Intake.restored("mqtt", validity_s, "", before.kept(), now_s=at_s, wall=wall)


def test_a_retained_message_that_a_live_one_superseded_does_not_come_back() -> None:
    intake = Intake("mqtt", None)
    intake.take([arrival(HALF, redelivered=True)])
    intake.take([arrival(ZERO, 110.0)])

    assert intake.take([arrival(HALF, 120.0, redelivered=True)]) == Outcome()
    assert limit_in_force(intake) == 0.0


def test_what_was_superseded_within_one_batch_does_not_come_back_either() -> None:
    intake = Intake("mqtt", None)
    intake.take([arrival(HALF, redelivered=True), arrival(ZERO)])

    assert intake.take([arrival(HALF, 120.0, redelivered=True)]) == Outcome()


def test_a_withdrawn_message_does_not_come_back() -> None:
    intake = Intake("mqtt", None)
    intake.take([arrival(HALF, redelivered=True)])
    intake.take([arrival(b"", 110.0)])

    assert intake.take([arrival(HALF, 120.0, redelivered=True)]) == Outcome()
    assert intake.setpoint is None


def test_a_superseded_message_that_is_sent_anew_counts_again() -> None:
    intake = Intake("mqtt", None)
    for payload, at_s in ((HALF, 100.0), (ZERO, 110.0), (HALF, 120.0)):
        intake.take([arrival(payload, at_s)])

    assert limit_in_force(intake) == 2500.0
    assert intake.take([arrival(ZERO, 130.0, redelivered=True)]) == Outcome()


def test_another_retained_message_after_a_reconnect_is_news() -> None:
    intake = Intake("mqtt", None)
    intake.take([arrival(HALF, redelivered=True)])

    assert limit_of(intake.take([arrival(ZERO, 130.0, redelivered=True)])) == 0.0


def test_what_was_superseded_stays_so_over_a_restart() -> None:
    before = Intake("mqtt", None)
    before.take([arrival(HALF, redelivered=True), arrival(ZERO)])

    after = restored(before, at_s=5.0, wall_s=3600.0)

    assert after.take([arrival(HALF, 6.0, redelivered=True)]) == Outcome()
    assert limit_in_force(after) == 0.0


def test_a_validity_goes_on_over_a_restart() -> None:
    before = Intake("mqtt", 60.0)
    before.take([arrival(ZERO)])

    after = restored(before, at_s=5.0, validity_s=60.0, wall_s=20.0)

    assert after.setpoint is not None
    assert after.setpoint.expires_at_s == 45.0
    assert not restored(before, at_s=5.0, validity_s=60.0, wall_s=61.0).is_fresh(5.0, NOW)


def test_a_clock_that_is_behind_after_a_restart_does_not_end_a_limit_early_nor_prolong_it_without_bound() -> None:
    before = Intake("mqtt", 60.0)
    before.take([arrival(ZERO)])

    after = restored(before, at_s=5.0, validity_s=60.0, wall_s=-6 * 3600.0)

    assert after.setpoint is not None
    assert after.setpoint.expires_at_s == 65.0


def test_a_source_that_was_never_heard_keeps_nothing_and_a_withdrawn_one_was_heard() -> None:
    silent, withdrawn = Intake("mqtt", None), Intake("mqtt", None)
    withdrawn.take([arrival(ZERO), arrival(b"")])

    assert silent.kept() is None
    kept = withdrawn.kept()
    assert kept is not None
    assert kept.message is None


def test_what_is_remembered_of_superseded_messages_is_bounded() -> None:
    intake = Intake("mqtt", None)
    for watts in range(3 * SUPERSEDED_KEPT):
        intake.take([arrival(b'{"opModExpLimW": %d}' % watts)])

    kept = intake.kept()

    assert kept is not None
    assert len(kept.superseded) == SUPERSEDED_KEPT
    newest = b'{"opModExpLimW": %d}' % (3 * SUPERSEDED_KEPT - 2)
    assert intake.take([arrival(newest, redelivered=True)]) == Outcome()


@given(
    texts(),
    lists(sampled_from(["aa", "bb", "cc"]), unique=True),
    datetimes(timezones=just(UTC)),
    one_of(none(), texts()),
)
def test_what_is_kept_is_read_again_as_it_was(
    origin: str, superseded: list[str], received: datetime, message: str | None
) -> None:
    sources = {"mqtt": KeptSource(origin, message, received, tuple(superseded))}

    assert from_json(to_json(sources)) == sources


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"mqtt": {}}', '{"mqtt": null}'],
)
def test_a_broken_file_of_kept_setpoints_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"JSON|fields|value|Expecting"):
        from_json(text)


def limit_in_force(intake: Intake) -> float | None:
    return intake.setpoint.fields.export_limit_watts if intake.setpoint else None
