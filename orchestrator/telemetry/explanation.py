"""What decided every watt, in plain words: for `orchestrator explain`.

Made of the messages that are published of each cycle (see `telemetry`), so that it says the same of a running plant and
of a recording. Whatever is missing in them is left out, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import zip_longest
from typing import Any

from orchestrator.explain.codes import meaning
from orchestrator.telemetry.table import directed, field_text, watts_text

Payload = Mapping[str, Any]

OLD_AFTER_S = 60.0
"""The state is published every 30 s at least."""

MODES = {
    "normal": "running",
    "failsafe": "FAILSAFE: the meter cannot be believed",
    "waiting": "waiting for the first readings",
}

WITHOUT_CODES = "What the reasons mean cannot be said: a former version told this, without their codes."


@dataclass(frozen=True, slots=True)
class View:
    """One moment of a site. `payloads` by topic (`site`, `limits`, `inverters/<name>`), `names` of its inverters.

    `online` is False where the orchestrator has gone since; `now` (with time zone) tells how old the state is, `zone`
    (that of the site) in which time zone to say when it was; without one it is said as it was written.
    """

    site: str
    payloads: Mapping[str, Payload]
    names: Sequence[str]
    online: bool | None = None
    now: datetime | None = None
    zone: tzinfo | None = None


def inverter_names(payloads: Mapping[str, Payload]) -> list[str]:
    """Every inverter that something is said of."""
    return [topic.removeprefix("inverters/") for topic in payloads if topic.startswith("inverters/")]


def explain(view: View) -> str:
    """The text, in lines of some 100 characters."""
    parts = [*_site(view), "", "Limits in force", *_limits(view.payloads.get("limits", {}))]
    for name in view.names:
        parts.extend(["", *_inverter(name, view.payloads.get(f"inverters/{name}"))])
    if _has_no_codes(view.payloads.get("site", {})):
        parts.extend(["", WITHOUT_CODES])
    return "\n".join(parts)


def _site(view: View) -> Iterator[str]:
    site = view.payloads.get("site", {})
    mode = MODES.get(str(site.get("mode")), "unknown")
    yield f"{view.site}, {_when(site.get('time'), view)}: {'was ' if view.online is False else ''}{mode}"
    if view.online is False:
        yield "The orchestrator is offline. This is what it said last."
    if site.get("meter_trouble"):
        yield f"The meter does not answer: {site['meter_trouble']}"
    yield (
        f"The meter shows {directed(_number(site, 'site_watts'), 'import', 'export')}, "
        f"the load takes {watts_text(_number(site, 'load_watts'), ' W')}, "
        f"PV makes {watts_text(_number(site, 'pv_watts'), ' W')}, "
        f"batteries: {directed(_number(site, 'battery_watts'), 'charging', 'discharging')}."
    )
    yield from _because(site, "What decided for the site")
    yield from _could(site)


def _when(time: object, view: View) -> str:
    try:
        at = datetime.fromisoformat(str(time))
    except ValueError:
        return "at an unknown time"
    if at.tzinfo is None:
        return f"{at:%Y-%m-%d %H:%M:%S}"
    words = f"{at:%Y-%m-%d %H:%M:%S}" if view.zone is None else f"{at.astimezone(view.zone):%Y-%m-%d %H:%M:%S %Z}"
    if view.now is None:
        return words
    age_s = max((view.now - at).total_seconds(), 0.0)
    return f"{words}, {age_s:.0f} s ago{' (OLD)' if age_s > OLD_AFTER_S else ''}"


def _could(site: Payload) -> Iterator[str]:
    up, down = _number(site, "headroom_up_watts"), _number(site, "headroom_down_watts")
    if up is not None and down is not None:
        yield f"It could give {up:.0f} W more AC power, or {down:.0f} W less."
    charge, discharge = _number(site, "balanced_charge_watts"), _number(site, "balanced_discharge_watts")
    if charge is not None and discharge is not None:
        yield (f"States of charge stay together up to {charge:.0f} W of charging and {discharge:.0f} W of discharging.")


def _limits(limits: Payload) -> Iterator[str]:
    asked = {name: entry for name, entry in limits.items() if isinstance(entry, Mapping)}
    for name, entry in asked.items():
        until = f", until {entry['valid_until']}" if entry.get("valid_until") else ""
        whose = f"{'default of ' if entry.get('is_default') is True else ''}{entry.get('source') or 'unknown'}"
        yield f"  {field_text(name, entry.get('value'))} ({whose}{until})"
    if not asked:
        yield "  none: nobody asks for anything"


def _inverter(name: str, payload: Payload | None) -> Iterator[str]:
    if payload is None:
        yield f"{name}: nothing is known of it"
        return
    if not payload.get("online"):
        why = f": {payload['trouble']}" if payload.get("trouble") else ""
        yield f"{name}: does not answer; the others take its share, and it is tried again{why}"
        return
    what = " ".join(str(payload[key]) for key in ("manufacturer", "model") if payload.get(key))
    yield f"{name}{f': {what}' if what else ''}"
    yield f"  now      {_readings(payload)}"
    command = payload.get("command")
    if not isinstance(command, Mapping):
        yield "  nothing is asked of it: it is only read"
        return
    yield f"  asked    {_asked(command)}"
    yield from _because(command, "  because", otherwise="nothing holds it back")
    response_s = _number(payload, "response_s")
    if response_s is not None:
        yield f"  it follows a command within {response_s:g} s or so"


def _readings(payload: Payload) -> str:
    parts = [f"AC {watts_text(_number(payload, 'ac_watts'), ' W')}"]
    if payload.get("pv_watts") is not None:
        parts.append(f"PV {watts_text(_number(payload, 'pv_watts'), ' W')}")
    soc = _number(payload, "battery_soc_percent")
    if payload.get("battery_watts") is not None or soc is not None:
        power = directed(_number(payload, "battery_watts"), "charging", "discharging")
        parts.append(f"battery {power} at {watts_text(soc, ' %')}")
    if payload.get("connected") is False:
        parts.append("disconnected")
    faults = payload.get("faults")
    if isinstance(faults, list) and faults:
        parts.append(f"nonsense in {', '.join(map(str, faults))}")
    return ", ".join(parts)


def _asked(command: Payload) -> str:
    parts = ["disconnect"] if command.get("connect") is False else []
    limit, target = _number(command, "ac_limit_watts"), _number(command, "battery_target_watts")
    parts.append("no AC limit" if limit is None else f"AC limit {limit:.0f} W")
    mode = command.get("battery_mode")
    if mode in ("charge", "discharge", "hold") and target is not None:
        parts.append(f"{'charge at most' if mode == 'hold' else mode} {abs(target):.0f} W")
    elif mode is not None:
        parts.append("battery to itself" if mode == "release" else "battery idle")
    return ", ".join(parts)


def _because(payload: Payload, heading: str, otherwise: str = "") -> Iterator[str]:
    """The reasons, one a line, each with what it means, as far as its code is known."""
    said, codes = _texts(payload.get("reasons")), _texts(payload.get("reason_codes"))
    if not said and not otherwise:
        return
    yield heading
    indent = " " * (len(heading) - len(heading.lstrip()) + 2)
    for reason, path in zip_longest(said or [otherwise], codes[: len(said)], fillvalue=""):
        yield f"{indent}- {reason}"
        if means := meaning(path):
            yield f"{indent}    {means}"


def _has_no_codes(site: Payload) -> bool:
    """Whether reasons have no codes: they were published before there were any."""
    return bool(_texts(site.get("reasons"))) and "reason_codes" not in site


def _texts(listed: object) -> list[str]:
    return [str(each) for each in listed] if isinstance(listed, list | tuple) else []


def _number(payload: Payload, key: str) -> float | None:
    value = payload.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
