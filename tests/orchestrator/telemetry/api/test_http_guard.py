from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.telemetry.api.http_guard import (
    Guesses,
    Head,
    Rules,
    TokenBucket,
    is_of_another_site,
    is_short,
    may_be_addressed_as,
    may_see_details,
    refusal,
)

RULES = Rules(frozenset({"plant.example"}))
GOOD = {"method": "GET", "path": "/metrics", "host": "127.0.0.1:9464"}


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "10.0.0.9:9464", "[::1]:9464", "localhost", "LOCALHOST:1", "plant.example:9464", "Plant.Example."],
)
def test_addresses_and_known_names_are_answered(host: str) -> None:
    assert may_be_addressed_as(host, RULES.hosts)


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "[evil]:80",
        "a" * 300,
        "plant.example@evil",
    ],
)
def test_any_other_name_is_refused(host: str | None) -> None:
    """A page whose own name was made to lead here sends that name (DNS rebinding)."""
    assert refusal(Head(**{**GOOD, "host": host}), RULES) is not None  # type: ignore[arg-type]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "get"])
def test_nothing_but_reading_is_possible(method: str) -> None:
    refused = refusal(Head(**{**GOOD, "method": method}), RULES)

    assert refused is not None
    assert refused.status.startswith("405")


@pytest.mark.parametrize("length", ["1", "1000000000", "-1", "x"])
def test_a_body_is_refused_unread(length: str) -> None:
    refused = refusal(Head(**GOOD, body_bytes=length), RULES)

    assert refused is not None
    assert refused.status.startswith("413")


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer wrong", "Basic secret", "secret", "Bearer secret2"]
)
def test_without_the_token_there_is_no_page(authorization: str | None) -> None:
    rules = Rules(RULES.hosts, "secret")
    refused = refusal(Head(**GOOD, authorization=authorization), rules, open_paths=("/healthz",))

    assert refused is not None
    assert refused.status.startswith("401")
    assert refusal(Head("GET", "/healthz", "127.0.0.1", authorization), rules, open_paths=("/healthz",)) is None


def test_with_the_token_there_is() -> None:
    assert refusal(Head(**GOOD, authorization="Bearer secret"), Rules(RULES.hosts, "secret")) is None
    assert refusal(Head(**GOOD), RULES) is None


@given(st.lists(st.floats(0.0, 2.0), max_size=200))
def test_no_more_than_the_burst_and_the_rate_ever_pass(waits_s: list[float]) -> None:
    bucket, now_s, passed = TokenBucket.full(5.0, 2.0, 0.0), 0.0, 0
    for wait_s in waits_s:
        now_s += wait_s
        may, bucket = bucket.take(now_s)
        passed += may

    assert passed <= 5.0 + 2.0 * now_s + 1e-6
    assert passed >= min(len(waits_s), 5)


def test_the_guesses_of_one_client_do_not_count_for_another() -> None:
    guesses = Guesses()
    for _ in range(10):
        assert not guesses.are_spent("10.0.0.1", 0.0)
        guesses.count("10.0.0.1", 0.0)

    assert guesses.are_spent("10.0.0.1", 0.5)
    assert not guesses.are_spent("10.0.0.1", 1.1)
    assert not guesses.are_spent("10.0.0.2", 0.5)


def test_so_many_clients_are_remembered_and_no_more() -> None:
    guesses = Guesses()
    for number in range(10 * Guesses.MOST_CLIENTS):
        guesses.count(str(number), 0.0)

    assert len(guesses._clients) == Guesses.MOST_CLIENTS


@pytest.mark.parametrize("client", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_details_are_for_this_machine(client: str) -> None:
    assert may_see_details(Head("GET", "/healthz"), Rules(frozenset(), "secret"), client)


@pytest.mark.parametrize("client", ["10.0.0.1", "", None, "localhost.evil"])
def test_details_are_for_nobody_else_without_the_token(client: str | None) -> None:
    assert not may_see_details(Head("GET", "/healthz"), Rules(frozenset(), None), client)
    assert not may_see_details(Head("GET", "/healthz"), Rules(frozenset(), "secret"), client)
    assert may_see_details(Head("GET", "/", authorization="Bearer secret"), Rules(frozenset(), "secret"), client)


@pytest.mark.parametrize(
    ("origin", "fetch_site"),
    [
        ("http://evil.example", None),
        ("null", None),
        ("", None),
        ("http://127.0.0.1", None),
        ("http://127.0.0.1:9465", None),
        ("http://127.0.0.1:9464.evil.example", None),
        ("http://evil.example/http://127.0.0.1:9464", None),
        (None, "cross-site"),
        (None, "same-site"),
        ("http://127.0.0.1:9464", "cross-site"),
    ],
)
def test_what_a_browser_sends_for_the_page_of_another_site_is_known(origin: str | None, fetch_site: str | None) -> None:
    assert is_of_another_site(Head(**GOOD, origin=origin, fetch_site=fetch_site))


@pytest.mark.parametrize(
    ("origin", "fetch_site"),
    [(None, None), ("http://127.0.0.1:9464", None), ("https://127.0.0.1:9464", "same-origin"), (None, "none")],
)
def test_our_own_page_and_programs_are_not_taken_for_it(origin: str | None, fetch_site: str | None) -> None:
    assert not is_of_another_site(Head(**GOOD, origin=origin, fetch_site=fetch_site))


@pytest.mark.parametrize("length", ["65", "-1", "+5", "1e1", " 5", "0x5", "9" * 30, "0" * 25, "\u0665", None, ""])
def test_a_length_that_is_too_long_or_none_is_not_short(length: str | None) -> None:
    assert not is_short(length, 64)
    assert is_short("64", 64)
