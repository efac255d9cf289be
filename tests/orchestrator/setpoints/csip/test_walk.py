"""The way through a server, with answers from a table: rates, pages, links, and what is refused."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from orchestrator.setpoints.csip.documents import CSIP_AUS, DocumentError
from orchestrator.setpoints.csip.identity import Identity
from orchestrator.setpoints.csip.walk import (
    LONGEST_POLL_S,
    SHORTEST_POLL_S,
    WELL_KNOWN,
    Answer,
    Due,
    Member,
    Refused,
    Request,
    ServerTrouble,
    Walk,
)

US = Identity("A1" * 20, 1)
SEP = 'xmlns="urn:ieee:std:2030.5:ns" href="/"'


class Table:
    """A server whose documents are given; lists are `(name, entries)` and come in pages of two."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.poll_s = 30
        self.documents: dict[str, str] = {
            "/dcap": f'<DeviceCapability {SEP} pollRate="60"><TimeLink href="/tm"/>'
            '<EndDeviceListLink href="/edev"/></DeviceCapability>',
            "/tm": f"<Time {SEP}><currentTime>1000</currentTime></Time>",
        }
        link = '<FunctionSetAssignmentsListLink href="/fsa"/>'
        device = f'<EndDevice href="/edev/1"><lFDI>{US.lfdi.lower()}</lFDI>{link}</EndDevice>'
        others = [f'<EndDevice href="/edev/{n}"><lFDI>{n:040d}</lFDI></EndDevice>' for n in range(2, 6)]
        programs = [
            f'<DERProgram href="/derp/{n}"><DERControlListLink href="/derp/{n}/derc"/>'
            f"<primacy>{n}</primacy></DERProgram>"
            for n in range(5)
        ]
        self.lists: dict[str, tuple[str, list[str]]] = {
            "/edev": ("EndDeviceList", [*others, device]),
            "/fsa": (
                "FunctionSetAssignmentsList",
                ['<FunctionSetAssignments><DERProgramListLink href="/derp"/></FunctionSetAssignments>'],
            ),
            "/derp": ("DERProgramList", programs),
        }
        self.lists |= {f"/derp/{n}/derc": ("DERControlList", []) for n in range(5)}

    def answer(self, request: Request) -> Answer:
        parts = urlsplit(request.path)
        self.asked.append(parts.path)
        if parts.path in self.lists:
            name, entries = self.lists[parts.path]
            start = int(parse_qs(parts.query)["s"][0])
            shown = "".join(entries[start : start + 2])
            return Answer(200, f'<{name} {SEP} all="{len(entries)}" pollRate="{self.poll_s}">{shown}</{name}>'.encode())
        document = self.documents.get(parts.path)
        return Answer(404) if document is None else Answer(200, document.encode())

    def round(self, walk: Walk, now_s: float = 0.0) -> bool:
        errand, answer = walk.round(lambda: now_s), None
        try:
            while True:
                request = errand.send(answer)  # type: ignore[arg-type]
                answer = self.answer(request)
        except StopIteration as end:
            read: bool = end.value
            return read


def walk(**member: object) -> Walk:
    return Walk("https://utility:1/dcap", Member(US, **member))  # type: ignore[arg-type]


def test_all_pages_are_read_and_only_our_own_device_is_followed() -> None:
    table, way = Table(), walk()

    assert table.round(way)
    assert way.is_complete
    assert sorted(each.primacy for each in way.programs()) == [0, 1, 2, 3, 4]
    assert table.asked.count("/edev") == 3
    assert way.found.server_ahead_s == 1000.0


