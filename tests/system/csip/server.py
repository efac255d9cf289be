"""A small utility server: TLS with mutual certificates on loopback, the resources of CSIP-AUS, and a clock of its own.

Written from the schema of IEEE 2030.5, with texts of its own: nothing of the client is used to speak to the client.
"""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

SEP = "urn:ieee:std:2030.5:ns"
CSIP = "https://csipaus.org/ns"
STORAGE = "https://csipaus.org/ns/v1.3"
RESPONSES = "/edev/1/rsps/site_control/rsp"
REMOVED = -1
"""The assignment of a program that is assigned no more."""
LIMITS = ("opModImpLimW", "opModExpLimW", "opModGenLimW", "opModLoadLimW")


@dataclass
class Event:
    """A DERControl."""

    mrid: str
    start_s: int
    duration_s: int
    values: dict[str, Any]
    created_s: int
    ramp_s: float | None = None
    randomize_start_s: int = 0
    randomize_duration_s: int = 0
    exponent: int = 0
    cancelled: bool = False
    status: int | None = None
    tag: str = ""


@dataclass
class ServedProgram:
    """A DERProgram with its default control (None: there is none) and events."""

    number: int
    primacy: int
    fsa: int = 1
    default: dict[str, Any] | None = None
    events: list[Event] = field(default_factory=list)


@dataclass
class Asked:
    """One request as it came, at `at_s` by the clock of the server."""

    method: str
    path: str
    at_s: float
    body: bytes = b""
    status: int = 200


