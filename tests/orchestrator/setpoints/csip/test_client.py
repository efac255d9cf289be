"""The client as a whole against a table of answers: pauses, what is posted, and what does not keep from reading."""

from __future__ import annotations

import pytest

from orchestrator.setpoints.csip.client import PAUSE_SHARE, CsipClient, Settings
from orchestrator.setpoints.csip.readings import Mean, Picture
from orchestrator.setpoints.csip.telemetry import Rating
from orchestrator.setpoints.csip.walk import Answer, Member, Request
from orchestrator.setpoints.fields import SetpointFields
from tests.orchestrator.setpoints.csip.test_walk import SEP, US, Table

EVENT = (
    '<DERControl replyTo="/rsp" responseRequired="03"><mRID>AB</mRID><creationTime>1</creationTime>'
    "<interval><duration>50</duration><start>1010</start></interval><DERControlBase><opModEnergize>false</opModEnergize></DERControlBase>"
    "</DERControl>"
)


class World:
    """A client, a table of answers, and a clock that is set."""

    def __init__(self) -> None:
        self.table = Table()
        self.table.lists["/derp/1/derc"] = ("DERControlList", [EVENT])
        self.now_s = 0.0
        self.posted: list[bytes] = []
        self.fails: dict[str, Answer] = {}
        settings = Settings(
            "utility", "https://utility:1/dcap", Rating(5000.0), 900.0, "1.2", SetpointFields(connect=True)
        )
        self.client = CsipClient(settings, Member(US), lambda: self.now_s)

    def answer(self, request: Request) -> Answer:
        failing = next((answer for path, answer in self.fails.items() if request.path.startswith(path)), None)
        if failing is not None:
            return failing
        if request.method == "POST":
            self.posted.append(request.body)
            return Answer(201, location="/mup/1")
        return self.table.answer(request)

    def round(self, at_s: float) -> str | None:
        self.now_s = at_s
        errand, answer = self.client.round(), None
        try:
            while True:
                answer = self.answer(errand.send(answer))  # type: ignore[arg-type]
        except StopIteration as end:
            trouble: str | None = end.value
            return trouble

    def energize(self, at_s: float) -> bool | None:
        self.now_s = at_s
        setpoint = self.client.setpoint(at_s)
        assert setpoint is not None
        return setpoint.fields.energize


def test_a_pause_that_the_server_asks_for_is_kept_and_a_quarter_more() -> None:
    world = World()
    world.fails["/derp/1/derc"] = Answer(429, retry_after_s=100.0)

    assert world.round(0.0) == "the server answers /derp/1/derc?s=0&l=100 with HTTP 429 and asks for a pause"
    assert world.client.next_s() == 100.0 * PAUSE_SHARE


def test_pauses_without_a_word_grow_up_to_a_minute() -> None:
    world = World()
    world.fails["/dcap"] = Answer(500)
    pauses = []
    for _ in range(6):
        world.round(world.client.next_s() if pauses else 0.0)
        pauses.append(world.client.next_s() - world.now_s)

    assert pauses == [10.0, 20.0, 40.0, 60.0, 60.0, 60.0]


def test_what_became_of_an_event_is_posted_at_once_and_kept_while_the_server_is_away() -> None:
    world = World()
    world.round(0.0)
    assert world.energize(0.0) is None
    assert world.energize(10.0) is False
    assert world.client.next_s() < 10.0
    world.fails["/rsp"] = Answer(500)
    assert "HTTP 500" in str(world.round(10.0))
    world.fails.clear()
    world.round(20.0)

    assert [b"<status>1<" in world.posted[0], b"<status>2<" in world.posted[1]] == [True, True]
    assert b"<createdDateTime>1010<" in world.posted[1]


def test_a_response_that_is_refused_for_good_is_not_tried_again() -> None:
    world = World()
    world.fails["/rsp"] = Answer(400)

    assert world.round(0.0) is None
    world.fails.clear()
    world.round(5.0)
    assert world.posted == []


