"""The words of what a reload of site.yaml changes, one line each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from orchestrator.reason import Reason
from orchestrator.reason.template import Row, by_code, say_by

# fmt: off
CHANGES: Final[Mapping[str, tuple[Row, ...]]] = {
    "What a reload has changed": (
        Row("reloaded", "reloaded: {what}", "the plant runs on the new site.yaml"),
        Row("nothing_changed", "nothing has changed", "the file says what it said before"),
        Row("inverter_added", "inverter {name}: added", "it is new in site.yaml"),
        Row("inverter_is_another", "inverter {name}: another device now", "its name leads elsewhere"),
        Row("inverter_removed", "inverter {name}: removed", "site.yaml has it no more"),
        Row("inverter_removed_handed_back", "inverter {name}: removed, handed back",
            "site.yaml has it no more, and it does what its own settings say"),
        Row("inverter_changed", "inverter {name}: changed", "the same device, with other settings"),
        Row("inverter_handed_back", "inverter {name}: handed back, it is not controlled any more",
            "site.yaml says so"),
        Row("battery_left", "inverter {name}: its battery is left to itself", "site.yaml no longer commands it"),
        Row("rules_changed", "control, setpoints or site: changed", "what the site decides by"),
        Row("section_changed", "{section}: changed", "this section of site.yaml"),
    ),
}
"""By what they are about."""
# fmt: on

_ROWS: Final[Mapping[str, Row]] = by_code(CHANGES)


def say_change(change: Reason) -> str:
    """The words of a change, with its facts."""
    return say_by(_ROWS, change)
