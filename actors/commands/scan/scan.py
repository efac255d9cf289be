"""`orchestrator scan`: which devices answer at these addresses. It reads, and never writes.

SunSpec is asked for first. What then says that it is of a make that has a driver of its own is listed with that driver;
where there is no SunSpec, the makes are asked for that may answer at this unit, by the registers that tell the make,
and then the meters that say their model. What says nothing is compared with the meters that show a frequency, or whose
registers agree with each other in a way of their own.
Each host and port is one connection, its units are asked one after the other: some inverters take one client only.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any, Final

from actors.clock import RealClock
from actors.commands.progress import Watch
from actors.device.session import DeviceSession
from actors.link import ModbusLink, WireLink
from actors.observer import NoObserver
from orchestrator.commissioning.scan_makes import (
    identity_only,
    makes_at,
    makes_like,
    makes_on_a_line,
    meters_by_likeness,
    meters_that_say_so,
)
from orchestrator.commissioning.scan_report import (
    FoundDevice,
    Kind,
    Remark,
    ScanReport,
    found_device,
    found_make,
    likeness,
    perhaps_a_meter,
    report,
)
from orchestrator.commissioning.scan_targets import Endpoint, Place
from orchestrator.devices.base import AnyDriver, Role
from orchestrator.devices.makes.schema import Profile
from orchestrator.devices.profiles.driver import ProfileDriver
from orchestrator.devices.sunspec.driver import SunSpecDriver
from orchestrator.errors import DeviceError, LinkError, WrongDevice
from orchestrator.reason import Reason, because


@dataclass(frozen=True, slots=True)
class ScanOptions:
    """`timeout_s` bounds each connection and each reply, `connections` how many endpoints are asked at a time."""

    units: tuple[int, ...]
    timeout_s: float = 1.0
    connections: int = 32


ROLES: Final[tuple[Role, ...]] = ("inverter", "meter")
Findings = tuple[list[FoundDevice], list[Remark]]


def scan(endpoints: Sequence[Endpoint], options: ScanOptions, watch: Watch) -> ScanReport:
    """Every inverter and meter at these endpoints and units. `watch` counts endpoints."""
    devices: list[FoundDevice] = []
    remarks: list[Remark] = []
    scanner = Scanner(options, watch)
    with ThreadPoolExecutor(options.connections, thread_name_prefix="scan") as pool:
        try:
            for done in as_completed([pool.submit(scanner.look_at, endpoint) for endpoint in endpoints]):
                found, said = done.result()
                devices += found
                remarks += said
                watch.advance()
        finally:  # after Ctrl-C: what runs ends with its present request
            scanner.ended.set()
            pool.shutdown(cancel_futures=True)
    return report(devices, remarks)


class Scanner:
    """Looks at places, in any thread, until `ended`."""

    def __init__(self, options: ScanOptions, watch: Watch) -> None:
        self.ended = threading.Event()
        self._options = options
        self._watch = watch
        self._clock = RealClock()

    def look_at(self, endpoint: Endpoint) -> Findings:
        """What answers at one endpoint."""
        link = ModbusLink(endpoint.host, endpoint.port, self._options.timeout_s, self._clock, NoObserver())
        try:
            return self._ask_units(endpoint, link) if not self.ended.is_set() and link.connect() else ([], [])
        finally:
            link.close()

    def _ask_units(self, endpoint: Endpoint, link: ModbusLink) -> Findings:
        devices: list[FoundDevice] = []
        remarks: list[Remark] = []
        troubles: dict[str, tuple[Reason, list[int]]] = {}
        for unit_id in self._options.units:
            if self.ended.is_set():
                break
            try:
                devices.extend(self.ask(endpoint, unit_id, link))
            except LinkError:
                continue
            except DeviceError as trouble:
                perhaps = self.perhaps_a_meter(endpoint, unit_id, link)
                if perhaps is not None:
                    remarks.append(perhaps)
                else:
                    troubles.setdefault(str(trouble), (trouble.why, []))[1].append(unit_id)
        remarks += [Remark(endpoint, tuple(units), why) for why, units in troubles.values()]
        if not devices and not remarks:
            remarks = [Remark(endpoint, (), because("no_unit_answers"))]
        return devices, remarks

    def ask(self, endpoint: Place, unit_id: int, link: WireLink) -> list[FoundDevice]:
        """What answers at one unit. Raises DeviceError where nothing does, or nothing that is known."""
        try:
            found = self._ask_sunspec(endpoint, unit_id, link)
        except DeviceError as trouble:
            makes = makes_at(endpoint.port, unit_id) if isinstance(endpoint, Endpoint) else makes_on_a_line()
            found = self._first_make(endpoint, unit_id, link, makes, ask_first=True)
            if not found and not isinstance(trouble, LinkError):
                found = self._meter(endpoint, unit_id, link)
            if not found:
                raise
        for each in found:
            self._watch.say(f"found {each.address}: {each.title}")
        return found

    def _ask_sunspec(self, endpoint: Place, unit_id: int, link: WireLink) -> list[FoundDevice]:
        """The inverter, and the meter that may be behind it in the same map. Raises DeviceError where there is none."""
        found: list[FoundDevice] = []
        nothing: WrongDevice | None = None
        for role in ROLES:
            try:
                found.append(self._find(endpoint, unit_id, link, role))
            except WrongDevice as trouble:
                nothing = nothing or trouble
        if nothing is not None and not found:
            raise nothing
        return found

    def _find(self, endpoint: Place, unit_id: int, link: WireLink, role: Role) -> FoundDevice:
        found = found_device(endpoint, unit_id, self._discover(SunSpecDriver(), unit_id, link, role))
        if found.kind is Kind.METER:
            return found
        own = self._first_make(endpoint, unit_id, link, makes_like(found.nameplate))
        return own[0] if own else found

    def _first_make(
        self,
        endpoint: Place,
        unit_id: int,
        link: WireLink,
        makes: Sequence[Profile],
        *,
        ask_first: bool = False,
    ) -> list[FoundDevice]:
        """The device by the first make that it is of. `ask_first`: at first only for what tells the make."""
        for make in makes:
            with contextlib.suppress(DeviceError):
                if ask_first:
                    self._discover(ProfileDriver(identity_only(make)), unit_id, link)
                return [found_make(endpoint, unit_id, self._discover(ProfileDriver(make), unit_id, link))]
        return []

    def _meter(self, endpoint: Place, unit_id: int, link: WireLink) -> list[FoundDevice]:
        """The meter that says of itself what it is. Raises WrongDevice, with what to do, for one that is set wrong."""
        for make in meters_that_say_so():
            try:
                self._discover(ProfileDriver(identity_only(make)), unit_id, link)
            except LinkError:
                return []
            except DeviceError:
                continue
            return [found_make(endpoint, unit_id, self._discover(ProfileDriver(make), unit_id, link, "meter"))]
        return []

    def perhaps_a_meter(self, endpoint: Place, unit_id: int, link: WireLink) -> Remark | None:
        """What a unit that says nothing of itself may be, by what a known meter would show where it has something."""
        for makes in meters_by_likeness():
            told = {make.name: self._likeness(make, unit_id, link) for make in makes}
            perhaps = {name: why for name, why in told.items() if why is not None}
            if perhaps:
                return perhaps_a_meter(endpoint, unit_id, perhaps)
        return None

    def _likeness(self, make: Profile, unit_id: int, link: WireLink) -> Reason | None:
        with contextlib.suppress(DeviceError):
            session = self._session(ProfileDriver(make), unit_id, link, "meter")
            sample = session.driver.decode_meter(session.device, session.read(), self._clock.now_s())
            return likeness(session.device, sample)
        return None

    def _discover(self, driver: AnyDriver, unit_id: int, link: WireLink, role: Role = "inverter") -> Any:
        return self._session(driver, unit_id, link, role).device

    def _session(self, driver: AnyDriver, unit_id: int, link: WireLink, role: Role) -> DeviceSession:
        session = DeviceSession(driver.name, driver, link, unit_id, clock=self._clock, retry_longest_s=1.0, role=role)
        session.connect(None)
        return session
