"""site.yaml as frozen records. Every key of the file is a field here, with its unit in its name and its allowed range.

`load_config` (in `file.py`) reads a file into a `SiteConfig` or raises `ConfigError` with every mistake at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Discriminator, Field, SecretStr, Tag, field_validator, model_validator

from orchestrator.config.audience import (
    AGGREGATE,
    HOME_ASSISTANT,
    PORTFOLIO,
    HomeAssistantConfig,
    NotifySection,
    PageSection,
    PortfolioConfig,
)
from orchestrator.config.simulation import SimulationConfig
from orchestrator.config.sources.contact import ContactSection
from orchestrator.config.sources.csip_aus import CsipAusSource
from orchestrator.config.sources.modbus_contact import ModbusContact
from orchestrator.config.sources.prices import PriceFile, PriceRow, language_of_prices
from orchestrator.config.sources.schedule import ScheduleSection
from orchestrator.config.sources.setpoint_values import SetpointValues
from orchestrator.config.sources.voltage_guard import VoltageGuardSection
from orchestrator.devices.link.ways import Framing, Parity, SerialWay, TcpWay, Way
from orchestrator.devices.makes.choice import SITE, SUM, known_driver, line_defaults, link_defaults
from orchestrator.documents.section import (
    SITES_MAX,
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
from orchestrator.setpoints.intake import SETPOINTS, Language
from orchestrator.setpoints.timetable import Timetable

MinGap = Annotated[float, Field(ge=0, le=5)]


MODBUS, MQTT_DRIVER = "modbus", "mqtt"
BY_MQTT: Final = (MQTT_DRIVER, SITE)
"""The drivers of inverters that are read and commanded by MQTT."""

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
HostAndPort = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9]([A-Za-z0-9_.-]{0,252})(:[0-9]{1,5})?$",
        description="a host name or an IP address, with ':' and a port where that is another one",
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
    least_watts: Watts = 0.0


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
    phase: Literal[1, 2, 3] | None = None
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


class PhaseLimits(Section):
    """`control.phase_limits:` limits on each phase, where they are not a third of the site's."""

    export_limit_watts: Watts | None = None
    import_limit_watts: Watts | None = None


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
    limits_per_phase: bool = False
    phase_limits: PhaseLimits = PhaseLimits()
    revert_s: Annotated[int, Field(ge=10, le=3600)] = 60
    failsafe: FailsafeConfig = FailsafeConfig()
    state_dir: Text = "./state"


class Broker(Section):
    """How an MQTT broker is reached. `other_hosts` are further nodes of the same cluster, each with its port or not."""

    host: Host
    port: Port = 1883
    other_hosts: Annotated[tuple[HostAndPort, ...], Field(min_length=1, max_length=15, strict=False)] | None = None
    username: Text | None = None
    password: SecretStr | None = None
    password_file: Text | None = None
    tls: bool = False
    protocol: Literal["3.1.1", "5"] = "3.1.1"

    @property
    def nodes(self) -> tuple[tuple[str, int], ...]:
        """Host and port of each node, in the order in which they are tried."""
        others = (each.partition(":") for each in self.other_hosts or ())
        return ((self.host, self.port), *((host, int(port or self.port)) for host, _, port in others))


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


class SumMeterConfig(Section):
    """`meter:` with `driver: sum`: what the meters of all sites of a portfolio say together.

    A site whose last word is older than `max_age_s` is silent, as an inverter too.
    """

    driver: Literal["sum"]
    max_age_s: Annotated[float, Field(gt=0, le=300)] = 4.0
    interval_s: Annotated[float, Field(ge=0.1, le=60)] = 0.25

    @property
    def sign(self) -> Literal["import_positive"]:
        """Sites say it in the sign of the project."""
        return "import_positive"


