"""The sensors that Home Assistant is told of: what they show, and where it stands in what is published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from orchestrator.documents.json_values import Payload

LONGEST_STATE: Final = 255
"""Home Assistant takes no longer text as a state."""


@dataclass(frozen=True, slots=True)
class Sensor:
    """One sensor. `template` gives its state from the message on `topic`; `more` are further keys of its description.

    `needs_battery`: it is of no use where there is no battery.
    """

    name: str
    title: str
    topic: str
    template: str
    more: Payload
    needs_battery: bool = False


def _value(key: str) -> str:
    """The template for a key that may be missing or null: the sensor is unknown then, and nothing is logged."""
    return f"{{{{ value_json.get('{key}') }}}}"


def _inner(outer: str, key: str) -> str:
    return f"{{{{ (value_json.get('{outer}') or {{}}).get('{key}') }}}}"


def _energy_of(inverter: str, flow: str) -> str:
    return f"{{{{ ((value_json.get('inverters') or {{}}).get('{inverter}') or {{}}).get('{flow}_wh') }}}}"


def _words(path: str) -> str:
    """A list of words as one text that is not too long for a state."""
    return f"{{{{ ((({path}) or []) | join('; '))[:{LONGEST_STATE}] or 'none' }}}}"


_POWER: Final[Payload] = {"device_class": "power", "state_class": "measurement", "unit_of_measurement": "W"}
_ENERGY: Final[Payload] = {"device_class": "energy", "state_class": "total_increasing", "unit_of_measurement": "Wh"}
_SOC: Final[Payload] = {"device_class": "battery", "state_class": "measurement", "unit_of_measurement": "%"}
_LIMIT: Final[Payload] = {"device_class": "power", "unit_of_measurement": "W", "entity_category": "diagnostic"}
_TEXT: Final[Payload] = {"entity_category": "diagnostic", "icon": "mdi:text"}


def _options(*words: str) -> Payload:
    return {"device_class": "enum", "options": list(words), "entity_category": "diagnostic"}


SITE_SENSORS: Final = (
    Sensor("grid_power", "Grid power", "site", _value("site_watts"), _POWER),
    Sensor("load_power", "Load power", "site", _value("load_watts"), _POWER),
    Sensor("pv_power", "PV power", "site", _value("pv_watts"), _POWER),
    Sensor("battery_power", "Battery power", "site", _value("battery_watts"), _POWER, needs_battery=True),
    Sensor("grid_import", "Grid import", "energy", _value("import_wh"), _ENERGY),
    Sensor("grid_export", "Grid export", "energy", _value("export_wh"), _ENERGY),
    Sensor("pv_energy", "PV energy", "energy", _value("pv_wh"), _ENERGY),
    Sensor("load_energy", "Load energy", "energy", _value("load_wh"), _ENERGY),
    Sensor("battery_charged", "Battery charged", "energy", _value("charge_wh"), _ENERGY, needs_battery=True),
    Sensor("battery_discharged", "Battery discharged", "energy", _value("discharge_wh"), _ENERGY, needs_battery=True),
    Sensor("mode", "Mode", "site", _value("mode"), _options("normal", "failsafe", "waiting")),
    Sensor("reason", "Reason", "site", _words("value_json.get('reasons')"), _TEXT),
    Sensor(
        "inverters_away",
        "Inverters away",
        "site",
        "{{ (value_json.get('inverters_away') or []) | count }}",
        {"state_class": "measurement", "entity_category": "diagnostic", "icon": "mdi:lan-disconnect"},
    ),
    Sensor("export_limit_in_force", "Export limit in force", "limits", _inner("export_limit_watts", "value"), _LIMIT),
    Sensor("import_limit_in_force", "Import limit in force", "limits", _inner("import_limit_watts", "value"), _LIMIT),
)


def inverter_sensors(inverter: str) -> tuple[Sensor, ...]:
    """The sensors of one inverter."""
    topic = f"inverters/{inverter}"
    words = _words("(value_json.get('command') or {}).get('reasons')")
    return (
        Sensor("ac_power", "AC power", topic, _value("ac_watts"), _POWER),
        Sensor("pv_power", "PV power", topic, _value("pv_watts"), _POWER),
        Sensor("battery_power", "Battery power", topic, _value("battery_watts"), _POWER, needs_battery=True),
        Sensor("battery_soc", "Battery SoC", topic, _value("battery_soc_percent"), _SOC, needs_battery=True),
        Sensor("pv_energy", "PV energy", "energy", _energy_of(inverter, "pv"), _ENERGY),
        Sensor("battery_charged", "Battery charged", "energy", _energy_of(inverter, "charge"), _ENERGY, True),
        Sensor("battery_discharged", "Battery discharged", "energy", _energy_of(inverter, "discharge"), _ENERGY, True),
        Sensor("ac_limit", "AC limit", topic, _value("ac_limit_watts"), _LIMIT),
        Sensor("ac_limit_asked", "AC limit asked for", topic, _inner("command", "ac_limit_watts"), _LIMIT),
        Sensor(
            "battery_asked", "Battery power asked for", topic, _inner("command", "battery_target_watts"), _LIMIT, True
        ),
        Sensor("reason", "Reason", topic, words, _TEXT),
    )


def device_of(identifier: str, name: str, **more: Any) -> Payload:
    """How Home Assistant is told of a device."""
    return {"identifiers": [identifier], "name": name, **more}
