"""What a portfolio sends: numbered, again where nobody answers, and a former command never again."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.documents.json_values import Payload
from orchestrator.portfolio.answers import Answer, answer_payload, read_answer
from orchestrator.portfolio.outbox import DEAF_AFTER, REPEAT_AFTER_S, Outbox

TIME = "2026-06-01T12:00:00.000Z"


def write(payload: Payload) -> bytes:
    return json.dumps(payload).encode()


def outbox(wall_s: float = 1000.0) -> Outbox:
    return Outbox(wall_s, write)


def accepted(sequence: int) -> Answer:
    return Answer(TIME, "accepted", sequence, sequence)


def test_what_is_not_answered_is_sent_again_the_same_bytes_until_it_ends() -> None:
    box = outbox()
    sent = box.put({"ac_limit_watts": 5}, 5.0, 0.0)

    assert box.due(REPEAT_AFTER_S - 0.1) is None
    assert box.due(2.0) == sent
    assert box.due(2.5) is None
    assert box.due(4.0) == sent
    assert box.due(6.0) is None
    assert not box.waits


def test_an_answer_ends_it_and_one_to_a_former_command_does_not() -> None:
    box = outbox()
    box.put({}, 60.0, 0.0)
    first = box.sequence
    box.put({}, 60.0, 0.5)

    box.take(accepted(first))
    assert box.waits
    box.take(accepted(box.sequence))
    assert not box.waits
    assert box.due(10.0) is None


def test_where_the_site_knows_a_higher_number_the_next_one_is_above_it() -> None:
    box = outbox()
    box.put({}, 60.0, 0.0)

    assert box.take(Answer(TIME, "refused", box.sequence, 2_000_000, reason="old"))
    assert json.loads(box.put({}, 60.0, 1.0))["sequence"] == 2_000_001


def test_a_site_that_never_answers_is_deaf() -> None:
    box = outbox()
    box.put({}, 60.0, 0.0)
    for count in range(DEAF_AFTER):
        assert not box.is_deaf
        box.due(2.0 * (count + 1))

    assert box.is_deaf
    box.take(accepted(box.sequence))
    assert not box.is_deaf


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 5)), max_size=30))
def test_numbers_rise_and_only_the_newest_command_is_ever_sent(steps: list[tuple[bool, float]]) -> None:
    box, now_s, newest = outbox(), 0.0, -1
    for is_new, wait_s in steps:
        now_s += wait_s
        sent = box.put({}, 20.0, now_s) if is_new else box.due(now_s)
        if sent is None:
            continue
        sequence = json.loads(sent)["sequence"]
        assert sequence > newest if is_new else sequence == newest
        newest = sequence


def test_an_answer_is_read_as_it_was_written() -> None:
    answer = Answer(TIME, "refused", None, 3, reason="sequence: missing")

    assert read_answer(json.dumps(answer_payload(answer)).encode()) == answer
