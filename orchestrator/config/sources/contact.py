"""`contact:` of a topic or of Modbus inputs: what each word of a contact of the network means."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from orchestrator.config.sources.setpoint_values import SetpointValues
from orchestrator.documents.section import Mistakes, Percent, Section, Watts
from orchestrator.documents.yaml_text import Finding
from orchestrator.setpoints.contacts import LONGEST_WORD, least_import_watts, parse_word
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.intake import Language
from orchestrator.setpoints.merge import Setpoint, merge

Word = Annotated[
    str,
    Field(
        pattern=rf"^[^\s]{{1,{LONGEST_WORD}}}$",
        description="a word of 1 to 64 characters, in quotes where it looks like a number, or is true or false",
    ),
]


class Section14a(Section):
    """`contact.rows[].section_14a:` the least power of several devices by section 14a EnWG, as a limit."""

    devices: Annotated[int, Field(ge=1, le=1000)]
    heat_pump_watts: Watts = 0.0
    air_conditioning_watts: Watts = 0.0
    limits: Literal["import_limit_watts", "load_limit_watts", "battery_grid_charging_max_watts"] = "import_limit_watts"

    @property
    def watts(self) -> float:
        """The limit in W."""
        return least_import_watts(self.devices, self.heat_pump_watts, self.air_conditioning_watts)


class ContactRow(Section):
    """`setpoints.mqtt[].contact.rows[]:` one word, and what is asked for while the contact says it."""

    says: Word
    percent: Percent | None = None
    section_14a: Section14a | None = None
    fields: SetpointValues = SetpointFields()


class ContactSection(Section):
    """`setpoints.mqtt[].contact:` the words of one contact. `percent` is of `rated_watts`."""

    rows: Annotated[tuple[ContactRow, ...], Field(min_length=1, max_length=64, strict=False)]
    rated_watts: Annotated[float, Field(gt=0, le=1e9)] | None = None
    percent_limits: Literal["export_limit_watts", "generation_limit_watts"] = "generation_limit_watts"

    @property
    def language(self) -> Language:
        """How its messages are read."""
        return Language(partial(parse_word, {row.says: self._fields(row) for row in self.rows}), repeats=True)

    def asks(self) -> tuple[SetpointFields, ...]:
        """All that it may ask for."""
        return tuple(self._fields(row) for row in self.rows)

    def _fields(self, row: ContactRow) -> SetpointFields:
        """All that a row asks for, the stricter where it says the same twice."""
        stated: list[dict[str, Any]] = []
        if row.percent is not None and self.rated_watts is not None:
            stated.append({self.percent_limits: self.rated_watts * row.percent / 100})
        if row.section_14a is not None:
            stated.append({row.section_14a.limits: row.section_14a.watts})
        return merge([Setpoint("", each) for each in (row.fields, *(SetpointFields(**one) for one in stated))]).fields

    @model_validator(mode="after")
    def _words_are_clear(self) -> Self:
        found = list(self._mistakes())
        if found:
            raise Mistakes(*found)
        return self

    def _mistakes(self) -> Iterator[Finding]:
        first: dict[str, int] = {}
        for index, row in enumerate(self.rows):
            if row.says in first:
                yield ("rows", index, "says"), f"must be unique; rows[{first[row.says]}] is for {row.says!r} already"
            first.setdefault(row.says, index)
            if row.percent is not None and self.rated_watts is None:
                yield ("rows", index, "percent"), "needs rated_watts under contact: what it is a percentage of"