def test_a_server_that_takes_no_readings_is_read_all_the_same() -> None:
    world = World()
    world.table.documents["/dcap"] = world.table.documents["/dcap"].replace(
        "</Dev", '<MirrorUsagePointListLink href="/mup"/></Dev'
    )
    world.table.lists["/mup"] = ("MirrorUsagePointList", [])
    world.client.show(Picture(site_watts=1.0, der_watts=2.0))
    world.fails["/mup"] = Answer(503)
    world.round(0.0)
    world.table.asked.clear()
    world.round(30.0)

    assert "/derp/1/derc" in world.table.asked


def test_voltages_and_reactive_power_are_posted_where_they_are_known() -> None:
    world = World()
    world.table.documents["/dcap"] = world.table.documents["/dcap"].replace(
        "</Dev", '<MirrorUsagePointListLink href="/mup"/></Dev'
    )
    world.table.lists["/mup"] = ("MirrorUsagePointList", [])
    world.client.show(Picture(site_watts=1.0, site_vars=-40.0, volts_a=231.44, volts_c=229.0, der_watts=2.0))
    world.round(0.0)
    point = next(each for each in world.posted if b"<MirrorUsagePoint " in each)
    values = [each for each in world.posted if b"<MirrorMeterReading " in each]

    assert [point.count(phase) for phase in (b"<phase>129<", b"<phase>65<", b"<phase>33<")] == [1, 1, 1]
    assert [b"<description>volts_b<" in each for each in values].count(True) == 0
    for name, value in ((b"volts_a", b"2314"), (b"volts_c", b"2290"), (b"site_vars", b"-40"), (b"der_watts", b"2")):
        assert any(b"<description>" + name in each and b"<value>" + value + b"<" in each for each in values)


def test_a_server_without_a_program_for_the_site_leaves_it_to_site_yaml() -> None:
    world = World()
    world.round(0.0)
    assert world.client.setpoint(0.0) is not None
    world.table.lists["/fsa"] = ("FunctionSetAssignmentsList", [])
    world.round(30.0)

    assert world.client.setpoint(30.0) is None
    assert world.client.is_silent


def test_a_plan_is_told_anew_in_time_and_when_the_wall_clock_jumps() -> None:
    world = World()
    world.table.lists["/derp/1/derc"] = ("DERControlList", [])
    world.round(0.0)

    def is_told(at_s: float, wall_s: float) -> bool:
        world.now_s = at_s
        return world.client.setpoint(wall_s) is not None

    told = [is_told(at_s, wall_s) for at_s, wall_s in ((0, 100), (1, 101), (2, 102.4), (3, 107), (4, 108), (63, 167))]
    assert told == [True, False, False, True, False, True]


@pytest.mark.parametrize(("poll_s", "lost_at_s"), [(30, 900), (1800, 1920)])
def test_a_server_that_wants_to_be_asked_seldom_is_not_lost_before_it_is_asked(poll_s: int, lost_at_s: int) -> None:
    world = World()
    world.table.poll_s = poll_s
    endless = EVENT.replace("<duration>50<", "<duration>86400<")
    world.table.lists["/derp/1/derc"] = ("DERControlList", [endless])
    world.round(0.0)
    world.energize(20.0)
    world.fails["/"] = Answer(500)

    def asked(at_s: float) -> bool | None:
        world.now_s = at_s
        setpoint = world.client.setpoint(at_s)
        return None if setpoint is None else setpoint.fields.energize

    assert asked(lost_at_s - 100.0) is False
    assert asked(lost_at_s + 1.0) is None
    assert world.client.is_silent


def test_a_mean_weighs_each_value_by_its_time() -> None:
    mean = Mean()
    for at_s, watts in ((0.0, 100.0), (1.0, 400.0), (4.0, None), (6.0, 7.0)):
        mean.add(Picture(site_watts=watts), at_s)

    assert mean.take() == {"site_watts": pytest.approx((100 + 3 * 400) / 4)}
    assert mean.take() == {}


assert SEP
