"""What changes something over HTTP: who may, what is refused, and what the site hears of it."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from msgspec import to_builtins

from actors.clock import ManualClock, RealClock
from actors.files.process import Answer as Reply
from actors.messages import Event, SetpointReceived, SetpointWithdrawn
from actors.web.by_hand import FILE_NAME, ByHand
from orchestrator.explain.words import say
from orchestrator.loop.messages import ReleaseAsked, ResumeAsked
from orchestrator.reason import Reason, because
from orchestrator.setpoints.fields import SetpointFields
from tests.support.inboxes import Inbox
from tests.support.records.cycles import cycle_result
from tests.support.servers.required import wait_until
from tests.support.web import PASSWORD, TOKEN, Answer, Web, web, web_config

LIMIT = {"export_limit_watts": 0, "for_s": 3600}
WAYS = (
    ("setpoint", "POST", LIMIT),
    ("setpoint", "DELETE", None),
    ("pause", "POST", {"for_s": 60}),
    ("pause", "DELETE", None),
    ("release", "POST", None),
    ("resume", "POST", None),
    ("reload", "POST", None),
)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Web]:
    with web(web_config(tmp_path)) as running:
        yield running


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """One that is shared by tests that change nothing."""
    with web(web_config(tmp_path_factory.mktemp("state"))) as running:
        yield running


def events(served: Web) -> list[Event]:
    return served.site.of(Event)


def test_without_the_token_nothing_is_changed(served: Web) -> None:
    for path, method, body in WAYS:
        assert served.ask(f"/api/v1/{path}", method, body).status == 401
    for (path, method, body), token in zip(WAYS, ("wrong", TOKEN[:-1], TOKEN + "x", TOKEN.upper()), strict=False):
        assert served.ask(f"/api/v1/{path}", method, body, token).status == 401
    assert not events(served)


def test_the_page_of_another_site_changes_nothing_even_with_the_token(served: Web) -> None:
    own = f"http://127.0.0.1:{served.port}"
    foreign = (
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": f"http://127.0.0.1:{served.port + 1}"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": own},
    )
    for path, method, body in WAYS:
        assert {served.change(path, body, method, **headers).status for headers in foreign} == {403}
    assert not events(served)


def test_our_own_page_may_change_something(served: Web) -> None:
    headers = {"Origin": f"http://127.0.0.1:{served.port}", "Sec-Fetch-Site": "same-origin"}

    assert served.change("setpoint", LIMIT, **headers).status == 200


def test_a_name_that_leads_here_by_rebinding_changes_nothing(served: Web) -> None:
    assert served.change("setpoint", LIMIT, Host="evil.example", Origin="http://evil.example").status == 421
    assert not events(served)


def test_the_token_for_reading_changes_nothing(tmp_path: Path) -> None:
    with web(web_config(tmp_path, metrics={"token": "the-read-token"})) as served:
        assert served.ask("/api/v1/setpoint", "POST", LIMIT, "the-read-token").status == 401


def test_a_setpoint_by_hand_reaches_the_site_with_who_and_until_when(served: Web) -> None:
    answer = served.change("setpoint", LIMIT)
    setpoint = served.site.of(SetpointReceived)[0].setpoint
    said = events(served)[0]

    assert answer.said["limits"] == {"export_limit_watts": 0}
    assert (setpoint.source, setpoint.fields.export_limit_watts) == ("manual", 0.0)
    assert setpoint.valid_until == answer.said["valid_until"]
    assert said.name == "setpoint_by_hand"
    assert "export_limit_watts 0" in said.detail
    assert said.detail.endswith("(by the change token, from 127.0.0.1)")
    assert served.ask("/api/v1/site").said["manual"]["export_limit_watts"] == 0


def test_it_is_withdrawn_and_that_is_an_event(served: Web) -> None:
    served.change("setpoint", LIMIT)
    assert served.change("setpoint", method="DELETE").said == {"control": "running", "until": None}

    assert served.site.of(SetpointWithdrawn)[-1].source == "manual"
    assert [each.name for each in events(served)] == ["setpoint_by_hand", "setpoint_by_hand_withdrawn"]
    assert served.ask("/api/v1/site").said["manual"] is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"export_limit_watts": 0}, "for_s"),
        ({"export_limit_watts": -1, "for_s": 60}, "export_limit_watts"),
        ({"export_limit_watts": "0", "for_s": 60}, "export_limit_watts"),
        ({"export_limit_wats": 0, "for_s": 60}, "export_limit_wats"),
        ({"export_limit_watts": 0, "for_s": 0}, "for_s"),
        ({"export_limit_watts": 0, "for_s": True}, "for_s"),
        ({"export_limit_watts": 0, "for_s": 1e9}, "for_s"),
        ({"export_limit_watts": 0, "valid_until": "2001-01-01T00:00:00Z"}, "valid_until"),
        ({"export_limit_watts": 0, "valid_until": "tomorrow"}, "valid_until"),
        ({"export_limit_watts": 0, "valid_until": "2001-01-01T00:00:00Z", "for_s": 60}, "for_s"),
        ({"for_s": 60}, None),
        (b"{", None),
        (b"[]", None),
        (b'{"for_s": 60, "for_s": 61}', None),
        (b"[" * 60_000, None),
        (b"\xff", None),
    ],
)
def test_what_is_no_setpoint_is_refused_with_the_field_that_is_wrong(
    quiet: Web, body: object, field: str | None
) -> None:
    refused = quiet.change("setpoint", body)

    assert refused.status == 422
    assert refused.said.get("field") == field
    assert not quiet.site.of(SetpointReceived)


def test_a_body_of_ten_megabytes_is_refused_before_it_is_read(served: Web) -> None:
    assert served.change("setpoint", b" " * 10_000_000).status == 413
    assert served.ask("/healthz").status == 503


def test_a_body_that_does_not_say_how_long_it_is_ends_at_the_same_length(served: Web) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    parts = iter([b" " * 10_000] * 20)
    connection.request("POST", "/api/v1/setpoint", body=parts, headers=headers, encode_chunked=True)

    assert connection.getresponse().status == 413
    connection.close()


def test_a_form_is_no_json(served: Web) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}

    assert served.change("setpoint", b"export_limit_watts=0", **kind).status == 415
    assert served.change("setpoint", b"{}", **{"Content-Type": "text/plain"}).status == 415


def test_a_pause_leaves_batteries_to_themselves_and_ends(served: Web) -> None:
    answer = served.change("pause", {"for_s": 600})
    setpoint = served.site.of(SetpointReceived)[0].setpoint
    assert (setpoint.source, setpoint.fields) == ("page", SetpointFields(battery_storage_mode=0))
    assert answer.said == {"control": "paused", "until": setpoint.valid_until}

    served.change("pause", method="DELETE")
    assert served.site.of(SetpointWithdrawn)[-1].source == "page"
    assert [each.name for each in events(served)] == ["paused", "pause_ended"]


@pytest.mark.parametrize("path", ["pause", "release"])
def test_what_only_batteries_keep_stands_against_it(served: Web, path: str) -> None:
    served.ref.tell(cycle_result(limits=SetpointFields(import_limit_watts=3000.0)))
    wait_until(lambda: served.ask("/readyz").status == 200, "the cycle")
    refused = served.change(path, {"for_s": 600} if path == "pause" else None)

    assert refused.status == 409
    assert "import_limit_watts (fixed)" in refused.said["error"]
    assert not events(served)


def test_the_plant_is_released_and_resumed(served: Web) -> None:
    assert served.change("release").said["control"] == "released"
    assert served.site.of(ReleaseAsked)
    assert served.ask("/api/v1/site").said["control"] == "released"
    before = len(served.site.of(ResumeAsked))

    assert served.change("resume").said["control"] == "running"
    assert len(served.site.of(ResumeAsked)) > before
    assert [each.name for each in events(served)] == ["released", "resumed"]


def test_a_reload_is_done_by_who_runs_the_plant_and_its_answer_is_told(served: Web) -> None:
    changed = because("reloaded", what=because("section_changed", section="meter"))
    replies = iter([Reply(True, ("reloaded: meter: changed",), (changed,)), Reply(False, ("site.yaml:3: wrong",))])

    def run() -> None:
        for _ in range(2):
            wait_until(lambda: served.desk.serve(lambda: next(replies), served.site.tell), "a reload")

    main = threading.Thread(target=run)
    main.start()
    done, refused = served.change("reload"), served.change("reload")
    main.join()

    assert done.said == {"changes": ["reloaded: meter: changed"], "why": [to_builtins(changed)]}
    assert (refused.status, refused.said) == (409, {"error": "site.yaml:3: wrong"})
    assert [each.name for each in events(served)] == ["reloaded", "reload_refused"]
    assert events(served)[0].detail == "reloaded: meter: changed (by the change token, from 127.0.0.1)"
    whys = [each.why.values["lines_why"] for each in events(served) if each.why]
    assert whys == [(changed,), None], "mistakes of a file are said in words only"


def test_what_is_refused_is_said_as_a_value_too(served: Web) -> None:
    refused = {
        "asks_for_nothing": served.change("setpoint", {"for_s": 60}),
        "value_wrong": served.change("setpoint", {"export_limit_watts": -1, "for_s": 60}),
        "field_unknown": served.change("setpoint", {"export_limit": 1, "for_s": 60}),
        "end_needed": served.change("pause", {}),
        "length_wrong": served.change("pause", {"for_s": 0}),
        "time_wrong": served.change("pause", {"valid_until": "soon"}),
        "message_no_object": served.change("pause", []),
        "change_needs_token": served.ask("/api/v1/release", "POST", None),
        "wrong_password": served.ask("/api/v1/session", "POST", {"password": "guess"}),
        "no_such_inverter": served.ask("/api/v1/inverters/nobody"),
        "whole_number_wanted": served.ask("/api/v1/events?limit=many"),
    }

    for code, answer in refused.items():
        why = msgspec.convert(answer.said["why"], Reason)
        assert why.code == code
        assert answer.said["error"] == say(why).replace("the message", "the body")


def test_a_reload_that_ends_the_server_itself_is_answered_and_said(
    served: Web, caplog: pytest.LogCaptureFixture
) -> None:
    answers: list[Answer] = []
    asking = threading.Thread(target=lambda: answers.append(served.change("reload")))

    def reload() -> Reply:
        served.ref.stop()
        return Reply(True, ("reloaded: page: changed",))

    asking.start()
    wait_until(lambda: served.desk.serve(reload, served.site.tell), "the reload")
    asking.join()

    assert (answers[0].status, answers[0].said) == (202, {"changes": None})
    assert events(served)[-1].name == "reloaded"
    assert "exception" not in caplog.text


def test_guesses_of_the_change_token_run_out_also_where_nothing_is_changed(served: Web) -> None:
    ways = ("/api/v1/site", "/healthz", "/api/v1/inverters/east")
    guesses = [served.ask(ways[n % 3], token=f"guess {n}", Accept="application/json").status for n in range(12)]

    assert guesses == [401, 503, 401] * 3 + [401, 503, 429]
    assert served.ask("/api/v1/site", token=TOKEN).status == 429
    assert served.ask("/healthz", token=TOKEN).status == 503


def test_wrong_passwords_run_out_and_then_the_right_one_is_not_told_from_a_wrong_one(served: Web) -> None:
    statuses = [served.ask("/api/v1/session", "POST", {"password": f"guess {n}"}).status for n in range(8)]

    assert statuses == [401] * 5 + [429] * 3
    assert served.ask("/api/v1/session", "POST", {"password": PASSWORD}).status == 429
    assert served.change("setpoint", LIMIT).status == 200


def test_without_a_password_one_is_told_to_use_the_token(tmp_path: Path) -> None:
    with web(web_config(tmp_path, page={"change_token": TOKEN})) as served:
        refused = served.ask("/api/v1/session", "POST", {"password": PASSWORD})

        assert refused.status == 403
        assert "change token" in refused.said["error"]


def test_what_was_set_by_hand_holds_after_a_restart_until_its_end(tmp_path: Path) -> None:
    clock = ManualClock()
    former = ByHand(tmp_path, Inbox(), clock, can_be_resumed=True)
    until = clock.wall() + timedelta(seconds=600)
    former.set(SetpointFields(export_limit_watts=0.0), until)
    former.release()
    former.close()
    clock.advance(500.0)
    after = ByHand(tmp_path, Inbox(), clock, can_be_resumed=True)

    assert after.manual is not None
    assert after.manual.fields.export_limit_watts == 0.0
    assert after.is_released
    clock.advance(101.0)
    assert after.manual is None
    assert after.setpoints == {}
    after.close()


def test_a_release_that_nobody_could_end_does_not_outlive_a_restart(tmp_path: Path) -> None:
    former = ByHand(tmp_path, Inbox(), RealClock(), can_be_resumed=True)
    former.release()
    former.close()
    after = ByHand(tmp_path, Inbox(), RealClock(), can_be_resumed=False)

    assert not after.is_released
    after.close()


def test_a_file_of_it_that_is_damaged_asks_for_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / FILE_NAME).write_text('{"manual": 1}')
    by_hand = ByHand(tmp_path, Inbox(), RealClock(), can_be_resumed=True)

    assert by_hand.setpoints == {}
    assert "is not usable" in caplog.text
    by_hand.close()
