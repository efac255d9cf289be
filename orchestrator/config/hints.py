"""What an unknown key of a site.yaml may mean: one of another driver, or its name in MQTT messages."""

from __future__ import annotations

from typing import Final

from orchestrator.config.sections import MQTT_DRIVER
from orchestrator.devices.makes.choice import SUNSPEC
from orchestrator.documents.problems import UnknownKey
from orchestrator.documents.yaml_text import KeyPath
from orchestrator.setpoints.fields import ROWS

OTHER_NAMES_OF_BAUD_RATE: Final = ("speed", "rate", "baud", "bps")


def meaning_of_key(unknown: UnknownKey) -> str | None:
    """The end of a message about a key that its section does not know; None where nothing special is meant."""
    driver = _driver_with(unknown)
    if driver is not None:
        return f"it belongs to driver {driver!r}, which this section does not have"
    if unknown.path[-2:-1] == ("serial",) and unknown.key in OTHER_NAMES_OF_BAUD_RATE:
        return "here it is 'baud_rate'"
    return name_in_messages(unknown)


def name_in_messages(unknown: UnknownKey) -> str | None:
    """The same where a setpoint has a field by its name in MQTT messages; None where it has not."""
    names = [row.name for row in ROWS if unknown.key in row.wire_names and row.name in unknown.known]
    return f"that is its name in MQTT messages, here it is {names[0]!r}" if names else None


def _driver_with(unknown: UnknownKey) -> str | None:
    """The driver whose sections have a key that this one does not know."""
    path = unknown.path[:-1]
    if path != ("meter",) and not (path[:1] == ("inverters",) and len(path) == 2):
        return None
    for driver in (SUNSPEC, MQTT_DRIVER):
        if unknown.key in unknown.shape.keys(path, _site_of(driver, path)):
            return driver
    return None


def _site_of(driver: str, path: KeyPath) -> dict[str, object]:
    """A site whose section at `path` has this driver."""
    section = {"driver": driver}
    entries = int(path[1]) + 1 if len(path) > 1 else 0
    return {"meter": section, "inverters": [section] * entries}
