"""A virtual plant as the page sees it: each step is one decision of the real loop, told as `/api/v1/` tells it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec import to_builtins

from orchestrator.config.sections import SiteConfig
from orchestrator.config.simulation import InverterSimulation
from orchestrator.decide.records import CycleResult
from orchestrator.explain.words import say
from orchestrator.ledger.excess import Excess, LedgerState, observe
from orchestrator.reason import Reason, because
from orchestrator.samples import METER
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import Setpoint
from orchestrator.simulation.virtual_time import VirtualTime
from orchestrator.telemetry.api.view import excess_view, why_view
from orchestrator.telemetry.log.events import entries
from orchestrator.telemetry.payloads import event_payload, state_payloads
from tests.support.plants.example_site import EXAMPLE
from tests.support.plants.virtual_site import site_config

Json = dict[str, Any]
HISTORY_STEP_S = 60
"""A step of the plant is a second of its own time, and a minute in its curves: a day of it is played in no time."""
FIXED = {"export_limit_watts": 5000.0, "import_limit_watts": 10000.0, "battery_soc_min_percent": 10.0}
NOT_HEARD = {
    METER: because("no_connection_in_time", where="10.0.0.9:502"),
    "east": because("refuses_connection", where="10.0.0.11:502"),
    "west": because("no_connection_in_time", where="10.0.0.12:502"),
    "roof": because("no_way_to_host", where="10.0.0.13:502"),
}


def page_config(
    inverters: Mapping[str, InverterSimulation] = EXAMPLE, *, name: str = "home", shadow: bool = False
) -> SiteConfig:
    """A site of these inverters with a day of 24 minutes."""
    sun = {"period_s": 1440, "night_fraction": 0.4, "start_fraction": 0.3, "cloud_depth": 0.35, "cloud_period_s": 40}
    load = {"base_watts": 500, "variation_watts": 900, "period_s": 300, "appliance_watts": 2200, "noise_watts": 30}
    scale = max(1.0, len(inverters) / 4)
    load = {key: value if key == "period_s" else value * scale for key, value in load.items()}
    sections = site_config(dict(inverters), sun=sun, load=load, battery_speed=60, seed=5).model_dump()
    sections["site"] |= {"name": name, "timezone": "Europe/Berlin"}
    sections["control"] |= {"enabled": not shadow}
    sections["setpoints"] = {
        "fixed": {**FIXED, "export_limit_watts": 5000.0 * scale, "import_limit_watts": 1e4 * scale}
    }
    return SiteConfig.model_validate(sections)


class PagePlant:
    """The plant and all that is told of it. Whoever listens is woken by each step."""

    def __init__(self, config: SiteConfig, *, may_change: bool = True) -> None:
        self.plant = VirtualTime(config)
        self.changed = threading.Condition()
        self.version = 0
        self.control, self.until, self.manual = "running", None, None
        self.asked: list[tuple[str, str, Json]] = []
        self.events: list[Json] = []
        self.history: list[CycleResult] = []
        self.excesses: dict[tuple[str, datetime], Excess] = {}
        self.may_change, self.language = may_change, "auto"
        self._config, self._ledger, self._told = config, LedgerState(), 0

    # What happens

    def step(self, count: int = 1) -> None:
        """So many decisions more."""
        with self.changed:
            for _ in range(count):
                self._step()
            self._wake()

    def _step(self) -> None:
        result = self.plant.run(1)[-1].result
        if result is None:
            return
        former = self.history[-1] if self.history else None
        self.history.append(result)
        self._ledger, told = observe(self._ledger, result, self._now())
        self.excesses |= {(each.limit, each.began_at): each for each in told}
        for entry in (each for each in entries(former, result) if former is not None or each.event != "setpoint"):
            self.tell(entry.event, entry.inverter or "site", entry.message, entry.why)
        for _, event in self.plant.events[self._told :]:
            self.tell(event.name, event.subject, event.detail, event.why)
        self._told = len(self.plant.events)

    def tell(self, event: str, subject: str, detail: str, why: Reason | None = None) -> None:
        """An event, to be shown."""
        self.events.insert(0, event_payload(event, subject, detail, self._time(), why))

    def turn(self, act: Callable[[VirtualTime], None], steps: int = 1) -> None:
        """Turn a knob of the plant, then go on."""
        act(self.plant)
        self.step(steps)

    def ask_by_hand(self, fields: Json, until: datetime | None) -> None:
        """A setpoint of the source `manual`."""
        at_s = self.plant.now_s
        end_s = None if until is None else at_s + (until - datetime.now(UTC)).total_seconds()
        text = None if until is None else _text(until)
        self.manual = {"valid_until": text, **fields}
        self.plant.receive(Setpoint("manual", SetpointFields(**fields), at_s, end_s, text))
        self.step()

    def withdraw_by_hand(self) -> None:
        """What was asked by hand holds no more."""
        self.manual = None
        self.plant.withdraw("manual")
        self.step()

    def _wake(self) -> None:
        self.version += 1
        self.changed.notify_all()

    def now_is(self, control: str, until: datetime | None = None) -> None:
        """The plant is paused, released or running."""
        with self.changed:
            self.control, self.until = control, None if until is None else _text(until)
            self._wake()

    # What is told

    def state(self, *, signed_in: bool = False) -> Json:
        """`/api/v1/site`."""
        result = self.history[-1] if self.history else None
        told = state_payloads(result, self._time()) if result else {}
        inverters = {name.partition("/")[2]: payload for name, payload in told.items() if name.startswith("inverters/")}
        why_not = (
            None if signed_in and self.may_change else "not_signed_in" if self.may_change else "no_token_configured"
        )
        return {
            "name": self._config.site.name,
            "timezone": self._config.site.timezone,
            "version": "0.2.0",
            "time": self._time(),
            "interval_s": self._config.control.interval_s,
            "site": told.get("site"),
            "inverters": inverters,
            "why": why_view(result),
            "limits": told.get("limits", {}),
            "sources": [],
            "shadow": not self._config.control.enabled,
            "control": self.control,
            "control_until": self.until,
            "manual": self.manual,
            "language": self.language,
            "may_change": why_not is None,
            "read_only_why": why_not,
            "events": self.events[:20],
            "setup": {"missing": self._missing(result)},
        }

    def _missing(self, result: CycleResult | None) -> list[Json]:
        if result is None:
            troubles = {name: NOT_HEARD[name] for name in (METER, *(each.name for each in self._config.inverters))}
        else:
            troubles = {name: result.snapshot.troubles[name] for name in result.snapshot.away}
        return [{"what": name, "trouble": say(why), "why": to_builtins(why)} for name, why in troubles.items()]

    def columns(self, hours: float, inverter: str | None) -> Json:
        """`/api/v1/history`: a minute for each step, at most 500 points."""
        results = self.history[-round(hours * 3600 / HISTORY_STEP_S) :]
        stride = max(1, len(results) // 500)
        kept = results[::-1][::stride][::-1]
        end = datetime.now(UTC).timestamp()
        times = [round(end - (len(kept) - 1 - index) * stride * HISTORY_STEP_S) for index in range(len(kept))]
        rows = [_of_site(each) if inverter is None else _of_inverter(each, inverter) for each in kept]
        names = rows[0] if rows else {}
        return {
            "time": times,
            "step_s": stride * HISTORY_STEP_S,
            **{name: [row.get(name) for row in rows] for name in names},
        }

    def ledger(self) -> list[Json]:
        """`/api/v1/ledger`."""
        return [excess_view(each) for each in reversed(self.excesses.values())]

    def _now(self) -> datetime:
        return datetime.now(UTC)

    def _time(self) -> str:
        return _text(self._now())


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _of_site(result: CycleResult) -> Json:
    totals = result.totals
    socs = [s.battery.soc_percent for s in result.snapshot.inverters if s.battery and s.battery.soc_percent is not None]
    return {
        "site_watts": totals.site_watts,
        "load_watts": totals.load_watts,
        "pv_watts": totals.pv_watts,
        "battery_watts": totals.battery_watts,
        "battery_soc_percent": sum(socs) / len(socs) if socs else None,
        "export_limit_watts": result.envelope.fields.export_limit_watts,
    }


def _of_inverter(result: CycleResult, name: str) -> Json:
    sample = result.snapshot.inverter(name)
    battery = sample.battery if sample else None
    return {
        "ac_watts": sample.ac_watts if sample else None,
        "pv_watts": sample.pv_watts if sample else None,
        "battery_watts": battery.watts if battery else None,
        "battery_soc_percent": battery.soc_percent if battery else None,
        "ac_limit_watts": sample.ac_limit_watts if sample else None,
    }
