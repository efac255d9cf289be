"""The meter as commissioning looks at it: its newest value, in the sign that site.yaml says."""

from __future__ import annotations

from typing import Protocol

from actors.clock import Clock
from actors.device.session import DeviceSession
from actors.link import LinkPool
from actors.meter import NAME as METER
from actors.system import DRIVERS
from actors.wire.mqtt_connection import Listener, MqttConnection
from orchestrator.config.sections import AnyMeterConfig, MeterConfig, MqttMeterConfig, SumMeterConfig
from orchestrator.devices.drivers import driver_of
from orchestrator.devices.mqtt.intake import DeviceIntake
from orchestrator.devices.mqtt.messages import read_meter
from orchestrator.errors import DeviceError
from orchestrator.loop import meter_sign
from orchestrator.samples import MeterSample
from orchestrator.setpoints.intake import Arrival

RETRY_LONGEST_S = 1.0


class GridMeter(Protocol):
    """A meter to look at."""

    def site_watts(self) -> float | None:
        """The power at the grid connection now, import +; None while it is unknown."""

    def close(self) -> None:
        """End its connection."""


def grid_meter(meter: AnyMeterConfig, links: LinkPool, clock: Clock) -> GridMeter:
    """The meter of a site, by its driver."""
    if isinstance(meter, SumMeterConfig):
        return _NoMeter()
    return _MqttMeter(meter, clock) if isinstance(meter, MqttMeterConfig) else _Meter(meter, links, clock)


class _NoMeter:
    """A portfolio without a meter of its own: its sites are commissioned one by one."""

    def site_watts(self) -> float | None:
        """See `GridMeter`."""
        return None

    def close(self) -> None:
        """There is nothing to close."""


class _Meter:
    """A meter that is read by Modbus."""

    def __init__(self, meter: MeterConfig, links: LinkPool, clock: Clock) -> None:
        self._driver = driver_of(meter, DRIVERS)
        self._sign = meter_sign.initial(meter.sign)
        self._clock = clock
        link = links.link(meter.way)
        self._session = DeviceSession(
            METER, self._driver, link, meter.unit_id, clock=clock, retry_longest_s=RETRY_LONGEST_S, role="meter"
        )

    def site_watts(self) -> float | None:
        """See `GridMeter`."""
        try:
            self._session.connect(None)
            sample = self._driver.decode_meter(self._session.device, self._session.read(), self._clock.now_s())
        except DeviceError:
            return None
        return meter_sign.oriented(self._sign, sample).site_watts

    def close(self) -> None:
        """The link is closed with all others."""


class _MqttMeter:
    """A meter that something else reads: the newest message that is young enough."""

    def __init__(self, meter: MqttMeterConfig, clock: Clock) -> None:
        self._sign = meter_sign.initial(meter.sign)
        self._clock = clock
        self._intake = DeviceIntake[MeterSample](read_meter, meter.max_age_s)
        listener = Listener(message=self._take, connected=lambda: None)
        self._connection = MqttConnection(meter, listener, (meter.topic,), None)
        self._connection.start()

    def _take(self, _topic: str, payload: bytes, redelivered: bool) -> None:
        """In paho's thread; taking a batch of one is a single assignment for those who read."""
        self._intake.take((Arrival(payload, redelivered, self._clock.now_s(), self._clock.wall()),))

    def site_watts(self) -> float | None:
        """See `GridMeter`."""
        sample = self._intake.sample(self._clock.now_s())
        return None if sample is None else meter_sign.oriented(self._sign, sample).site_watts

    def close(self) -> None:
        """Disconnect."""
        self._connection.stop()
