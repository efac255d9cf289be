"""Which event is in force, which response is owed: examples, and laws that hold for any events."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.setpoints.csip.book import ENDED, KEPT_S, MOST_ENTRIES, Book, Code, Response
from orchestrator.setpoints.csip.resources import Control, Default, Status

EXPORT, IMPORT = "export_limit_watts", "import_limit_watts"


def event(mrid: str = "a", start_s: int = 100, duration_s: int = 100, primacy: int = 1, **values: Any) -> Control:
    usual: dict[str, Any] = {"asks": {EXPORT: 1000.0}, "reply_to": "/rsp", "response_required": 3, "created_s": 0}
    return Control(mrid, f"/derp/{primacy}", primacy, start_s=start_s, duration_s=duration_s, **(usual | values))


def codes(responses: tuple[Response, ...]) -> list[tuple[str, int]]:
    return [(each.mrid, each.status) for each in responses]


def limit(book: Book, at_s: float, field: str = EXPORT) -> float | bool | None:
    wanted = book.wanted(at_s).get(field)
    return None if wanted is None else wanted.value


def test_an_event_is_received_started_and_completed() -> None:
    book = Book("site")

    assert codes(book.take([event()], [], 50)) == [("a", Code.RECEIVED)]
    assert codes(book.advance(99)) == []
    assert codes(book.advance(100)) == [("a", Code.STARTED)]
    assert limit(book, 100) == 1000.0
    assert limit(book, 199.9) == 1000.0
    assert limit(book, 200) is None
    assert codes(book.advance(200)) == [("a", Code.COMPLETED)]
    assert codes(book.take([event()], [], 201)) == []


def test_only_what_is_asked_for_is_answered() -> None:
    for required, expected in ((0, []), (1, [Code.RECEIVED]), (2, [Code.STARTED, Code.COMPLETED])):
        book = Book("site")
        responses = (*book.take([event(response_required=required)], [], 50), *book.advance(150), *book.advance(300))
        assert [each.status for each in responses] == expected


def test_what_has_ended_before_it_came_is_expired_and_never_in_force() -> None:
    book = Book("site")

    assert codes(book.take([event()], [], 200)) == [("a", Code.EXPIRED)]
    assert limit(book, 150) is None


def test_an_event_that_asks_for_nothing_known_is_not_applicable() -> None:
    assert codes(Book("site").take([event(asks={})], [], 50)) == [("a", Code.NOT_APPLICABLE)]


def test_the_lower_primacy_supersedes_from_its_begin_on_and_what_is_lost_stays_lost() -> None:
    book = Book("site")
    weak = event("weak", 100, 500, primacy=2, created_s=9, asks={EXPORT: 4000.0})
    strong = event("strong", 200, 100, primacy=1, asks={EXPORT: 1000.0})
    book.take([weak, strong], [Default("/derp/1", 1, {EXPORT: 0.0})], 50)
    book.advance(100)

    assert [limit(book, at_s) for at_s in (150, 200, 299, 300, 599)] == [4000.0, 1000.0, 1000.0, 0.0, 0.0]
    assert codes(book.advance(200)) == [("weak", Code.SUPERSEDED), ("strong", Code.STARTED)]
    assert codes(book.advance(300)) == [("strong", Code.COMPLETED)]


def test_fields_are_superseded_each_by_itself() -> None:
    book = Book("site")
    both = event("both", 100, 500, primacy=2, asks={EXPORT: 4000.0, IMPORT: 4000.0})
    strong = event("strong", 200, 100, primacy=1, asks={EXPORT: 1000.0})
    book.take([both, strong], [], 50)
    book.advance(100)

    assert codes(book.advance(200)) == [("strong", Code.STARTED)]
    assert (limit(book, 250), limit(book, 250, IMPORT)) == (1000.0, 4000.0)
    assert (limit(book, 350), limit(book, 350, IMPORT)) == (None, 4000.0)
    assert set(codes(book.advance(600))) == {("strong", Code.COMPLETED), ("both", Code.COMPLETED)}


def test_among_equals_the_later_created_wins() -> None:
    book = Book("site")
    book.take(
        [event("new", 150, created_s=20, asks={EXPORT: 1.0}), event("old", created_s=10, asks={EXPORT: 2.0})], [], 50
    )

    assert [limit(book, at_s) for at_s in (120, 160, 220)] == [2.0, 1.0, 1.0]


def test_what_is_cancelled_or_listed_no_more_ends_at_once() -> None:
    for after in ([event(status=Status.CANCELLED)], []):
        book = Book("site")
        book.take([event()], [], 50)
        book.advance(100)
        assert codes(book.take(after, [], 150)) == [("a", Code.CANCELLED)]
        assert limit(book, 150) is None
        assert codes(book.take([event()], [], 160)) == []
        assert limit(book, 160) is None


def test_what_is_cancelled_before_it_began_supersedes_nobody() -> None:
    book = Book("site")
    weak, strong = event("weak", 100, 500, primacy=2), event("strong", 200, 100, primacy=1)
    book.take([weak, strong], [], 50)

    assert codes(book.take([weak], [], 60)) == [("strong", Code.CANCELLED)]
    assert [limit(book, at_s) for at_s in (150, 250, 550)] == [1000.0] * 3


def test_a_cancelled_event_with_random_end_goes_on_within_its_bound() -> None:
    book = Book("site")
    book.take([event(randomize_duration_s=30)], [], 50)
    book.advance(100)
    cancelled = event(randomize_duration_s=30, status=Status.CANCELLED_AT_RANDOM)

    assert codes(book.take([cancelled], [], 120)) == [("a", Code.CANCELLED)]
    assert 120 <= book.entries[0].end_s <= 150


def test_random_shifts_are_the_same_after_a_restart_and_another_sites_are_its_own() -> None:
    def begin(salt: str) -> float:
        book = Book(salt)
        book.take([event(randomize_start_s=3600)], [], 50)
        return book.entries[0].begin_s

    assert begin("site") == begin("site")
    assert len({begin(f"site {number}") for number in range(50)}) > 30


def test_events_that_follow_each_other_go_on_doing_so_with_random_starts() -> None:
    book = Book("site")
    book.take([event(str(n), 100 * n, randomize_start_s=60, created_s=n) for n in range(1, 6)], [], 50)
    entries = sorted(book.entries, key=lambda each: each.begin_s)

    assert all(former.end_s == later.begin_s for former, later in pairwise(entries))
    assert all(0 <= each.begin_s - each.control.start_s <= 60 for each in entries)


def test_the_default_of_the_lowest_primacy_that_has_the_field_holds() -> None:
    book = Book("site")
    book.take([], [Default("/b", 2, {EXPORT: 20.0, IMPORT: 2.0}, 0.02), Default("/a", 1, {EXPORT: 10.0})], 0)

    assert (limit(book, 0), limit(book, 0, IMPORT), book.gradient) == (10.0, 2.0, 0.02)


def test_a_server_cannot_fill_the_memory() -> None:
    book = Book("site")
    book.take([event(f"{number:032x}", 100 + number) for number in range(MOST_ENTRIES + 500)], [], 50)

    assert len(book.entries) == MOST_ENTRIES


def test_what_ended_long_ago_is_forgotten() -> None:
    book = Book("site")
    book.take([event()], [], 50)
    book.advance(300)
    book.take([], [], 300 + KEPT_S)

    assert book.entries == ()


EVENTS = st.lists(
    st.builds(
        lambda number, start, duration, primacy, created, fields, random: event(
            f"{number:04x}",
            start,
            duration,
            primacy,
            created_s=created,
            asks={field: float(number) for field in fields},
            randomize_start_s=random,
        ),
        st.integers(0, 9999),
        st.integers(0, 60),
        st.integers(1, 40),
        st.integers(0, 3),
        st.integers(0, 5),
        st.sets(st.sampled_from([EXPORT, IMPORT]), min_size=1),
        st.integers(-10, 10),
    ),
    max_size=8,
    unique_by=lambda each: each.mrid,
)


@settings(max_examples=20)
@given(EVENTS, st.sets(st.integers(0, 119), max_size=6))
def test_laws_of_events(events: list[Control], gone_at: set[int]) -> None:
    book, seen, listed = Book("site"), dict[str, list[int]](), list(events)
    lost: set[tuple[str, str]] = set()
    for now_s in range(-12, 110, 2):
        if now_s in gone_at and listed:
            listed.pop()
        for response in book.take(listed, [], now_s):
            seen.setdefault(response.mrid, []).append(response.status)
        wanted = book.wanted(now_s)
        for field in (EXPORT, IMPORT):
            running = [each for each in book.entries if each.runs_at(now_s) and field in each.control.asks]
            value = wanted[field].value if field in wanted else None
            holders = [each for each in running if each.control.asks[field] == value]
            lost |= {(each.control.mrid, field) for each in running if each not in holders}
            assert not any((each.control.mrid, field) in lost for each in holders), "what was lost came back"
            ranks = [(each.control.primacy, -each.control.created_s) for each in running]
            assert all((each.control.primacy, -each.control.created_s) == min(ranks) for each in holders)
            assert holders or all((each.control.mrid, field) in lost for each in running)
    for history in seen.values():
        assert len([code for code in history if code in ENDED]) <= 1
        assert history == sorted(history, key=lambda code: (code in ENDED, code))
        assert len(history) == len(set(history))
