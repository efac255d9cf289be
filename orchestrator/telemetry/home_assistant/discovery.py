"""The descriptions of entities by which Home Assistant finds the plant: one retained message for each.

The form is that of MQTT discovery with one topic for each entity (`<prefix>/<component>/<node>/<object>/config`),
which Home Assistant reads from before 2024.3 on. Names of entities follow from those of device and entity: neither
`object_id`, which newer versions warn of, nor `default_entity_id`, which older ones do not know, is sent.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from orchestrator.config.audience import HOME_ASSISTANT
from orchestrator.documents.json_values import Payload
from orchestrator.setpoints.entered import ENTRIES, NOT_SET, OFF, ON, Entry
from orchestrator.setpoints.values import Number
from orchestrator.telemetry.home_assistant.sensors import SITE_SENSORS, Sensor, device_of, inverter_sensors

ENERGY_TOPIC: Final = "energy"
ENTERED_TOPIC: Final = HOME_ASSISTANT
"""Below `publish.mqtt.topic`: what was entered in Home Assistant, as it holds now."""
ENTER_TOPIC: Final = f"{HOME_ASSISTANT}/set"
"""Below it, for each field: where Home Assistant sends what is entered."""
MAKER: Final = "orchestrator"


@dataclass(frozen=True, slots=True)
class Described:
    """A site as it is described. `topic` is `publish.mqtt.topic`, `batteries` the inverters that have one."""

    prefix: str
    topic: str
    site: str
    version: str
    inverters: tuple[str, ...]
    batteries: Collection[str]

    @property
    def node(self) -> str:
        """What tells this plant from others of one Home Assistant: made from the topic, which no two plants share."""
        plain = re.sub(r"[^a-z0-9]+", "_", self.topic.lower()).strip("_")
        same = plain == self.topic.replace("/", "_")
        digest = hashlib.sha256(self.topic.encode()).hexdigest()[:6]
        return f"{MAKER}_{plain if same else f'{plain}_{digest}'}"


@dataclass(frozen=True, slots=True)
class _Device:
    """A device as its entities describe it. `online` are the topics that say whether they are available."""

    site: Described
    prefix: str
    payload: Payload
    online: tuple[Payload, ...]

    def entity(self, component: str, name: str, title: str, keys: Mapping[str, object]) -> tuple[str, Payload]:
        """The topic of an entity, and its description."""
        site, object_id = self.site, f"{self.prefix}{name}"
        return f"{site.prefix}/{component}/{site.node}/{object_id}/config", {
            "name": title,
            "unique_id": f"{site.node}_{object_id}",
            **keys,
            "availability": list(self.online),
            "availability_mode": "all",
            "device": self.payload,
            "origin": {"name": MAKER, "sw_version": site.version},
        }


def descriptions(site: Described) -> dict[str, Payload]:
    """Every description by its topic, those of the site first."""
    found = dict(_of_site(site))
    for name in site.inverters:
        found.update(_of_inverter(site, name))
    return found


def _of_site(site: Described) -> Iterator[tuple[str, Payload]]:
    payload = device_of(site.node, site.site, manufacturer=MAKER, model="Plant", sw_version=site.version)
    device = _Device(site, "", payload, (_status(site),))
    for sensor in SITE_SENSORS:
        if site.batteries or not sensor.needs_battery:
            yield _sensor(device, sensor)
    for entry in ENTRIES:
        if site.batteries or not entry.needs_battery:
            yield from _controls(device, entry)


def _of_inverter(site: Described, name: str) -> Iterator[tuple[str, Payload]]:
    payload = device_of(f"{site.node}_{name}", f"{site.site} {name}", model="Inverter", via_device=site.node)
    answers: Payload = {
        "topic": f"{site.topic}/inverters/{name}",
        "value_template": "{{ 'online' if value_json.get('online') else 'offline' }}",
    }
    always = _Device(site, f"inverter_{name}_", payload, (_status(site),))
    while_it_answers = replace(always, online=(_status(site), answers))
    for sensor in inverter_sensors(name):
        if name in site.batteries or not sensor.needs_battery:
            yield _sensor(always if sensor.topic == ENERGY_TOPIC else while_it_answers, sensor)


def _sensor(device: _Device, sensor: Sensor) -> tuple[str, Payload]:
    state = {"state_topic": f"{device.site.topic}/{sensor.topic}", "value_template": sensor.template}
    return device.entity("sensor", sensor.name, sensor.title, {**state, **sensor.more})


def _controls(device: _Device, entry: Entry) -> Iterator[tuple[str, Payload]]:
    """A field as something to be set. A number has a button beside it: a number cannot be taken away by itself."""
    topic, field = device.site.topic, entry.field
    command = {"command_topic": f"{topic}/{ENTER_TOPIC}/{field}", "qos": 1}
    shown = {"state_topic": f"{topic}/{ENTERED_TOPIC}", "value_template": f"{{{{ value_json.get('{field}') }}}}"}
    if entry.is_switch:
        keys = {"payload_on": ON, "payload_off": OFF, "icon": "mdi:power-standby"}
        yield device.entity("switch", field, entry.title, {**command, **shown, **keys})
    elif isinstance(entry.row.value, Number):
        yield device.entity("number", field, entry.title, {**command, **shown, **_range(entry.row.value)})
        clear = {**command, "payload_press": NOT_SET, "icon": "mdi:close-circle-outline", "entity_category": "config"}
        yield device.entity("button", f"{field}_clear", f"{entry.title} clear", clear)
    else:
        options = {"options": [word for word, _ in entry.words]}
        yield device.entity("select", field, entry.title, {**command, **shown, **options})


def _range(value: Number) -> Payload:
    unit: Payload = {
        "unit_of_measurement": value.unit,
        "min": value.lowest,
        "max": value.highest,
        "step": 1,
        "mode": "box",
    }
    return {**unit, "device_class": "power"} if value.unit == "W" else unit


def _status(site: Described) -> Payload:
    return {"topic": f"{site.topic}/status"}
