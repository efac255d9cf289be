"""What the MQTT actor does for Home Assistant: entities described, energy counted, and what is entered there shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from actors.clock import Clock
from actors.files.home_assistant_store import HomeAssistantStore
from orchestrator import __version__
from orchestrator.config.sections import PublishMqtt, SiteConfig
from orchestrator.decide.records import CycleResult
from orchestrator.documents.json_values import rfc3339
from orchestrator.setpoints.entered import entered
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.telemetry.home_assistant.discovery import ENERGY_TOPIC, ENTERED_TOPIC, Described, descriptions
from orchestrator.telemetry.home_assistant.energy import EnergyTotals, advanced, energy_payload

SAVE_EVERY_S: Final = 60.0
"""Energy is told when it is on the disk, so that it cannot fall back; a memory card bears one write a minute."""
AT_ONCE: Final = 40
"""So many descriptions are sent at once; paho keeps 100 messages that wait, and the limits have to find room there."""

Publish = Callable[[str, str, int], bool]
"""Publishes a retained message: topic, text and QoS. False where it was not taken."""


class HomeAssistant:
    """Used in the actor's thread. Where Home Assistant is not served, it takes away what it was told before."""

    def __init__(self, config: SiteConfig, store: HomeAssistantStore, clock: Clock, publish: Publish) -> None:
        self._config = config
        self._mqtt = config.publish.mqtt
        self._store = store
        self._clock = clock
        self._publish = publish
        self._remembered = store.latest
        self._inverters = dict.fromkeys(inverter.name for inverter in config.inverters)
        self._pending: dict[str, str] = {}
        self._former: CycleResult | None = None
        self._saves_at_s = float("-inf")
        self._energy_told: EnergyTotals | None = None

    @property
    def is_served(self) -> bool:
        """Whether site.yaml wants it."""
        return self._config.publish.for_home_assistant is not None

    @property
    def has_more(self) -> bool:
        """Whether descriptions wait to be sent."""
        return bool(self._pending)

    def connected(self) -> None:
        """The broker is there, and may have lost everything."""
        self._energy_told = None
        self._pending.clear()
        self._describe(self._wanted())

    def send(self) -> None:
        """Send some of what waits."""
        for topic, text in list(self._pending.items())[:AT_ONCE]:
            if not self._publish(topic, text, 1):
                return
            del self._pending[topic]
            if not text:
                self._remembered = replace(self._remembered, told=self._remembered.told - {topic})
                self._saves_at_s = float("-inf")

    def show(self, fields: SetpointFields) -> None:
        """Say what is entered now."""
        if self._mqtt is not None and self.is_served:
            text = _text({"time": self._time(), **entered(fields)})
            self._publish(f"{self._mqtt.topic}/{ENTERED_TOPIC}", text, 1)

    def remove(self, inverter: str) -> None:
        """An inverter is not part of the site any more."""
        self._inverters.pop(inverter, None)
        former = self._remembered
        self._remembered = replace(
            former, batteries=former.batteries - {inverter}, energy=former.energy.without(inverter)
        )
        self._former = None
        self._describe(self._wanted())

    def take(self, result: CycleResult) -> None:
        """A cycle was decided: count its energy, and tell what is safe of it. New inverters and batteries appear."""
        if not self.is_served:
            return
        now_s, wall_s = self._clock.now_s(), self._clock.wall().timestamp()
        energy = advanced(self._remembered.energy, self._former, result, wall_s)
        self._former = result
        there = [sample.name for sample in result.snapshot.inverters]
        with_battery = {sample.name for sample in result.snapshot.inverters if sample.battery is not None}
        is_news = not (with_battery <= self._remembered.batteries and self._inverters.keys() >= set(there))
        self._inverters.update(dict.fromkeys(there))
        self._remembered = replace(self._remembered, energy=energy, batteries=self._remembered.batteries | with_battery)
        if is_news:
            self._describe(self._wanted())
        if now_s >= self._saves_at_s or energy.wh.keys() != self._store.latest.energy.wh.keys():
            self.save()
        self._tell_energy()

    def save(self) -> None:
        """Have everything written soon."""
        if self.is_served or self._remembered != self._store.latest:
            self._store.put(self._remembered)
        self._saves_at_s = self._clock.now_s() + SAVE_EVERY_S

    def _describe(self, wanted: Mapping[str, str]) -> None:
        """Have what is wanted sent, and what is not wanted any more taken away."""
        if self._mqtt is None or not (wanted or self._remembered.told):
            return
        broker = _broker(self._mqtt)
        told = self._remembered.told if self._remembered.broker == broker else frozenset()
        self._pending |= dict.fromkeys(sorted(told - wanted.keys()), "")
        self._pending |= wanted
        self._remembered = replace(self._remembered, broker=broker, told=told | wanted.keys())
        self.save()

    def _wanted(self) -> dict[str, str]:
        publish = self._config.publish.for_home_assistant
        if publish is None or publish.home_assistant is None:
            return {}
        site = Described(
            prefix=publish.home_assistant.prefix,
            topic=publish.topic,
            site=self._config.site.name,
            version=__version__,
            inverters=tuple(self._inverters),
            batteries=self._remembered.batteries & self._inverters.keys(),
        )
        return {topic: _text(payload) for topic, payload in descriptions(site).items()}

    def _tell_energy(self) -> None:
        safe = self._store.safe.energy
        if self._mqtt is not None and safe is not self._energy_told and safe.wh:
            text = _text(energy_payload(safe, self._time()))
            if self._publish(f"{self._mqtt.topic}/{ENERGY_TOPIC}", text, 0):
                self._energy_told = safe

    def _time(self) -> str:
        return rfc3339(self._clock.wall())


def _broker(publish: PublishMqtt) -> str:
    return f"{publish.host}:{publish.port}"


def _text(payload: Mapping[str, Any]) -> str:
    return json.dumps(payload, allow_nan=False)
