"""The messages of one source: newest valid one wins, and old news is no news."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from orchestrator.setpoints.intake import Arrival, Intake, Outcome

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

    assert limit_of(intake.take([arrival(ZERO, redelivered=True)])) == 0.0


def test_a_setpoint_after_a_withdrawal_in_one_batch_holds() -> None:
    outcome = Intake("mqtt", None).take([arrival(b""), arrival(ZERO)])

    assert not outcome.withdrawn
    assert limit_of(outcome) == 0.0


def test_a_source_that_must_renew_its_setpoint_is_fresh_only_while_one_holds() -> None:
    intake = Intake("mqtt", validity_s=10.0)
    never = intake.is_fresh(100.0)
    intake.take([arrival(ZERO)])

    assert not never
    assert intake.is_fresh(109.9)
    assert not intake.is_fresh(110.0)


def test_a_withdrawn_setpoint_is_not_fresh() -> None:
    intake = Intake("mqtt", validity_s=10.0)
    intake.take([arrival(ZERO)])
    intake.take([arrival(b"", 101.0)])

    assert not intake.is_fresh(101.0)


def test_a_source_whose_setpoints_have_no_validity_is_always_fresh() -> None:
    assert Intake("mqtt", None).is_fresh(1e9)
