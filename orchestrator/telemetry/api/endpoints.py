"""Every way into the API: what it is for, what is asked, what is answered. Routes and description follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from orchestrator.telemetry.api.answers import (
    AnyHistory,
    AnyInverter,
    Done,
    ExcessRecord,
    ForTime,
    Password,
    Reloaded,
    Session,
    SetpointAsked,
    SetpointTaken,
    SiteView,
)
from orchestrator.telemetry.records import EventRecord, LimitsRecord

API: Final = "/api/v1"
HEALTH_PATH: Final = "/healthz"
READY_PATH: Final = "/readyz"
METRICS_PATH: Final = "/metrics"
STREAM_PATH: Final = f"{API}/stream"
SESSION_PATH: Final = f"{API}/session"
JSON: Final = "application/json"

MOST_HOURS: Final = 744
MOST_DAYS: Final = 366
MOST_EVENTS: Final = 200


@dataclass(frozen=True, slots=True)
class Query:
    """A parameter of a request: a number from `least` to `most`, or with `most` 0 a text."""

    name: str
    says: str
    default: int = 0
    least: int = 1
    most: int = 0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path below `API`. `name` is that of its handler; `answers` is a type, None: a stream."""

    method: str
    path: str
    name: str
    says: str
    answers: Any
    asks: Any = None
    queries: tuple[Query, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether it changes something, so that a change token is needed."""
        return self.method != "GET" and self.name != "sign_in"


INVERTER: Final = Query("inverter", "The inverter by its name. Not given: the site.")

ENDPOINTS: Final = (
    Endpoint("GET", "/site", "site", "The whole site at this moment.", SiteView),
    Endpoint("GET", "/inverters/{name}", "inverter", "One inverter: what it does, and why.", AnyInverter),
    Endpoint("GET", "/limits", "limits", "What is asked of the site, by whom, and until when.", LimitsRecord),
    Endpoint(
        "GET",
        "/events",
        "events",
        "What has happened, newest first.",
        list[EventRecord],
        queries=(Query("limit", "So many at most.", 100, 1, MOST_EVENTS),),
    ),
    Endpoint(
        "GET",
        "/history",
        "history",
        "The last hours as columns.",
        AnyHistory,
        queries=(Query("hours", "So many hours back.", 24, 1, MOST_HOURS), INVERTER),
    ),
    Endpoint(
        "GET",
        "/ledger",
        "ledger",
        "Every excess over a limit, newest first.",
        list[ExcessRecord],
        queries=(Query("days", "So many days back.", 31, 1, MOST_DAYS),),
    ),
    Endpoint("GET", "/stream", "stream", "The site as it changes: server-sent events `state` and `event`.", None),
    Endpoint("POST", "/setpoint", "set_setpoint", "Set a setpoint by hand.", SetpointTaken, SetpointAsked),
    Endpoint("DELETE", "/setpoint", "withdraw_setpoint", "Withdraw the setpoint that was set by hand.", Done),
    Endpoint(
        "POST", "/pause", "pause", "Leave the batteries to themselves for a while. Limits are kept.", Done, ForTime
    ),
    Endpoint("DELETE", "/pause", "end_pause", "End the pause.", Done),
    Endpoint("POST", "/release", "release", "Hand all devices back, and command nothing until resumed.", Done),
    Endpoint("POST", "/resume", "resume", "Control the plant again.", Done),
    Endpoint("POST", "/reload", "reload", "Read site.yaml again.", Reloaded),
    Endpoint("POST", "/session", "sign_in", "Get a token for changes with the password.", Session, Password),
)
