"""Commands to one device by MQTT: changed ones at once, others to renew them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from actors.clock import Clock
from actors.messages import Acknowledged
from actors.wire.mqtt_connection import MqttConnection
from orchestrator.commands import InverterCommand
from orchestrator.devices.mqtt.messages import meaning, write_command
from orchestrator.documents.json_values import Payload
from orchestrator.telemetry.payloads import reasons_payload

REFRESH_SHARE: Final = 0.4
"""A command is sent again after this share of its validity, as a register is refreshed."""

Publish = Callable[[Payload, InverterCommand], None]


class CommandSender:
    """Sends commands over `connection` by `publish`, and says what came of it; the device itself answers nothing."""

    def __init__(self, name: str, connection: MqttConnection, clock: Clock, publish: Publish) -> None:
        self._name = name
        self._connection = connection
        self._clock = clock
        self._publish = publish
        self._sent: Payload = {}
        self._sent_at_s = float("-inf")

    def forget(self) -> None:
        """The next command goes out at once, whatever was sent before."""
        self._sent = {}

    def carry_out(self, command: InverterCommand, issued_at_s: float, *, released: bool = False) -> Acknowledged:
        """Send it where it is due. One that is `released`, a last command, always is."""
        now_s = self._clock.now_s()
        meant = meaning(command)
        fault, detail, writes = None, "", 0
        if not released and now_s - issued_at_s > command.valid_for_s:
            fault, detail = "stale", "the command waited for too long"
        elif not self._connection.is_connected:
            fault, detail = "connection", "the MQTT broker cannot be reached"
            self.forget()
        elif released or self._is_due(meant, command, now_s):
            # The words of the reasons cost the most: with a thousand sites they are made only for what is sent.
            self._publish(write_command(command, self._clock.wall(), reasons_payload(command.reasons)), command)
            self._sent, self._sent_at_s, writes = meant, now_s, 1
        return Acknowledged(self._name, issued_at_s, self._clock.now_s(), writes, fault, detail, released)

    def _is_due(self, meant: Payload, command: InverterCommand, now_s: float) -> bool:
        """Whether it is another command than the one that was sent, or that has to be renewed."""
        if meant != self._sent:
            return True
        return now_s - self._sent_at_s >= REFRESH_SHARE * command.valid_for_s