class MqttInverterConfig(Broker):
    """`inverters[]:` with `driver: mqtt`: an inverter that something else reads and commands.

    With `driver: site` it is a site, and `topic` what that publishes under.
    """

    name: Name
    driver: Literal["mqtt", "site"]
    topic: Topic
    command_topic: Topic | None = None
    control: bool = True
    max_age_s: Annotated[float, Field(gt=0, le=300)] | None = None
    ac_max_watts: Annotated[float, Field(gt=0, le=1e9)] | None = None
    phases: Literal[1, 3] | None = None
    phase: Literal[1, 2, 3] | None = None
    ramp_watts_per_s: Annotated[float, Field(gt=0, le=1e9)] | None = None
    battery: BatteryConfig = BatteryConfig()

    @property
    def is_site(self) -> bool:
        """Whether it is a site, which takes numbered commands and answers them."""
        return self.driver == SITE

    @property
    def topic_of_state(self) -> str:
        """Where it says what it does."""
        return f"{self.topic}/{AGGREGATE}" if self.is_site else self.topic

    @property
    def topic_of_commands(self) -> str:
        """Where commands for it go."""
        return self.command_topic or f"{self.topic_of_state}/command"

    @property
    def topic_of_answers(self) -> str:
        """Where a site answers commands."""
        return f"{self.topic_of_state}/answer"


def _section_for(value: object) -> str:
    """Which section is meant: one by MQTT, the sum of meters, or one that speaks Modbus."""
    driver = value.get("driver") if isinstance(value, Mapping) else getattr(value, "driver", None)
    if driver == SUM:
        return SUM
    return MQTT_DRIVER if driver in BY_MQTT else MODBUS


def _section_of_meter(value: object) -> str:
    """The same for a meter: a site is none."""
    kind = _section_for(value)
    driver = value.get("driver") if isinstance(value, Mapping) else None
    return MODBUS if driver == SITE else kind


def _section_of_inverter(value: object) -> str:
    """The same for an inverter: a sum is none."""
    kind = _section_for(value)
    return MODBUS if kind == SUM else kind


AnyMeterConfig = MeterConfig | MqttMeterConfig | SumMeterConfig
AnyInverterConfig = InverterConfig | MqttInverterConfig
AnyDeviceConfig = AnyMeterConfig | AnyInverterConfig
MeterEntry = Annotated[
    Annotated[MeterConfig, Tag(MODBUS)]
    | Annotated[MqttMeterConfig, Tag(MQTT_DRIVER)]
    | Annotated[SumMeterConfig, Tag(SUM)],
    Discriminator(_section_of_meter),
]
InverterEntry = Annotated[
    Annotated[InverterConfig, Tag(MODBUS)] | Annotated[MqttInverterConfig, Tag(MQTT_DRIVER)],
    Discriminator(_section_of_inverter),
]


class MqttSource(Broker):
    """`setpoints.mqtt:` a topic that setpoints come from."""

    name: Name = "mqtt"
    topic: Topic
    validity_s: Annotated[float, Field(gt=0, le=1e9)] | None = None
    default: SetpointValues | None = None
    prices: Annotated[tuple[PriceRow, ...], Field(min_length=1, max_length=50, strict=False)] | None = None
    contact: ContactSection | None = None

    @property
    def language(self) -> Language:
        """How its messages are read: as setpoints, as prices, or as the words of a contact."""
        if self.prices is not None:
            return language_of_prices(self.prices)
        return SETPOINTS if self.contact is None else self.contact.language

    @model_validator(mode="after")
    def _says_what_holds_without_the_contact(self) -> Self:
        if self.contact is None:
            return self
        if self.prices is not None:
            raise Mistakes((("contact",), "takes 'prices' or 'contact', and not both"))
        needed = {"validity_s": "how long its last word counts", "default": "what holds when nothing is heard of it"}
        missing = [key for key in needed if getattr(self, key) is None]
        if missing:
            raise Mistakes(*((("contact",), f"needs {key} beside it: {needed[key]}") for key in missing))
        return self


