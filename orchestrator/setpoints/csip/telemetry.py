"""The documents that a client posts of itself: DER resources, mirrored readings, responses.

Signs of CSIP-AUS: site power is positive for import, DER power for generation; reactive power likewise.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from msgspec import Struct

from orchestrator.setpoints.csip.book import Response
from orchestrator.setpoints.csip.documents import CSIP_AUS, Writer
from orchestrator.setpoints.csip.ramps import USUAL_GRADIENT
from orchestrator.setpoints.csip.readings import Picture

SITE_ROLE, DER_ROLE = "0003", "0049"
"""roleFlags: a mirror of the premises' connection point; a mirror of a DER behind a submeter."""
PHOTOVOLTAIC, MIXED = 4, 83
"""DERType: PV, and PV with storage."""
OFF, OPERATING = 1, 2
"""OperationalModeStatus."""
DOE_MODES: Final = "0F"
"""Export, import, generation and load limits."""
STORAGE_MODES: Final = "01"
CONNECT_MODES, BATTERY_MODES = 0b1100, 0b0011
"""DERControlType: opModConnect and opModEnergize; charging and discharging."""
CHARGING, DISCHARGING, HOLDING = 0, 1, 2


class Quantity(Struct, frozen=True):
    """One reading: its name in `readings`, the unit of measure, what kind it is, and its multiplier."""

    name: str
    uom: int
    kind: int
    exponent: int = 0
    flow: int = 1
    accumulation: int = 12
    qualifier: int = 2
    phase: int = 0


PHASES: Final = {"volts_a": 129, "volts_b": 65, "volts_c": 33}
"""PhaseCode: each of them against the neutral."""
SITE_QUANTITIES: Final = (
    Quantity("site_watts", 38, 37),
    Quantity("site_vars", 63, 37),
    Quantity("frequency_hz", 33, 0, exponent=-2, flow=0),
    *(Quantity(name, 29, 37, exponent=-1, flow=0, phase=phase) for name, phase in PHASES.items()),
)
DER_QUANTITIES: Final = (Quantity("der_watts", 38, 37, flow=19), Quantity("der_vars", 63, 37, flow=19))
STORED: Final = Quantity("stored_wh", 72, 12, flow=0, accumulation=12, qualifier=0)
"""From CSIP-AUS 1.3 on: the energy in the batteries, at one moment."""


class Rating(Struct, frozen=True):
    """What the site is registered with, in W and var. `power_factor`: the least that its inverters can be set to.

    What is None is not said.
    """

    watts: float
    reactive_vars: float | None = None
    power_factor: float | None = None