@pytest.mark.parametrize("name", ["https://csipaus.org/ns", "https://csipaus.org/ns/v1.2"])
def test_a_server_may_be_asked_where_the_version_of_the_site_begins(name: str) -> None:
    table = Table()
    table.documents["/deep/dcap"] = table.documents.pop("/dcap")
    named = {"null": {"dcap": ["/x"]}, name: {"dcap": ["/deep/dcap"]}}
    table.documents[WELL_KNOWN] = json.dumps({"supportedSchemaVersions": named})
    way = Walk(f"https://utility:1{WELL_KNOWN}", Member(US, namespace=CSIP_AUS["1.2"]))

    assert table.round(way)
    assert table.asked[:3] == [WELL_KNOWN, "/deep/dcap", "/tm"]
    table.round(way, 400.0)
    assert table.asked.count(WELL_KNOWN) == 1
    way.begin_anew()
    table.round(way, 500.0)
    assert table.asked.count(WELL_KNOWN) == 2, "what was gone may have moved"


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ('{"https://csipaus.org/ns": {"dcap": []}, "b": {"dcap": ["/b"]}}', "does not speak the version of this site"),
        ('{"https://csipaus.org/ns": {"dcap": ["https://other/dcap"]}}', "leads to another server"),
        ("[]", "the list of versions is not as it should be"),
    ],
)
def test_versions_that_are_of_no_use_are_refused(named: str, says: str) -> None:
    table = Table()
    table.documents[WELL_KNOWN] = f'{{"supportedSchemaVersions": {named}}}'
    way = Walk(f"https://utility:1{WELL_KNOWN}", Member(US, namespace=CSIP_AUS["1.2"]))

    with pytest.raises((ServerTrouble, DocumentError), match=says):
        table.round(way)


def test_each_list_is_read_with_its_own_rate() -> None:
    table, way = Table(), walk()
    table.round(way, 0.0)
    table.asked.clear()

    assert not table.round(way, 29.0)
    assert table.asked == []
    assert table.round(way, 30.0)
    assert "/dcap" not in table.asked
    assert "/derp" in table.asked
    table.round(way, 60.0)
    assert "/dcap" in table.asked


@pytest.mark.parametrize(
    ("said", "kept"), [(1, SHORTEST_POLL_S), (10**9, LONGEST_POLL_S), (0, 300), (None, 300), (77, 77)]
)
def test_a_rate_is_kept_within_bounds(said: int | None, kept: int) -> None:
    due = Due()
    due.done("any", 100.0, said)

    assert due.next_s() == 100.0 + kept


@pytest.mark.parametrize("link", ["https://elsewhere/tm", "//elsewhere/tm", "http://utility:1/tm", "ftp:/tm"])
def test_a_link_to_another_server_is_not_followed(link: str) -> None:
    table = Table()
    table.documents["/dcap"] = table.documents["/dcap"].replace("/tm", link)

    with pytest.raises(ServerTrouble, match="leads to another server, and is not followed"):
        table.round(walk())


def test_a_whole_link_to_the_same_server_is_followed() -> None:
    table = Table()
    table.documents["/dcap"] = table.documents["/dcap"].replace("/tm", "https://utility:1/tm")

    assert table.round(walk())


def test_a_list_without_end_is_given_up() -> None:
    table = Table()
    table.lists["/edev"] = ("EndDeviceList", ["<EndDevice><lFDI>00</lFDI></EndDevice>"] * 1000)

    with pytest.raises(ServerTrouble, match="more than 30 pages"):
        table.round(walk())


def test_a_site_that_is_not_known_or_has_no_registration_is_refused() -> None:
    table = Table()
    with pytest.raises(Refused, match="the server has no registration of this site"):
        table.round(walk(pin=111115))
    table.lists["/edev"] = ("EndDeviceList", [])
    with pytest.raises(Refused, match=f"none of its 0 end devices has the LFDI {US.lfdi}"):
        table.round(walk())


def test_what_is_gone_is_looked_for_from_the_start_and_what_was_asked_for_stays_known() -> None:
    table, way = Table(), walk()
    table.round(way)
    del table.lists["/derp/3/derc"]
    with pytest.raises(ServerTrouble, match="/derp/3/derc") as caught:
        table.round(way, 30.0)
    assert caught.value.is_gone
    way.begin_anew()

    assert way.found.controls.keys() == {f"/derp/{n}" for n in range(5)}
    table.asked.clear()
    table.lists["/derp/3/derc"] = ("DERControlList", [])
    assert table.round(way, 31.0)
    assert table.asked[0] == "/dcap"


def test_programs_that_are_assigned_no_more_are_forgotten() -> None:
    table, way = Table(), walk()
    table.round(way)
    table.lists["/derp"][1].pop()
    table.round(way, 30.0)

    assert way.found.controls.keys() == {f"/derp/{n}" for n in range(4)}
