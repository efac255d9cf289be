"""The meter: polled by its own Tick, faster than it measures, so that a new value reaches the site at once."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from actors.actor import Actor, Surroundings
from actors.address import Recipient
from actors.device.session import DeviceSession, Unreachable
from actors.link import Link
from actors.messages import Report, Tick
from orchestrator.config.sections import MeterConfig
from orchestrator.devices.base import AnyDriver
from orchestrator.devices.link.line_load import meter_rest_s
from orchestrator.errors import DeviceError

RETRY_LONGEST_S = 2.0
NAME = "meter"


class MeterActor(Actor):
    """Tells `site` each new value, and an unchanged one every `report_interval_s` (then `changed_at_s` stays).

    Values are in the meter's own sign.
    """

    def __init__(
        self,
        surroundings: Surroundings,
        *,
        config: MeterConfig,
        driver: AnyDriver,
        link: Link,
        site: Recipient,
        report_interval_s: float,
    ) -> None:
        super().__init__(NAME, surroundings)
        self._config = config
        self._driver = driver
        self._site = site
        self._report_interval_s = report_interval_s
        self._session = DeviceSession(
            NAME, driver, link, config.unit_id, clock=self.clock, retry_longest_s=RETRY_LONGEST_S, role="meter"
        )
        self._shown: tuple[float, tuple[float, ...]] | None = None
        self._changed_at_s = self._reported_at_s = float("-inf")

    def receive(self, message: Any) -> None:
        """The first Tick starts the polling."""
        if isinstance(message, Tick):
            self._poll()

    def close(self) -> None:
        """End the connection."""
        self._session.close()

    def _poll(self) -> None:
        began_s = self.clock.now_s()
        try:
            self._session.connect(None)
            self._take(self._session.read())
        except Unreachable:
            pass  # the failure was reported when it happened
        except DeviceError as trouble:
            self._site.tell(Report(self.name, 0, fault=trouble.kind, why=trouble.why))
        now_s = self.clock.now_s()
        rest_s = meter_rest_s(now_s - began_s) if self._config.line else 0.0
        self.later(max(rest_s, began_s + self._config.interval_s - now_s), Tick())

    def _take(self, registers: dict[int, int]) -> None:
        now_s = self.clock.now_s()
        sample = self._driver.decode_meter(self._session.device, registers, now_s)
        # Counters and frequency may move between two measurements of power: they make no new value.
        shown = (sample.site_watts, sample.phase_watts)
        if shown != self._shown:
            self._shown = shown
            self._changed_at_s = now_s
        elif now_s - self._reported_at_s < self._report_interval_s:
            return
        self._reported_at_s = now_s
        self._site.tell(Report(self.name, 0, replace(sample, changed_at_s=self._changed_at_s)))