@dataclass
class Utility:
    """What the server knows and says. To be changed between requests; `clock` is its own time in seconds since 1970."""

    lfdi: str
    clock: Callable[[], float]
    knows_device: bool = True
    pin: int | None = 111115
    has_registration: bool = True
    online: bool = True
    rates: dict[str, int] = field(default_factory=dict)
    programs: list[ServedProgram] = field(default_factory=list)
    put: dict[str, bytes] = field(default_factory=dict)
    mirrors: dict[str, bytes] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    forced: dict[str, tuple[int, int | None, float]] = field(default_factory=dict)
    before: Callable[[Asked], None] = lambda _: None
    after: Callable[[Asked], None] = lambda _: None
    made: int = 0
    page: int = 100
    well_known: dict[str, list[str]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    """Other paths of resources."""

    def add_program(self, primacy: int = 0, fsa: int = 1) -> ServedProgram:
        self.programs.append(ServedProgram(len(self.programs) + 1, primacy, fsa))
        return self.programs[-1]

    def add_event(self, program: ServedProgram, duration_s: int, start_s: float | None = None, **values: Any) -> Event:
        self.made += 1
        more = {key: values.pop(key) for key in list(values) if key in Event.__dataclass_fields__}
        now = int(self.clock())
        event = Event(f"{self.made:032X}", now if start_s is None else int(start_s), duration_s, values, now, **more)
        program.events.append(event)
        return event

    # What came

    def responses(self, mrid: str | None = None) -> list[tuple[str, int]]:
        """What was answered to events: their mRID and the status."""
        found = [ET.fromstring(each.body) for each in self.asked if each.path == RESPONSES and each.status < 300]
        pairs = [(text(each, "subject"), int(text(each, "status"))) for each in found]
        return [pair for pair in pairs if mrid in (None, pair[0])]

    def readings(self, role: str, uom: int, phase: int = 0) -> list[float]:
        """The values of one quantity, in their order; `phase` is a PhaseCode."""
        found: list[float] = []
        for path, document in self.mirrors.items():
            root = ET.fromstring(document)
            if text(root, "roleFlags") != role:
                continue
            kinds = {
                text(each, "mRID"): each.find(f"{{{SEP}}}ReadingType")
                for each in root.iter(f"{{{SEP}}}MirrorMeterReading")
            }
            for asked in self.asked:
                if asked.method == "POST" and asked.path == path:
                    reading = ET.fromstring(asked.body)
                    kind = kinds[text(reading, "mRID")]
                    if kind is not None and (text(kind, "uom"), text(kind, "phase")) == (str(uom), str(phase)):
                        scale = 10.0 ** int(text(kind, "powerOfTenMultiplier"))
                        found.append(int(text(reading.find(f"{{{SEP}}}Reading"), "value")) * scale)
        return found

    # What is said

    def answer(
        self, method: str, path: str, query: dict[str, list[str]], body: bytes
    ) -> tuple[int, str, dict[str, str]]:
        if method == "GET":
            return self._get(path, (int(query.get("s", ["0"])[0]), min(self.page, int(query.get("l", ["1"])[0]))))
        if method == "POST" and path == "/edev":
            self.knows_device = True
            self.put["/edev"] = body
            return 201, "", {"Location": "/edev/1"}
        if method == "POST" and path == "/mup":
            mrid = text(ET.fromstring(body), "mRID")
            known = [each for each, document in self.mirrors.items() if text(ET.fromstring(document), "mRID") == mrid]
            location = known[0] if known else f"/mup/{len(self.mirrors) + 1}"
            self.mirrors[location] = body
            return (204 if known else 201), "", {"Location": location}
        if method == "POST" and (path in self.mirrors or path == RESPONSES):
            return 201, "", {"Location": f"{path}/1"}
        if method == "PUT" and path.startswith("/edev/1/"):
            self.put[path] = body
            return 204, "", {}
        return 404, "", {}

    def _get(self, path: str, part: tuple[int, int]) -> tuple[int, str, dict[str, str]]:  # noqa: PLR0911 - by resource
        now, path = int(self.clock()), self.aliases.get(path, path)
        if path == "/.well-known/csipaus" and self.well_known:
            named = {version: {"dcap": paths} for version, paths in self.well_known.items()}
            return 200, json.dumps({"supportedSchemaVersions": named}), {}
        if path == "/dcap":
            inner = (
                '<TimeLink href="/tm"/><EndDeviceListLink href="/edev" all="1"/><MirrorUsagePointListLink href="/mup"/>'
            )
            return 200, resource("DeviceCapability", inner, path, self.rates.get("dcap")), {}
        if path == "/tm":
            return 200, resource("Time", TIME.format(now=now), path), {}
        if path == "/edev":
            devices = [OTHER_DEVICE, *([self._device()] if self.knows_device else [])]
            return 200, page("EndDeviceList", devices, path, self.rates.get("edev_list"), part), {}
        if path == "/edev/1/rg" and self.pin is not None:
            return (
                200,
                resource("Registration", f"<dateTimeRegistered>{now}</dateTimeRegistered><pIN>{self.pin}</pIN>", path),
                {},
            )
        if path == "/edev/1/fsa":
            numbers = sorted({each.fsa for each in self.programs} - {REMOVED})
            entries = [
                f'<FunctionSetAssignments href="/edev/1/fsa/{n}"><DERProgramListLink href="/edev/1/fsa/{n}/derp"/>'
                f"<mRID>{n:032X}</mRID></FunctionSetAssignments>"
                for n in numbers
            ]
            return 200, page("FunctionSetAssignmentsList", entries, path, self.rates.get("fsa_list"), part), {}
        if path == "/edev/1/der":
            links = "".join(f'<{name}Link href="/edev/1/der/1/{short}"/>' for name, short in DER_LINKS)
            return (
                200,
                page(
                    "DERList",
                    [f'<DER href="/edev/1/der/1">{links}</DER>'],
                    path,
                    self.rates.get("der_list"),
                    part,
                ),
                {},
            )
        if path == "/mup":
            entries = [self._mirror(each) for each in self.mirrors]
            return 200, page("MirrorUsagePointList", entries, path, self.rates.get("mup_list"), part), {}
        return self._get_of_program(path, part)

    def _get_of_program(self, path: str, part: tuple[int, int]) -> tuple[int, str, dict[str, str]]:
        parts = path.strip("/").split("/")
        if len(parts) == 5 and parts[2] == "fsa" and parts[4] == "derp":
            entries = [program_text(each) for each in self.programs if each.fsa == int(parts[3])]
            return 200, page("DERProgramList", entries, path, self.rates.get("derp_list"), part), {}
        program = next((each for each in self.programs if parts[2:4] == ["derp", str(each.number)]), None)
        if program is None or program.fsa == REMOVED or len(parts) != 5:
            return 404, "", {}
        if parts[4] == "derc":
            now = self.clock()
            events = [each for each in program.events if each.start_s + each.duration_s > now]
            return (
                200,
                page("DERControlList", [self._event(each, program) for each in events], path, None, part),
                {},
            )
        if parts[4] == "dderc" and program.default is not None:
            values = dict(program.default)
            gradient = values.pop("setGradW", None)
            inner = f"<mRID>{program.number:032X}</mRID>{base(values)}" + (
                f"<setGradW>{gradient}</setGradW>" if gradient is not None else ""
            )
            return 200, resource("DefaultDERControl", inner, path), {}
        return 404, "", {}

    def _device(self) -> str:
        registration = '<RegistrationLink href="/edev/1/rg"/>' if self.has_registration else ""
        number = int(self.lfdi[:9], 16)
        sfdi = number * 10 + -sum(map(int, str(number))) % 10
        return (
            f'<EndDevice href="/edev/1"><DERListLink href="/edev/1/der" all="1"/><lFDI>{self.lfdi}</lFDI>'
            f"<sFDI>{sfdi}</sFDI><changedTime>0</changedTime><enabled>true</enabled>"
            f'<FunctionSetAssignmentsListLink href="/edev/1/fsa" all="1"/>{registration}'
            f'<csipaus:ConnectionPointLink href="/edev/1/cp"/></EndDevice>'
        )

    def _mirror(self, location: str) -> str:
        root = ET.fromstring(self.mirrors[location])
        rate = self.rates.get("mup_post", 300)
        return (
            f'<MirrorUsagePoint href="{location}"><mRID>{text(root, "mRID")}</mRID>'
            f"<roleFlags>{text(root, 'roleFlags')}</roleFlags><serviceCategoryKind>0</serviceCategoryKind>"
            f"<status>1</status><deviceLFDI>{self.lfdi}</deviceLFDI><postRate>{rate}</postRate></MirrorUsagePoint>"
        )

    def _event(self, event: Event, program: ServedProgram) -> str:
        now = self.clock()
        status = 2 if event.cancelled else event.status
        if status is None:
            status = 1 if event.start_s <= now else 0
        random = "".join(
            f"<{name}>{value}</{name}>"
            for name, value in (
                ("randomizeDuration", event.randomize_duration_s),
                ("randomizeStart", event.randomize_start_s),
            )
            if value
        )
        ramp = "" if event.ramp_s is None else f"<rampTms>{round(event.ramp_s * 100)}</rampTms>"
        return (
            f'<DERControl href="/edev/1/derp/{program.number}/derc/{event.mrid}" replyTo="{RESPONSES}" '
            'responseRequired="03">'
            f"<mRID>{event.mrid}</mRID><creationTime>{event.created_s}</creationTime>"
            f"<EventStatus><currentStatus>{status}</currentStatus><dateTime>{int(now)}</dateTime>"
            "<potentiallySuperseded>false</potentiallySuperseded></EventStatus>"
            f"<interval><duration>{event.duration_s}</duration><start>{event.start_s}</start></interval>{random}"
            f"{base(event.values, ramp, event.exponent)}</DERControl>"
        )


DER_LINKS = (("DERAvailability", "dera"), ("DERCapability", "dercap"), ("DERSettings", "derg"), ("DERStatus", "ders"))
TIME = (
    "<currentTime>{now}</currentTime><dstEndTime>0</dstEndTime><dstOffset>0</dstOffset><dstStartTime>0</dstStartTime>"
    "<quality>4</quality><tzOffset>0</tzOffset>"
)
OTHER_DEVICE = (
    f'<EndDevice href="/edev/0"><lFDI>{"AB" * 20}</lFDI><sFDI>461187128559</sFDI><changedTime>0</changedTime>'
    '<FunctionSetAssignmentsListLink href="/edev/0/fsa" all="1"/></EndDevice>'
)
"""Of somebody else: whoever follows it finds nothing there."""


def text(element: ET.Element | None, name: str) -> str:
    found = None if element is None else element.find(f"{{{SEP}}}{name}")
    assert found is not None, name
    return found.text or ""


def resource(name: str, inner: str, href: str, rate: int | None = None, more: str = "") -> str:
    poll = "" if rate is None else f' pollRate="{rate}"'
    spaces = f'xmlns="{SEP}" xmlns:csipaus="{CSIP}" xmlns:storage="{STORAGE}"'
    return f'<{name} {spaces} href="{href}"{poll}{more}>{inner}</{name}>'


def page(name: str, entries: list[str], href: str, rate: int | None, part: tuple[int, int]) -> str:
    start, most = part
    shown = entries[start : start + most]
    return resource(name, "".join(shown), href, rate, f' all="{len(entries)}" results="{len(shown)}"')


def program_text(program: ServedProgram) -> str:
    path = f"/edev/1/derp/{program.number}"
    default = "" if program.default is None else f'<DefaultDERControlLink href="{path}/dderc"/>'
    return (
        f'<DERProgram href="{path}"><mRID>{program.number:032X}</mRID>{default}'
        f'<DERControlListLink href="{path}/derc" all="{len(program.events)}"/>'
        f"<primacy>{program.primacy}</primacy></DERProgram>"
    )


def base(values: dict[str, Any], ramp: str = "", exponent: int = 0) -> str:
    """A DERControlBase, in the order of the schema."""
    switches = "".join(f"<{n}>{str(values[n]).lower()}</{n}>" for n in ("opModConnect", "opModEnergize") if n in values)
    powers = [(f"csipaus:{name}", name) for name in LIMITS] + [("storage:opModStorageTargetW", "opModStorageTargetW")]
    limits = "".join(
        f"<{tag}><multiplier>{exponent}</multiplier><value>{round(values[name] / 10**exponent)}</value></{tag}>"
        for tag, name in powers
        if name in values
    )
    return f"<DERControlBase>{switches}{ramp}{limits}</DERControlBase>"


class Served:
    """The server at `port`, until the end of its context."""

    def __init__(self, utility: Utility, certificate: tuple[Path, Path], clients: Path, port: int = 0) -> None:
        self.utility = utility
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        context.load_verify_locations(clients)
        context.verify_mode = ssl.CERT_REQUIRED
        self._http = _Server(("127.0.0.1", port), _Handler)
        self._http.utility, self._http.context = utility, context
        self.port = self._http.server_port
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}/dcap"

    def __enter__(self) -> Served:
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._http.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    utility: Utility
    context: ssl.SSLContext

    def finish_request(self, request: Any, client_address: Any) -> None:
        request.settimeout(60)
        try:
            with self.context.wrap_socket(request, server_side=True) as secured:
                super().finish_request(secured, client_address)
        except OSError:
            return


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # one segment for each answer
    server: _Server

    def _serve(self) -> None:
        utility, parts = self.server.utility, urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not utility.online:
            self.close_connection = True
            return
        asked = Asked(self.command, parts.path, utility.clock(), body)
        utility.before(asked)
        status, document, headers = utility.answer(asked.method, asked.path, parse_qs(parts.query), body)
        forced = utility.forced.get(asked.path)
        if forced is not None and utility.clock() < forced[2]:
            status, document, headers = forced[0], "", {} if forced[1] is None else {"Retry-After": str(forced[1])}
        asked.status = status
        utility.asked.append(asked)
        heading = "" if document.startswith("{") else '<?xml version="1.0" encoding="UTF-8"?>'
        content = f"{heading}{document}".encode() if document else b""
        utility.after(asked)
        self.send_response(status)
        for name, value in {
            **headers,
            "Content-Type": "application/sep+xml",
            "Content-Length": str(len(content)),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = _serve

    def log_message(self, *_: Any) -> None:
        """Nothing: tests look at `asked`."""