class SetpointsSection(Section):
    """`setpoints:` who may ask for something. `mqtt` may be written as one mapping or as a list of them."""

    fixed: SetpointValues = SetpointFields()
    mqtt: tuple[MqttSource, ...] = ()
    schedules: Annotated[tuple[ScheduleSection, ...], Field(strict=False)] = ()
    price_files: Annotated[tuple[PriceFile, ...], Field(strict=False)] = ()
    modbus_contacts: Annotated[tuple[ModbusContact, ...], Field(strict=False)] = ()
    voltage_guard: VoltageGuardSection | None = None
    csip_aus: CsipAusSource | None = None

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
    home_assistant: HomeAssistantConfig | None = None
    portfolio: PortfolioConfig | None = None


class PublishSection(Section):
    """`publish:` who is told."""

    mqtt: PublishMqtt | None = None

    @property
    def for_home_assistant(self) -> PublishMqtt | None:
        """Where it is published for Home Assistant too; None: nowhere."""
        return self.mqtt if self.mqtt is not None and self.mqtt.home_assistant is not None else None

    @property
    def portfolio(self) -> PortfolioConfig | None:
        """The portfolio that this site is one of; None: it is none's."""
        return None if self.mqtt is None else self.mqtt.portfolio


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
    inverters: Annotated[tuple[InverterEntry, ...], Field(min_length=1, max_length=SITES_MAX, strict=False)]
    control: ControlConfig = ControlConfig()
    setpoints: SetpointsSection = SetpointsSection()
    publish: PublishSection = PublishSection()
    notify: NotifySection | None = None
    metrics: MetricsSection | None = MetricsSection()
    page: PageSection = PageSection()
    ledger: LedgerSection = LedgerSection()
    logging: LoggingSection = LoggingSection()
    simulation: SimulationConfig | None = None

    @property
    def sites(self) -> tuple[MqttInverterConfig, ...]:
        """The inverters that are sites: with any of them this is a portfolio."""
        return tuple(each for each in self.inverters if isinstance(each, MqttInverterConfig) and each.is_site)

    @property
    def server(self) -> MetricsSection | None:
        """Where the one HTTP server listens, for metrics, page and health; None: there is none."""
        if self.metrics is not None or not self.page.enabled:
            return self.metrics
        return MetricsSection(host=self.page.host, port=self.page.port)

    def timetables(self) -> tuple[Timetable, ...]:
        """Those of `setpoints.schedules`, in the time zone of the site."""
        if not self.setpoints.schedules:
            return ()
        zone = ZoneInfo(self.site.timezone)
        return tuple(each.timetable(zone) for each in self.setpoints.schedules)

    @property
    def source_names(self) -> tuple[str, ...]:
        """The sources of setpoints, but for `fixed` and those that people enter by the page."""
        asked = self.setpoints
        entered = (HOME_ASSISTANT,) if self.publish.for_home_assistant else ()
        guard = () if asked.voltage_guard is None else (asked.voltage_guard.name,)
        by_table = (*(each.name for each in asked.schedules), *(each.name for each in asked.price_files))
        by_contact = (each.name for each in asked.modbus_contacts)
        commanded = (PORTFOLIO,) if self.publish.portfolio else ()
        utility = () if asked.csip_aus is None else (asked.csip_aus.name,)
        return (*by_table, *by_contact, *guard, *utility, *(each.name for each in asked.mqtt), *entered, *commanded)

    def modbus_devices(self) -> tuple[MeterConfig | InverterConfig, ...]:
        """The meter and the inverters that are spoken to by Modbus."""
        return tuple(each for each in (self.meter, *self.inverters) if isinstance(each, MeterConfig | InverterConfig))

    def inverter(self, name: str) -> AnyInverterConfig:
        """The inverter called `name`. Raises KeyError where there is none."""
        for inverter in self.inverters:
            if inverter.name == name:
                return inverter
        raise KeyError(name)
