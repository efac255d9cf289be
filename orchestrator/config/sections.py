"""site.yaml as frozen records. Every key of the file is a field here, with its unit in its name and its allowed range.

`load_config` (in `file.py`) reads a file into a `SiteConfig` or raises `ConfigError` with every mistake at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, SecretStr, Tag, field_validator, model_validator

from orchestrator.config.setpoint_values import SetpointValues
from orchestrator.config.simulation import SimulationConfig
from orchestrator.devices.link.ways import Framing, Parity, SerialWay, TcpWay, Way
from orchestrator.devices.makes.choice import known_driver, line_defaults, link_defaults
from orchestrator.documents.section import (
    Host,
    Mistakes,
    Name,
    Percent,
    Port,
    Section,
    Text,
    Title,
    Topic,
    UnitId,
    Watts,
)
from orchestrator.setpoints.fields import SetpointFields

MinGap = Annotated[float, Field(ge=0, le=5)]


MODBUS, MQTT_DRIVER = "modbus", "mqtt"

ModbusDriver = Annotated[
    str, AfterValidator(known_driver), Field(description="'sunspec', 'mqtt' or the name of a make, see Makes")
]
"""The drivers that speak Modbus; `mqtt` makes a section another one, see `MqttMeterConfig` and `MqttInverterConfig`."""


NO_ADDRESS = (
    "this key is missing; it must be a host name or an IP address, without port or 'http://'; "
    "a device on a serial line has serial: {port: /dev/ttyUSB0} in its place"
)
"""Where neither `host` nor `serial` says where a device is."""
SerialPort = Annotated[
    str,
    Field(
        pattern=r"^/[^\x00-\x20\x7f]{1,250}$",
        description="the path of a serial port, such as /dev/serial/by-id/usb-...",
    ),
]
Units = dict[str, UnitId]
"""Unit ids by the names that the make has for them."""


class SiteSection(Section):
    """`site:` its name, and its time zone for reports."""

    name: Title
    timezone: str = "UTC"


class SerialLine(Section):
    """`serial:` a serial port of this machine, and how the devices on its line are set."""

    port: SerialPort
    baud_rate: Annotated[int, Field(ge=300, le=1_000_000)] = 9600
    parity: Parity = "N"
    stop_bits: Literal[1, 2] = 1

    @property
    def way(self) -> SerialWay:
        """The way to the devices on it."""
        return SerialWay(self.port, self.baud_rate, self.parity, self.stop_bits)


class ModbusDevice(Section):
    """A device that is spoken to by Modbus. What its make needs of the connection is the default of the same keys."""

    @property
    def line(self) -> SerialLine | None:
        """The serial line that it is on, if it is on one."""
        raise NotImplementedError

    @property
    def way(self) -> Way:
        """How it is reached. Devices with the same way share one connection."""
        raise NotImplementedError

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_make(cls, value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        own = {**link_defaults(value), **value}
        line = own.get("serial")
        return own if not isinstance(line, Mapping) else own | {"serial": {**line_defaults(own.get("driver")), **line}}

    @model_validator(mode="after")
    def _has_one_address(self) -> Self:
        if self.line is None and getattr(self, "host", None) is None:
            serial = getattr(self, "serial", None)
            is_path = isinstance(serial, str) and serial.startswith("/")
            raise Mistakes((("serial" if is_path else "host",), NO_ADDRESS))
        return self


class MeterConfig(ModbusDevice):
    """`meter:` the meter at the point of common coupling."""

    driver: ModbusDriver = "sunspec"
    profile: Text | None = None
    units: Units = Field(default_factory=dict)
    host: Host | None = None
    port: Port = 502
    serial: SerialLine | None = None
    framing: Framing = "tcp"
    unit_id: UnitId = 1
    sign: Literal["import_positive", "export_positive", "auto"] = "auto"
    timeout_s: Annotated[float, Field(gt=0, le=30)] = 1.0
    min_gap_s: MinGap = 0.0
    interval_s: Annotated[float, Field(gt=0, le=60)] = 0.25

    @property
    def line(self) -> SerialLine | None:
        """See `ModbusDevice`."""
        return self.serial

    @property
    def way(self) -> Way:
        """See `ModbusDevice`."""
        return self.serial.way if self.serial else TcpWay(self.host or "", self.port, self.framing)


class BatteryConfig(Section):
    """`inverters[].battery:` what the device does not say of its battery, or says wrong."""

    control: bool = True
    capacity_wh: Annotated[float, Field(gt=0, le=1e9)] | None = None
    charge_max_watts: Watts | None = None
    discharge_max_watts: Watts | None = None
    soc_min_percent: Percent | None = None
    soc_max_percent: Percent | None = None
    idle_between_s: Annotated[float, Field(ge=0, le=3600)] = 0.0


def _kind_of_serial(value: object) -> str:
    """`serial` of an inverter is a line where it is a mapping, else the serial number."""
    return "line" if isinstance(value, Mapping | SerialLine) else "number"


class InverterConfig(ModbusDevice):
    """`inverters[]:` one inverter; its battery is found by itself."""

    name: Name
    driver: ModbusDriver = "sunspec"
    profile: Text | None = None
    units: Units = Field(default_factory=dict)
    host: Host | None = None
    port: Port = 502
    framing: Framing = "tcp"
    unit_id: UnitId = 1
    control: bool = True
    serial: (
        Annotated[Annotated[Text, Tag("number")] | Annotated[SerialLine, Tag("line")], Discriminator(_kind_of_serial)]
        | None
    ) = None
    serial_number: Text | None = None
    timeout_s: Annotated[float, Field(gt=0, le=30)] = 1.0
    min_gap_s: MinGap = 0.0
    write_single: bool = False
    interval_s: Annotated[float, Field(gt=0, le=60)] | None = None
    ac_max_watts: Annotated[float, Field(gt=0, le=1e9)] | None = None
    phases: Literal[1, 3] | None = None
    ramp_watts_per_s: Annotated[float, Field(gt=0, le=1e9)] | None = None
    flash_writes_per_day: Annotated[int, Field(ge=1, le=100_000)] | None = None
    battery: BatteryConfig = BatteryConfig()

    @property
    def line(self) -> SerialLine | None:
        """See `ModbusDevice`."""
        return self.serial if isinstance(self.serial, SerialLine) else None

    @property
    def way(self) -> Way:
        """See `ModbusDevice`."""
        return self.line.way if self.line else TcpWay(self.host or "", self.port, self.framing)

    @property
    def expected_serial(self) -> str | None:
        """The serial number that it must have; None: any."""
        return self.serial_number or (self.serial if isinstance(self.serial, str) else None)


class FailsafeConfig(Section):
    """`control.failsafe:` what holds while the meter is silent, and what stays when the orchestrator is lost."""

    export_limit_watts: Watts = 0.0
    when_lost: Literal["auto", "release", "stay"] = "auto"
    ask_meter_after_s: Annotated[float, Field(ge=10, le=86400)] = 300.0


class FewestUnitsConfig(Section):
    """`control.fewest_units:` when that strategy switches a battery."""

    load_percent: Annotated[float, Field(ge=0, le=50)] = 20.0
    switch_min_s: Annotated[float, Field(ge=0, le=86400)] = 300.0
    rotate_s: Annotated[float, Field(ge=0, le=1e6)] = 3600.0


class ControlConfig(Section):
    """`control:` how the loop runs."""

    enabled: bool = True
    interval_s: Annotated[float, Field(ge=0.1, le=60)] = 1.0
    ramp_watts_per_s: Annotated[float, Field(gt=0, le=1e9)] | None = None
    sample_window_s: Annotated[float, Field(ge=0.5, le=300)] = 5.0
    battery_power_flow: bool = False
    battery_charge_buffer_watts: Watts | None = None
    allocation: Literal["capacity", "equal_soc", "fewest_units"] = "capacity"
    fewest_units: FewestUnitsConfig = FewestUnitsConfig()
    revert_s: Annotated[int, Field(ge=10, le=3600)] = 60
    failsafe: FailsafeConfig = FailsafeConfig()
    state_dir: Text = "./state"


class Broker(Section):
    """How an MQTT broker is reached."""

    host: Host
    port: Port = 1883
    username: Text | None = None
    password: SecretStr | None = None
    password_file: Text | None = None
    tls: bool = False
    protocol: Literal["3.1.1", "5"] = "3.1.1"


class MqttMeterConfig(Broker):
    """`meter:` with `driver: mqtt`: a meter that something else reads."""

    driver: Literal["mqtt"]
    topic: Topic
    sign: Literal["import_positive", "export_positive"] = "import_positive"
    max_age_s: Annotated[float, Field(gt=0, le=300)] = 5.0

    @property
    def interval_s(self) -> float:
        """It is not polled: a new value may come at any moment."""
        return 0.0


class MqttInverterConfig(Broker):
    """`inverters[]:` with `driver: mqtt`: an inverter that something else reads and commands."""

    name: Name
    driver: Literal["mqtt"]
    topic: Topic
    command_topic: Topic | None = None
    control: bool = True
    max_age_s: Annotated[float, Field(gt=0, le=300)] | None = None
    ac_max_watts: Annotated[float, Field(gt=0, le=1e9)] | None = None
    phases: Literal[1, 3] | None = None
    ramp_watts_per_s: Annotated[float, Field(gt=0, le=1e9)] | None = None
    battery: BatteryConfig = BatteryConfig()

    @property
    def topic_of_commands(self) -> str:
        """Where commands for it go."""
        return self.command_topic or f"{self.topic}/command"


def _section_for(value: object) -> str:
    """Which of two sections is meant: the one with `driver: mqtt`, or the one that speaks Modbus."""
    driver = value.get("driver") if isinstance(value, Mapping) else getattr(value, "driver", None)
    return MQTT_DRIVER if driver == MQTT_DRIVER else MODBUS


AnyMeterConfig = MeterConfig | MqttMeterConfig
AnyInverterConfig = InverterConfig | MqttInverterConfig
AnyDeviceConfig = AnyMeterConfig | AnyInverterConfig
MeterEntry = Annotated[
    Annotated[MeterConfig, Tag(MODBUS)] | Annotated[MqttMeterConfig, Tag(MQTT_DRIVER)], Discriminator(_section_for)
]
InverterEntry = Annotated[
    Annotated[InverterConfig, Tag(MODBUS)] | Annotated[MqttInverterConfig, Tag(MQTT_DRIVER)],
    Discriminator(_section_for),
]


class MqttSource(Broker):
    """`setpoints.mqtt:` a topic that setpoints come from."""

    name: Name = "mqtt"
    topic: Topic
    validity_s: Annotated[float, Field(gt=0, le=1e9)] | None = None
    default: SetpointValues | None = None


class SetpointsSection(Section):
    """`setpoints:` who may ask for something. `mqtt` may be written as one mapping or as a list of them."""

    fixed: SetpointValues = SetpointFields()
    mqtt: tuple[MqttSource, ...] = ()

    @field_validator("mqtt", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        """One mapping is a list of one."""
        if isinstance(value, Mapping):
            return (value,)
        return tuple(value) if isinstance(value, list) else value


class PublishMqtt(Broker):
    """`publish.mqtt:` where the state is published; topics are below `topic`."""

    topic: Topic


class PublishSection(Section):
    """`publish:` who is told."""

    mqtt: PublishMqtt | None = None


class MetricsSection(Section):
    """`metrics:` where Prometheus reads."""

    host: Host = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 9464
    allowed_hosts: Annotated[tuple[Host, ...], Field(strict=False)] = ()
    token: SecretStr | None = None
    token_file: Text | None = None
    certificate_file: Text | None = None
    key_file: Text | None = None


class LedgerSection(Section):
    """`ledger:` the record of every excess over a limit, in `control.state_dir`."""

    retention_days: Annotated[int, Field(ge=1, le=36500)] = 400
    tolerance_percent: Annotated[float, Field(ge=0, le=100)] = 1.0


class LoggingSection(Section):
    """`logging:` how the log looks, and how much of it there is."""

    format: Literal["human", "json"] = "human"
    level: Literal["debug", "info", "warning", "error"] = "info"


class SiteConfig(Section):
    """A whole site.yaml."""

    site: SiteSection
    meter: MeterEntry
    inverters: Annotated[tuple[InverterEntry, ...], Field(min_length=1, max_length=100, strict=False)]
    control: ControlConfig = ControlConfig()
    setpoints: SetpointsSection = SetpointsSection()
    publish: PublishSection = PublishSection()
    metrics: MetricsSection | None = MetricsSection()
    ledger: LedgerSection = LedgerSection()
    logging: LoggingSection = LoggingSection()
    simulation: SimulationConfig | None = None

    def modbus_devices(self) -> tuple[MeterConfig | InverterConfig, ...]:
        """The meter and the inverters that are spoken to by Modbus."""
        return tuple(each for each in (self.meter, *self.inverters) if isinstance(each, MeterConfig | InverterConfig))

    def inverter(self, name: str) -> AnyInverterConfig:
        """The inverter called `name`. Raises KeyError where there is none."""
        for inverter in self.inverters:
            if inverter.name == name:
                return inverter
        raise KeyError(name)
