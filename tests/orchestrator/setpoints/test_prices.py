"""A series of prices as a setpoint: what its table asks for at each moment, and what is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.errors import PayloadError
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import Setpoint
from orchestrator.setpoints.payload import HasPassedError
from orchestrator.setpoints.prices import MOST_PRICES, PriceRule, parse_prices

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
ZERO = SetpointFields(export_limit_watts=0.0)
CHARGE = SetpointFields(battery_grid_charging_enabled=True)
RULES = (PriceRule(0.0, -inf, ZERO), PriceRule(0.05, -inf, CHARGE))


def hour(index: int, price: object) -> dict[str, object]:
    """The price of one hour, counted from noon."""
    start = NOON + timedelta(hours=index)
    return {"start": start.isoformat(), "end": (start + timedelta(hours=1)).isoformat(), "price": price}


def series(*prices: object) -> bytes:
    return json.dumps({"prices": [hour(index, price) for index, price in enumerate(prices)]}).encode()


def parse(payload: bytes, validity_s: float | None = None, wall_now: datetime = NOON) -> Setpoint:
    return parse_prices(RULES, payload, source="prices", received_at_s=0.0, wall_now=wall_now, validity_s=validity_s)


def asked(setpoint: Setpoint, hours: float) -> SetpointFields | None:
    """What it asks for so many hours after noon."""
    now = setpoint.at(hours * 3600, NOON.timestamp() + hours * 3600)
    return None if now is None else now.fields


def test_each_hour_asks_for_what_its_price_means() -> None:
    setpoint = parse(series(0.2, 0.04, -0.01))

    assert asked(setpoint, 0.5) == SetpointFields()
    assert asked(setpoint, 1.0) == CHARGE
    assert asked(setpoint, 2.0) == SetpointFields(export_limit_watts=0.0, battery_grid_charging_enabled=True)


def test_what_holds_now_ends_with_its_hour_and_neighbours_that_mean_the_same_are_one() -> None:
    now = parse(series(-0.01, -0.02, 0.2)).at(0.0, NOON.timestamp())

    assert now is not None
    assert (now.valid_until, now.until_wall_s) == ("2026-06-01T14:00:00Z", NOON.timestamp() + 7200)


def test_where_no_price_is_known_it_asks_for_nothing_valid() -> None:
    gap = parse(json.dumps({"prices": [hour(1, -0.01), hour(3, -0.01)]}).encode())

    assert [asked(gap, hours) for hours in (0.5, 2.5, 4.0)] == [None, None, None]
    assert asked(gap, 1.5) == asked(gap, 3.5) != None  # noqa: E711


def test_a_validity_ends_it_before_its_last_price() -> None:
    setpoint = parse(series(-0.01, -0.01), validity_s=1800.0)

    assert setpoint.valid_until == "2026-06-01T12:30:00Z"
    assert asked(setpoint, 0.49) is not None
    assert asked(setpoint, 0.5) is None


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"[]", "the message must be a JSON object"),
        (b"{}", 'the message must be {"prices": [...]} with 1 to 1000 prices, and nothing else'),
        (b'{"prices": []}', "with 1 to 1000 prices"),
        (b'{"prices": [1]}', "prices[0] must be an object with start, end, price"),
        (series(0.1, "x"), "prices[1].price must be a number from -1000000 to 1000000"),
        (series(True), "prices[0].price must be a number"),
        (series(0.1).replace(b'"price"', b'"prise"'), 'prices[0] has an unknown member "prise"; did you mean "price"?'),
        (series(0.1).replace(b"+00:00", b""), "prices[0].start must be a time with its offset"),
        (json.dumps({"prices": [hour(0, 1), hour(0, 2)]}).encode(), "two prices hold at 2026-06-01T12:00:00Z"),
        (json.dumps({"prices": [{**hour(0, 1), "end": NOON.isoformat()}]}).encode(), "prices[0].end must be after"),
        (json.dumps({"prices": [hour(0, 1)] * (MOST_PRICES + 1)}).encode(), "longer than 65536 bytes"),
    ],
)
def test_what_is_no_series_of_prices_is_refused_with_the_reason(payload: bytes, reason: str) -> None:
    with pytest.raises(PayloadError) as refused:
        parse(payload)

    assert reason in str(refused.value)


def test_a_series_that_has_passed_may_be_the_fault_of_the_clock() -> None:
    with pytest.raises(HasPassedError, match="the last price has ended at 2026-06-01T13:00:00Z"):
        parse(series(0.1), wall_now=NOON + timedelta(hours=2))


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5) | st.just(NOON.isoformat()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["start", "end", "price"]), inner),
    max_leaves=8,
)


@settings(max_examples=100)
@given(st.binary(max_size=50) | st.builds(lambda value: json.dumps({"prices": value}).encode(), JSON))
def test_any_bytes_are_prices_or_are_refused(payload: bytes) -> None:
    try:
        setpoint = parse(payload)
    except PayloadError:
        return
    assert all(step.begin_wall_s < step.end_wall_s for step in setpoint.plan)


@settings(max_examples=50)
@given(st.lists(st.floats(-1, 1), min_size=1, max_size=24), st.floats(0, 23.99))
def test_at_every_moment_it_asks_for_what_the_price_of_that_moment_means(prices: list[float], hours: float) -> None:
    wanted = None
    if int(hours) < len(prices):
        price = prices[int(hours)]
        wanted = SetpointFields(
            export_limit_watts=0.0 if price < 0 else None, battery_grid_charging_enabled=True if price < 0.05 else None
        )

    assert asked(parse(series(*prices)), hours) == wanted
