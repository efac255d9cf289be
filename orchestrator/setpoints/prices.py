"""A series of prices as a setpoint: a table says what is asked for while the price is below or above a number.

A message is `{"prices": [{"start": "2030-01-31T12:00:00Z", "end": "2030-01-31T13:00:00Z", "price": -0.02}, ...]}`. The
unit of a price is that of the table, and nobody else's concern. One that is not exactly this is refused as a whole.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from math import inf
from typing import Any, Final

from orchestrator.errors import PayloadError
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import Setpoint, Step, merge, utc_text
from orchestrator.setpoints.payload import HasPassedError, moment_of, read_object

PRICES: Final = "prices"
MEMBERS: Final = ("start", "end", "price")
MOST_PRICES: Final = 1000
HIGHEST_PRICE: Final = 1e6


@dataclass(frozen=True, slots=True)
class PriceRule:
    """What is asked for while a price is at least `at_least` and below `below`."""

    below: float
    at_least: float
    fields: SetpointFields

    def holds(self, price: float) -> bool:
        """Whether it holds at this price."""
        return self.at_least <= price < self.below


@dataclass(frozen=True, slots=True)
class Price:
    """One price, from `begin_s` to before `end_s` (seconds since 1970)."""

    begin_s: float
    end_s: float
    price: float


def parse_prices(
    rules: Sequence[PriceRule],
    payload: bytes,
    *,
    source: str,
    received_at_s: float,
    wall_now: datetime,
    validity_s: float | None,
) -> Setpoint:
    """The setpoint that the prices in `payload` mean by the `rules`; its plan has a step for each time of one meaning.

    Rules that hold at one price are merged like sources. `received_at_s` is monotonic, `wall_now` the same moment. It
    ends with the last price, or `validity_s` after its arrival. Raises PayloadError with the reason when it is no
    series of prices, HasPassedError when all of it has passed.
    """
    prices = read_prices(payload)
    end_s, now_s = prices[-1].end_s, wall_now.timestamp()
    if end_s <= now_s:
        raise HasPassedError(f"the last price has ended at {utc_text(end_s)}; here it is {utc_text(now_s)}")
    return Setpoint(
        source,
        SetpointFields(),
        received_at_s,
        None if validity_s is None else received_at_s + validity_s,
        utc_text(min(end_s, inf if validity_s is None else now_s + validity_s)),
        until_wall_s=end_s,
        plan=tuple(_steps(rules, prices)),
    )


def read_prices(payload: bytes) -> tuple[Price, ...]:
    """The prices of a message in the order of time, apart from each other. Raises PayloadError with the reason."""
    message = read_object(payload)
    entries = message.pop(PRICES, None)
    if message or not isinstance(entries, list) or not 1 <= len(entries) <= MOST_PRICES:
        raise PayloadError(
            f'the message must be {{"{PRICES}": [...]}} with 1 to {MOST_PRICES} prices, and nothing else'
        )
    prices = sorted((_price(entry, index) for index, entry in enumerate(entries)), key=lambda each: each.begin_s)
    for former, later in pairwise(prices):
        if later.begin_s < former.end_s:
            raise PayloadError(f"two prices hold at {utc_text(later.begin_s)}; each moment has one")
    return tuple(prices)


def _price(entry: Any, index: int) -> Price:
    where = f"{PRICES}[{index}]"
    if not isinstance(entry, dict):
        raise PayloadError(f"{where} must be an object with {', '.join(MEMBERS)}")
    for name in entry:
        if name not in MEMBERS:
            near = difflib.get_close_matches(name[:64], MEMBERS, n=1)
            hint = f'did you mean "{near[0]}"?' if near else f"known are {', '.join(MEMBERS)}"
            raise PayloadError(f"{where} has an unknown member {json.dumps(name[:40])}; {hint}")
    begin_s, end_s = (moment_of(entry.get(name), f"{where}.{name}").timestamp() for name in ("start", "end"))
    price = entry.get("price")
    if isinstance(price, bool) or not isinstance(price, int | float) or not abs(price) <= HIGHEST_PRICE:
        raise PayloadError(f"{where}.price must be a number from -{HIGHEST_PRICE:.0f} to {HIGHEST_PRICE:.0f}")
    if end_s <= begin_s:
        raise PayloadError(f"{where}.end must be after its start")
    return Price(begin_s, end_s, float(price))


def _steps(rules: Sequence[PriceRule], prices: Sequence[Price]) -> Iterator[Step]:
    """What is asked for and when; neighbours that mean the same are one step."""
    last: Step | None = None
    for price in prices:
        fields = merge([Setpoint("", rule.fields) for rule in rules if rule.holds(price.price)]).fields
        if last is not None and last.fields == fields and last.end_wall_s == price.begin_s:
            last = Step(last.begin_wall_s, price.end_s, fields)
            continue
        if last is not None:
            yield last
        last = Step(price.begin_s, price.end_s, fields)
    if last is not None:
        yield last
