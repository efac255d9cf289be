"""`setpoints.mqtt[].prices:` what is asked for at which price."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import inf
from typing import Annotated, Self

from pydantic import Field, model_validator

from orchestrator.config.sources.setpoint_values import SetpointValues
from orchestrator.documents.section import Mistakes, Name, Section, Text
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.intake import Language
from orchestrator.setpoints.prices import HIGHEST_PRICE, PriceRule, parse_prices

PriceBound = Annotated[float, Field(ge=-HIGHEST_PRICE, le=HIGHEST_PRICE)]


class PriceRow(Section):
    """`setpoints.mqtt[].prices[]:` one row of the table. Rows may overlap: then both hold, merged like sources."""

    below: PriceBound | None = None
    at_least: PriceBound | None = None
    fields: SetpointValues

    @property
    def rule(self) -> PriceRule:
        """The row as the prices are read by."""
        below = inf if self.below is None else self.below
        return PriceRule(below, -inf if self.at_least is None else self.at_least, self.fields)

    @model_validator(mode="after")
    def _can_hold(self) -> Self:
        if self.below is None and self.at_least is None:
            raise Mistakes((("below",), "needs below or at_least, or both: the prices at which this row holds"))
        if self.rule.below <= self.rule.at_least:
            raise Mistakes((("below",), f"must be above at_least, which is {self.at_least:g} (got {self.below:g})"))
        if not self.fields.asked():
            raise Mistakes((("fields",), "asks for nothing; take the row away, or write what holds at these prices"))
        return self


def language_of_prices(rows: Sequence[PriceRow]) -> Language:
    """How messages with prices are read by these rows."""
    return Language(partial(parse_prices, tuple(row.rule for row in rows)))


class PriceFile(Section):
    """`setpoints.price_files[]:` a source that reads its prices from a file of this machine."""

    name: Name
    prices_file: Text
    prices: Annotated[tuple[PriceRow, ...], Field(min_length=1, max_length=50, strict=False)]
    default: SetpointValues

    @property
    def language(self) -> Language:
        """How the file is read."""
        return language_of_prices(self.prices)

    def asks(self) -> tuple[SetpointFields, ...]:
        """All that it may ask for."""
        return (*(each.fields for each in self.prices), self.default)
