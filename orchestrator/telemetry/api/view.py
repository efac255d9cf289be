"""The site as the page and the API show it: the newest cycle, with what is around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from msgspec import to_builtins

from orchestrator.config.sections import SiteConfig
from orchestrator.decide.plant.headroom import InverterNumbers
from orchestrator.decide.records import CycleResult
from orchestrator.documents.json_values import Payload, rfc3339
from orchestrator.explain.words import say
from orchestrator.ledger.excess import Excess
from orchestrator.loop.in_force import PAUSE
from orchestrator.reason import because
from orchestrator.samples import METER
from orchestrator.setpoints.merge import OperatingEnvelope, Setpoint
from orchestrator.telemetry.payloads import away_payload, inverter_payload, limits_payload, site_payload

NOT_HEARD: Final = because("not_heard_yet")
NO_TOKEN, NOT_SIGNED_IN = "no_token_configured", "not_signed_in"
HOW_TO_CONFIGURE: Final = because("page_read_only", example="page: {change_token_file: /etc/orchestrator/change.token}")


@dataclass(frozen=True, slots=True)
class Moment:
    """What is known at `time` (RFC 3339). `result` None: nothing was decided yet, or it is too old to be shown.

    `manual` is the setpoint set by hand while it holds; `fresh` says of each source whether it renews its setpoint;
    `events` are the newest, newest first.
    """

    time: str
    result: CycleResult | None
    fresh: Mapping[str, bool]
    events: Sequence[Payload]
    manual: Setpoint | None = None
    released: bool = False


def site_view(config: SiteConfig, version: str, moment: Moment, *, may_change: bool, can_be_changed: bool) -> Payload:
    """`SiteView` as it is sent. `may_change`: who asks may; `can_be_changed`: somebody may."""
    result = moment.result
    envelope = result.envelope if result else OperatingEnvelope()
    pause = envelope.origins.get("battery_storage_mode")
    paused = pause is not None and pause.source == PAUSE and not moment.released
    return {
        "name": config.site.name,
        "timezone": config.site.timezone,
        "version": version,
        "time": moment.time,
        "interval_s": config.control.interval_s,
        "language": config.page.language,
        "site": None if result is None or result.mode == "waiting" else site_payload(result, moment.time),
        "inverters": {each.name: inverter_view(result, each.name, moment.time) for each in config.inverters},
        "why": why_view(result),
        "limits": limits_payload(envelope, moment.time),
        "manual": manual_view(moment.manual),
        "sources": [{"name": each, "fresh": moment.fresh.get(each, True)} for each in config.source_names],
        "shadow": not config.control.enabled,
        "control": "released" if moment.released else "paused" if paused else "running",
        "control_until": pause.valid_until if pause is not None and paused else None,
        "may_change": may_change,
        "read_only_why": None if may_change else NOT_SIGNED_IN if can_be_changed else NO_TOKEN,
        "events": list(moment.events),
        "setup": {"missing": missing(config, result)},
    }


def inverter_view(result: CycleResult | None, name: str, time: str) -> Payload:
    """One inverter of the site, away or not."""
    sample = result.snapshot.inverter(name) if result else None
    if result is None or sample is None:
        trouble = result.snapshot.troubles.get(name) if result else None
        return away_payload(trouble or NOT_HEARD, time)
    numbers = result.live.inverters.get(name, InverterNumbers())
    return inverter_payload(sample, result.command(name), numbers, time)


def why_view(result: CycleResult | None) -> Payload:
    """Why, as `WhyRecord`."""
    commands = result.commands if result else ()
    return {
        "site": to_builtins(result.reasons) if result else (),
        "inverters": {each.inverter: to_builtins(each.reasons) for each in commands},
    }


def manual_view(manual: Setpoint | None) -> Payload | None:
    """The setpoint that people have set by hand."""
    return None if manual is None else {"valid_until": manual.valid_until, **manual.fields.asked()}


def missing(config: SiteConfig, result: CycleResult | None) -> list[Payload]:
    """The devices that are not there, the meter first."""
    troubles = result.snapshot.troubles if result else {}
    there = {each.name for each in result.snapshot.inverters} if result else set()
    names = [] if result and result.snapshot.meter is not None else [METER]
    names += [each.name for each in config.inverters if each.name not in there]
    found = [(name, troubles.get(name, NOT_HEARD)) for name in names]
    return [{"what": name, "trouble": say(why), "why": to_builtins(why)} for name, why in found]


def excess_view(excess: Excess) -> Payload:
    """One line of the ledger."""
    ended = excess.began_at + timedelta(seconds=excess.duration_s)
    return {
        "began": rfc3339(excess.began_at),
        "ended": rfc3339(ended),
        "limit": excess.limit,
        "limit_watts": excess.limit_watts,
        "source": excess.source,
        "seconds": round(excess.duration_s, 1),
        "peak_watts": round(excess.peak_watts),
        "energy_wh": round(excess.watt_hours, 1),
        "outcome": excess.outcome.value,
        "away": list(excess.context.away),
        "reasons": list(excess.context.reasons),
        "why": to_builtins(excess.context.why),
    }
