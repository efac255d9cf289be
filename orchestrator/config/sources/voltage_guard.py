"""`setpoints.voltage_guard:` an export limit that falls with a voltage that is too high."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import Field, model_validator

from orchestrator.documents.section import Mistakes, Section, Watts
from orchestrator.documents.yaml_text import Finding
from orchestrator.samples import PHASE_VOLTS_LEAST, PHASE_VOLTS_MOST
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.voltage_guard import VOLTAGE_GUARD, GuardLine

RELEASE_BELOW_VOLTS = 1.0
"""Where site.yaml says nothing the limit rises again so far below `start_volts`."""
LEAST_HYSTERESIS_VOLTS = 0.5
LEAST_SPAN_VOLTS = 1.0
"""A line that is steeper than that is a switch: it would throw the plant from one end to the other."""
SECONDS_PER_MINUTE = 60.0
MOST_PERCENT_PER_MINUTE = 60.0
"""Inverters that have left the grid come back after about a minute. Were the whole limit back by then, they would all
come back at once, and leave it again."""

HIGHEST_START_VOLTS = 390.0
"""The highest low voltage of a phase against the neutral is 347 V (Canada), and 12 % more. Above it a voltage between
phases is meant, which the guard never sees: it would never act."""

Volts = Annotated[float, Field(ge=PHASE_VOLTS_LEAST, le=PHASE_VOLTS_MOST)]


class VoltageGuardSection(Section):
    """`setpoints.voltage_guard:` volts are of a phase against the neutral, percents are of `rated_watts`."""

    start_volts: Volts
    stop_volts: Volts
    release_volts: Volts | None = None
    rated_watts: Annotated[float, Field(gt=0, le=1e9)]
    least_watts: Watts = 0.0
    ramp_percent_per_minute: Annotated[float, Field(ge=1, le=MOST_PERCENT_PER_MINUTE)] = 10.0
    hold_s: Annotated[float, Field(ge=5, le=3600)] = 30.0
    default_watts: Watts

    @property
    def name(self) -> str:
        """What it is called among the sources."""
        return VOLTAGE_GUARD

    @property
    def default(self) -> SetpointFields:
        """What it asks for while nobody knows the voltage."""
        return SetpointFields(export_limit_watts=self.default_watts)

    @property
    def line(self) -> GuardLine:
        """The guard as it is worked out."""
        return GuardLine(
            start_volts=self.start_volts,
            stop_volts=self.stop_volts,
            release_volts=self.start_volts - RELEASE_BELOW_VOLTS if self.release_volts is None else self.release_volts,
            rated_watts=self.rated_watts,
            least_watts=self.least_watts,
            ramp_watts_per_s=self.rated_watts * self.ramp_percent_per_minute / 100 / SECONDS_PER_MINUTE,
            hold_s=self.hold_s,
            default_watts=self.default_watts,
        )

    @model_validator(mode="after")
    def _volts_are_in_order(self) -> Self:
        found = list(self._mistakes())
        if found:
            raise Mistakes(*found)
        return self

    def _mistakes(self) -> Iterator[Finding]:
        if self.start_volts > HIGHEST_START_VOLTS:
            yield (
                ("start_volts",),
                f"must be at most {HIGHEST_START_VOLTS:g}: it is the voltage of a phase against the neutral, "
                f"and not between phases (got {self.start_volts:g})",
            )
        if self.stop_volts < self.start_volts + LEAST_SPAN_VOLTS:
            least = self.start_volts + LEAST_SPAN_VOLTS
            yield ("stop_volts",), f"must be at least {least:g}, 1 V above start_volts (got {self.stop_volts:g})"
        if self.release_volts is not None and self.release_volts > self.start_volts - LEAST_HYSTERESIS_VOLTS:
            most = self.start_volts - LEAST_HYSTERESIS_VOLTS
            yield ("release_volts",), f"must be at most {most:g}, 0.5 V below start_volts (got {self.release_volts:g})"
        if self.least_watts >= self.rated_watts:
            yield ("least_watts",), f"must be below rated_watts, which is {self.rated_watts:g}"