class Statement(Struct, frozen=True):
    """What the DER resources are made from."""

    shown: Picture
    rating: Rating
    gradient: float | None
    version: str

    @property
    def _has_storage(self) -> bool:
        return self.shown.has_battery and self.version != "1.2"

    @property
    def _modes(self) -> str:
        return f"{CONNECT_MODES | (BATTERY_MODES if self.shown.has_battery else 0):08X}"

    def capability(self) -> bytes:
        """DERCapability."""
        shown, namespace = self.shown, CSIP_AUS[self.version]
        writer = Writer("DERCapability").add("modesSupported", self._modes)
        self._rates(writer, "rtgMax")
        self._powers(writer, "rtg")
        writer.add("type", MIXED if shown.has_battery else PHOTOVOLTAIC).add("doeModesSupported", DOE_MODES, namespace)
        if self._has_storage:
            writer.add("vppModesSupported", STORAGE_MODES, namespace)
        return writer.document

    def settings(self, at_s: int) -> bytes:
        """DERSettings."""
        shown, namespace = self.shown, CSIP_AUS[self.version]
        gradient = USUAL_GRADIENT if self.gradient is None else self.gradient
        writer = Writer("DERSettings").add("modesEnabled", self._modes).add("setGradW", round(gradient * 10_000))
        self._rates(writer, "setMax")
        self._powers(writer, "set")
        writer.add("updatedTime", at_s).add("doeModesEnabled", DOE_MODES, namespace)
        if self._has_storage:
            writer.add("vppModesEnabled", STORAGE_MODES, namespace)
            writer.watts("setMinWh", shown.least_wh, namespace)
        return writer.document

    def _powers(self, writer: Writer, prefix: str) -> None:
        """What both say in the order of the schema; reactive power is given (positive) and taken (negative)."""
        rating = self.rating
        most, factor = rating.reactive_vars, rating.power_factor
        writer.watts(f"{prefix}MaxVA", rating.watts).watts(f"{prefix}MaxVar", most)
        writer.watts(f"{prefix}MaxVarNeg", None if most is None else -most)
        writer.watts(f"{prefix}MaxW", rating.watts).watts(f"{prefix}MaxWh", self.shown.capacity_wh)
        if factor is not None:
            for name in ("Over", "Under"):
                writer.group(f"{prefix}MinPF{name}Excited", displacement=round(factor * 1000), multiplier=-3)

    def _rates(self, writer: Writer, prefix: str) -> None:
        writer.watts(f"{prefix}ChargeRateW", self.shown.charge_max_watts)
        writer.watts(f"{prefix}DischargeRateW", self.shown.discharge_max_watts)

    def status(self, at_s: int) -> bytes:
        """DERStatus."""
        shown, operates = self.shown, self.shown.operates(self.rating.watts)
        bits = (0b011 if shown.connected else 0) | (0b100 if shown.connected and operates else 0)
        writer = Writer("DERStatus").add("alarmStatus", "00000000")
        writer.group("genConnectStatus", dateTime=at_s, value=f"{bits:02X}")
        writer.group("operationalModeStatus", dateTime=at_s, value=OPERATING if operates else OFF)
        writer.add("readingTime", at_s)
        if shown.soc_percent is not None:
            writer.group("stateOfChargeStatus", dateTime=at_s, value=round(shown.soc_percent * 100))
        if shown.battery_watts is not None:
            watts = shown.battery_watts
            mode = CHARGING if watts > 0 else DISCHARGING if watts < 0 else HOLDING
            writer.group("storageModeStatus", dateTime=at_s, value=mode)
            writer.group("storConnectStatus", dateTime=at_s, value=f"{bits:02X}")
        return writer.document

    def availability(self, at_s: int) -> bytes:
        """DERAvailability: what the batteries could give now, and for how long; how long they could charge."""
        shown, writer = self.shown, Writer("DERAvailability")
        if shown.stored_wh is not None and shown.capacity_wh is not None:
            writer.add("availabilityDuration", _seconds(shown.stored_wh, shown.discharge_max_watts))
            writer.add("maxChargeDuration", _seconds(shown.capacity_wh - shown.stored_wh, shown.charge_max_watts))
        writer.add("readingTime", at_s)
        writer.watts("statWAvail", shown.discharge_max_watts if shown.stored_wh else None)
        return writer.document


def usage_point(lfdi: str, role: str, name: str, quantities: tuple[Quantity, ...], post_s: int) -> bytes:
    """A MirrorUsagePoint with its reading types, to be posted once."""
    writer = Writer("MirrorUsagePoint").add("mRID", mrid_of(lfdi, name)).add("description", name)
    writer.add("roleFlags", role).add("serviceCategoryKind", 0).add("status", 1).add("deviceLFDI", lfdi)
    for each in quantities:
        reading = Writer("MirrorMeterReading").add("mRID", mrid_of(lfdi, each.name)).add("description", each.name)
        kind = Writer("ReadingType").add("accumulationBehaviour", each.accumulation).add("commodity", 1)
        kind.add("dataQualifier", each.qualifier).add("flowDirection", each.flow).add("intervalLength", post_s)
        kind.add("kind", each.kind).add("phase", each.phase).add("powerOfTenMultiplier", each.exponent).add(
            "uom", each.uom
        )
        writer.nest(reading.nest(kind))
    return writer.document


def meter_reading(lfdi: str, quantity: Quantity, value: float, begin_s: int, end_s: int) -> bytes:
    """A MirrorMeterReading: one value that holds for the time from `begin_s` to `end_s` (server time)."""
    reading = Writer("Reading").group("timePeriod", duration=max(1, end_s - begin_s), start=begin_s)
    reading.add("value", round(value / 10**quantity.exponent))
    writer = Writer("MirrorMeterReading").add("mRID", mrid_of(lfdi, quantity.name)).add("description", quantity.name)
    return writer.add("lastUpdateTime", end_s).nest(reading).document


def response(lfdi: str, owed: Response) -> bytes:
    """A DERControlResponse."""
    writer = Writer("DERControlResponse").add("createdDateTime", owed.at_s).add("endDeviceLFDI", lfdi)
    return writer.add("status", int(owed.status)).add("subject", owed.mrid.upper()).document


def mrid_of(lfdi: str, name: str) -> str:
    """An identifier that is the same after each start, so that a server does not gather usage points."""
    return sha256(f"{lfdi}/{name}".encode()).hexdigest()[:32].upper()


def _seconds(wh: float, watts: float | None) -> int | None:
    return round(wh / watts * 3600) if watts else None
