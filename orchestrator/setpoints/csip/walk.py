"""The way through a server: what is asked when, as requests that somebody with a socket performs.

    for each round: GET what is due -> resources -> follow their links

Each list says how often it wants to be read (pollRate), and that is kept, within bounds. What a server does not answer
is asked again with the next round; what is gone (404) makes the walk begin at the start.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Final, TypeVar
from urllib.parse import urljoin, urlsplit

from msgspec import Struct

from orchestrator.errors import OrchestratorError
from orchestrator.setpoints.csip import resources
from orchestrator.setpoints.csip.documents import CSIP_AUS, DocumentError, Node, Writer, parse, versions
from orchestrator.setpoints.csip.identity import Identity
from orchestrator.setpoints.csip.resources import Control, Default, Program

POLL_S: Final = {"DeviceCapability": 300, "Time": 900, "EndDeviceList": 300, "FunctionSetAssignmentsList": 300}
USUAL_POLL_S: Final = 300
"""Where a server does not say."""
SHORTEST_POLL_S, LONGEST_POLL_S = 5, 86_400
PAGE: Final = 100
"""Entries asked for at once; a server may give fewer."""
PAGES_MOST: Final = 30
PROGRAMS_MOST: Final = 200
RETRY_S: Final = 10.0
"""After a round that failed, doubled with each further one up to LONGEST_RETRY_S."""
LONGEST_RETRY_S: Final = 60.0
WELL_KNOWN: Final = "/.well-known/csipaus"
"""Where a server from CSIP-AUS 1.3 on says which versions it speaks, and where each begins."""
DEVICE_CATEGORY: Final = "00040000"
"""Bit 18 of DeviceCategoryType: a virtual or mixed DER, which is what several inverters under one control are."""

T = TypeVar("T")


class Request(Struct, frozen=True):
    """One request: GET without a body, or POST or PUT with one. `path` is absolute on the server."""

    method: str
    path: str
    body: bytes = b""


class Answer(Struct, frozen=True):
    """What came: the status of HTTP, the body, where a new resource is, and how long to wait (429, 503)."""

    status: int
    body: bytes = b""
    location: str | None = None
    retry_after_s: float | None = None


Errand = Generator[Request, Answer, T]


class ServerTrouble(OrchestratorError):
    """The server did not do its part; the text is for people.

    `retry_after_s`: it asked for a pause. `is_gone`: nothing is at this path any more. `is_final`: it will answer the
    same again.
    """

    def __init__(
        self, message: str, retry_after_s: float | None = None, *, is_gone: bool = False, is_final: bool = False
    ) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.is_gone = is_gone
        self.is_final = is_final


class Refused(OrchestratorError):
    """We are not whom the server, or the site, expects: nothing of it is followed."""


def get(path: str, expected: str) -> Errand[Node]:
    """Read one resource. Raises ServerTrouble and DocumentError."""
    answer = yield Request("GET", path)
    return parse(_good(answer, path).body, expected)


def get_list(path: str, expected: str, of: str) -> Errand[tuple[Node, list[Node]]]:
    """A list with all its pages: the first of them, and the entries called `of`."""
    first = yield from get(_page(path, 0), expected)
    entries = list(first.children(of))
    total = first.attribute_whole("all")
    for _ in range(PAGES_MOST):
        if total is None or len(entries) >= total:
            return first, entries
        more = list((yield from get(_page(path, len(entries)), expected)).children(of))
        if not more:
            return first, entries
        entries += more
    raise ServerTrouble(f"{path} has more than {PAGES_MOST} pages")


def send(method: str, path: str, body: bytes) -> Errand[Answer]:
    """Post or put a document. Raises ServerTrouble."""
    answer = yield Request(method, path, body)
    return _good(answer, path)


def _page(path: str, start: int) -> str:
    return f"{path}{'&' if '?' in path else '?'}s={start}&l={PAGE}"


def _good(answer: Answer, path: str) -> Answer:
    if 200 <= answer.status < 300:
        return answer
    if answer.status in (401, 403):
        raise Refused(f"the server does not let this certificate at {path} (HTTP {answer.status})")
    wait = " and asks for a pause" if answer.status in (429, 503) else ""
    raise ServerTrouble(
        f"the server answers {path} with HTTP {answer.status}{wait}",
        answer.retry_after_s,
        is_gone=answer.status in (301, 302, 307, 308, 404, 410),
        is_final=400 <= answer.status < 500 and answer.status not in (408, 429),
    )


@dataclass(slots=True)
class Due:
    """What is to be read again, and when (monotonic), by name."""

    at_s: dict[str, float] = field(default_factory=dict)

    def take(self, name: str, now_s: float) -> bool:
        """Whether it is due."""
        return now_s >= self.at_s.get(name, -inf)

    def done(self, name: str, now_s: float, poll_s: int | None) -> None:
        """It was read at `now_s` and wants to be read every `poll_s` (None: not said)."""
        rate_s = POLL_S.get(name, USUAL_POLL_S) if poll_s is None or poll_s <= 0 else poll_s
        self.at_s[name] = now_s + max(SHORTEST_POLL_S, min(LONGEST_POLL_S, rate_s))

    def next_s(self) -> float:
        """When the next is due."""
        return min(self.at_s.values(), default=-inf)


@dataclass(frozen=True, slots=True)
class Member:
    """What the site wants to be at the server: who it is, and what it says of itself where it is not known yet."""

    identity: Identity
    pin: int | None = None
    register: bool = False
    connection_point: str | None = None
    namespace: str = ""


@dataclass(slots=True)
class Device:
    """The EndDevice of this site on the server, and what is linked from it."""

    href: str
    assignments: str | None = None
    der_list: str | None = None
    connection_point: str | None = None


@dataclass(slots=True)
class Found:
    """What was found on the server. `controls` and `defaults` are by the href of their program."""

    links: dict[str, str] = field(default_factory=dict)
    device: Device | None = None
    program_lists: tuple[str, ...] = ()
    programs: dict[str, tuple[Program, ...]] = field(default_factory=dict)
    controls: dict[str, tuple[Control, ...]] = field(default_factory=dict)
    defaults: dict[str, Default | None] = field(default_factory=dict)
    server_ahead_s: float | None = None
    """Server time minus monotonic time."""


class Walk:
    """Reads what is due. `found` is what is known; `is_complete` once the controls have been read once."""

    def __init__(self, server: str, member: Member) -> None:
        """`server` is the URL of its DeviceCapability."""
        parts = urlsplit(server)
        self._server, self._given = parts.netloc, parts.path or "/dcap"
        self._start = self._given
        self._member = member
        self._connection_point_sent = False
        self.due = Due()
        self.found = Found()
        self.is_complete = False

    def begin_anew(self) -> None:
        """Forget where things are; what was asked for stays until it is read again."""
        self.due, self._start = Due(), self._given
        former, self.found = self.found, Found()
        self.found.controls, self.found.defaults = former.controls, former.defaults
        self.found.server_ahead_s = former.server_ahead_s

    def round(self, clock: Callable[[], float]) -> Errand[bool]:
        """Read what is due at `clock()` (monotonic); whether what is asked for was read.

        Raises ServerTrouble, DocumentError and Refused.
        """
        due, found = self.due, self.found
        if due.take("DeviceCapability", clock()):
            yield from self._read_start(clock)
        if "TimeLink" in found.links and due.take("Time", clock()):
            time = yield from get(found.links["TimeLink"], "Time")
            self._set_clock(time, clock())
        if due.take("EndDeviceList", clock()):
            yield from self._read_device(clock)
        device = found.device
        if device is None or device.assignments is None:
            return False
        is_news = due.take("FunctionSetAssignmentsList", clock())
        if is_news:
            yield from self._read_assignments(device.assignments, clock)
        read = [path for path in found.program_lists if due.take(path, clock())]
        for path in read:
            yield from self._read_programs(path, clock)
        self._forget_what_is_gone()
        self.is_complete = self.is_complete or all(path in found.programs for path in found.program_lists)
        return bool(read) or (is_news and not found.program_lists)

    def _read_start(self, clock: Callable[[], float]) -> Errand[None]:
        if self._start == WELL_KNOWN:
            answer = yield Request("GET", WELL_KNOWN)
            starts = versions(_good(answer, WELL_KNOWN).body)
            self._start = self.path(_start_of(starts, self._member.namespace))
        root = yield from get(self._start, "DeviceCapability")
        names = ("TimeLink", "EndDeviceListLink", "MirrorUsagePointListLink")
        self.found.links = {name: self.path(link) for name in names if (link := root.link(name)) is not None}
        if "EndDeviceListLink" not in self.found.links:
            raise ServerTrouble(f"{self._start} has no link to end devices")
        self.due.done("DeviceCapability", clock(), root.attribute_whole("pollRate"))

    def _set_clock(self, time: Node, now_s: float) -> None:
        seconds = time.whole("currentTime")
        if seconds is None:
            raise DocumentError("a Time without currentTime")
        self.found.server_ahead_s = seconds - now_s
        self.due.done("Time", now_s, time.attribute_whole("pollRate"))

    def _read_device(self, clock: Callable[[], float]) -> Errand[None]:
        path, identity = self.found.links["EndDeviceListLink"], self._member.identity
        devices, entries = yield from get_list(path, "EndDeviceList", "EndDevice")
        ours = _ours(entries, identity)
        if ours is None and self._member.register:
            yield from self._register(path, clock)
            devices, entries = yield from get_list(path, "EndDeviceList", "EndDevice")
            ours = _ours(entries, identity)
        if ours is None:
            raise Refused(
                f"the server does not know this site: none of its {len(entries)} end devices has the LFDI "
                f"{identity.lfdi}. Have the network register it, or use the certificate of this site"
            )
        yield from self._check_pin(ours)
        link = {name: self.path_or_none(ours.link(name)) for name in _DEVICE_LINKS}
        href = self.path(ours.attribute("href") or path)
        self.found.device = Device(href, *(link[name] for name in _DEVICE_LINKS))
        yield from self._say_connection_point(self.found.device)
        self.due.done("EndDeviceList", clock(), devices.attribute_whole("pollRate"))

    def _register(self, path: str, clock: Callable[[], float]) -> Errand[None]:
        identity = self._member.identity
        device = Writer("EndDevice").add("deviceCategory", DEVICE_CATEGORY).add("lFDI", identity.lfdi)
        device.add("sFDI", identity.sfdi).add("changedTime", int(clock() + (self.found.server_ahead_s or 0.0)))
        yield from send("POST", path, device.document)

    def _check_pin(self, device: Node) -> Errand[None]:
        if self._member.pin is None:
            return
        link = device.link("RegistrationLink")
        if link is None:
            raise Refused("the server has no registration of this site, so its PIN cannot be checked")
        registration = yield from get(self.path(link), "Registration")
        if registration.whole("pIN") != self._member.pin:
            raise Refused(
                f"the server has another PIN for this site ({registration.whole('pIN')}) than site.yaml: it may be the "
                "wrong server, so nothing of it is followed"
            )

    def _say_connection_point(self, device: Device) -> Errand[None]:
        if self._member.connection_point is None or device.connection_point is None or self._connection_point_sent:
            return
        document = Writer("ConnectionPoint", self._member.namespace).add(
            "connectionPointId", self._member.connection_point, self._member.namespace
        )
        yield from send("PUT", device.connection_point, document.document)
        self._connection_point_sent = True

    def _read_assignments(self, path: str, clock: Callable[[], float]) -> Errand[None]:
        name = "FunctionSetAssignmentsList"
        assignments, entries = yield from get_list(path, name, "FunctionSetAssignments")
        links = (self.path_or_none(each.link("DERProgramListLink")) for each in entries)
        self.found.program_lists = tuple(dict.fromkeys(link for link in links if link is not None))
        self.due.done(name, clock(), assignments.attribute_whole("pollRate"))

    def _read_programs(self, path: str, clock: Callable[[], float]) -> Errand[None]:
        listed, entries = yield from get_list(path, "DERProgramList", "DERProgram")
        programs = tuple(resources.program(each) for each in entries)
        elsewhere = sum(len(each) for at, each in self.found.programs.items() if at != path)
        if elsewhere + len(programs) > PROGRAMS_MOST:
            raise ServerTrouble(f"there are more than {PROGRAMS_MOST} programs")
        for program in programs:
            self.found.defaults[program.href] = yield from self._read_default(program)
            self.found.controls[program.href] = yield from self._read_controls(program)
        self.found.programs[path] = programs
        self.due.done(path, clock(), listed.attribute_whole("pollRate"))

    def _read_default(self, program: Program) -> Errand[Default | None]:
        if program.default_href is None:
            return None
        try:
            node = yield from get(self.path(program.default_href), "DefaultDERControl")
        except ServerTrouble as trouble:
            if trouble.is_gone:  # it was taken away
                return None
            raise
        return resources.default(node, program)

    def _read_controls(self, program: Program) -> Errand[tuple[Control, ...]]:
        if program.controls_href is None:
            return ()
        path = self.path(program.controls_href)
        _, entries = yield from get_list(path, "DERControlList", "DERControl")
        return tuple(resources.control(each, program) for each in entries)

    def _forget_what_is_gone(self) -> None:
        found = self.found
        for path in found.programs.keys() - set(found.program_lists):
            del found.programs[path]
            self.due.at_s.pop(path, None)
        if any(path not in found.programs for path in found.program_lists):
            return
        known = {each.href for each in self.programs()}
        for held in (found.controls, found.defaults):
            for href in held.keys() - known:
                del held[href]

    def programs(self) -> Iterator[Program]:
        """Every program that is assigned to this site."""
        return (each for programs in self.found.programs.values() for each in programs)

    def path(self, href: str) -> str:
        """A link as a path on this server: one that leads to another server is not followed. Raises ServerTrouble."""
        parts = urlsplit(href)
        if parts.netloc and (parts.scheme, parts.netloc) == ("https", self._server):
            return f"{parts.path}{'?' if parts.query else ''}{parts.query}"
        if parts.scheme or parts.netloc:
            raise ServerTrouble(f"the link {href[:80]!r} leads to another server, and is not followed")
        return urljoin(self._start, href)

    def path_or_none(self, href: str | None) -> str | None:
        """The same for a link that may be missing."""
        return None if href is None else self.path(href)


def _start_of(starts: Mapping[str, Sequence[str]], namespace: str) -> str:
    """Where the version of this site begins. Raises ServerTrouble."""
    names = {namespace, *(f"{CSIP_AUS['1.2']}/v{version}" for version, name in CSIP_AUS.items() if name == namespace)}
    found = [href for name in sorted(names) for href in starts.get(name, ())]
    if not found:
        known = ", ".join(name[:80] for name in sorted(starts)[:10]) or "none"
        raise ServerTrouble(f"the server does not speak the version of this site ({namespace}); it names {known}")
    return found[0]


_DEVICE_LINKS: Final = ("FunctionSetAssignmentsListLink", "DERListLink", "ConnectionPointLink")


def _ours(devices: list[Node], identity: Identity) -> Node | None:
    return next((each for each in devices if (each.text("lFDI") or "").upper() == identity.lfdi), None)
