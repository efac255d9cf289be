"""What decided every watt, in plain words: for `orchestrator explain`.

Made of the messages that are published of each cycle (see `telemetry`), so that it says the same of a running plant and
of a recording. Whatever is missing in them is left out, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from orchestrator.telemetry.table import directed, field_text, watts_text

Payload = Mapping[str, Any]

OLD_AFTER_S = 60.0
"""The state is published every 30 s at least."""

MODES = {
    "normal": "running",
    "failsafe": "FAILSAFE: the meter cannot be believed",
    "waiting": "waiting for the first readings",
}

PLAIN = (
    ("all batteries together", "its own share is a part of this"),
    ("no faster than its ramp", "site.yaml says how many watts a second it may rise; what falls, falls at once"),
    ("cannot be kept", "nothing that may be commanded keeps it; what can be served is served"),
    ("not served", "more is wanted than all batteries together can do"),
    ("energize false", "somebody wants no power from the inverters"),
    ("connect false", "somebody wants the inverters off the grid"),
    ("connect true", "somebody wants the inverters on the grid"),
    ("connected again", "they were off the grid because somebody wanted that"),
    ("less AC for a moment", "a meter that shows no change for long may be broken; this asks it"),
    ("held down for a moment", "a meter that shows no change for long may be broken; this asks it"),
    ("AC held down", "more could be made than the limits leave room for"),
    ("refuses", "above the target only what export refuses is stored"),
    ("export first", "export comes before the batteries; they take what its limit refuses"),
    ("surplus", "what the load leaves goes where priority says"),
    ("at their target", "above it only what export refuses is stored"),
    ("covers the load", "the load is more than what comes from the sun"),
    ("for the export target", "batteries give what PV leaves open of the wanted export"),
    ("import above its limit", "batteries give only what is above the limit"),
    ("charges from the grid", "the site may import to charge"),
    ("no charge needed", "and while it is enabled, batteries do not discharge for the load"),
    ("no battery can cover", "each is empty, away or not ours, or the inverter has no room for it"),
    ("no battery takes more", "there is more than is used; it is exported, or PV is held back"),
    ("no battery may charge", "there is more than is used; it is exported, or PV is held back"),
    ("nothing to charge with", "batteries rest"),
    ("no battery to command", "there is nothing to decide but the AC limits"),
    ("battery released", "it does what its own settings say"),
    ("batteries released", "they do what their own settings say"),
    ("tries for", "an inverter stands at its limit; charging is raised step by step to see what its PV could do"),
    ("leaves an import", "limits that rise end it sooner than batteries that give way"),
    ("too little to turn for", "so little is not worth changing between charging and discharging"),
    ("do not make up for", "what is taken away for a moment comes back by itself"),
    ("change under 1 %", "so small a change is not worth a register write"),
    ("share by capacity", "all states of charge move by the same percent"),
    ("share towards", "the emptier charge more, the fuller discharge more"),
    ("waits for the", "its turn comes when the others have reached its state of charge"),
    ("few batteries suffice", "inverters waste power at low load; they take turns"),
    ("all batteries run", "less would not suffice"),
    ("at its power limit", "it does all it can; the others take the rest"),
    ("load limit", "no more may be drawn from AC for charging"),
    ("full at", "it takes no more charge"),
    ("empty at", "it gives no more"),
    ("charged to its target", "above it only what export refuses"),
    ("rests before it turns", "some makes need a pause between charging and discharging"),
    ("not reachable", "it takes no part now"),
    ("nothing asked", "the site wants nothing of the batteries"),
    ("may charge from AC", "PV of other inverters, or the grid where that is allowed, feeds it"),
    ("may still charge from AC", "it does not need to now"),
    ("is not held to it", "that side is left to the device"),
    ("has not followed", "it is asked for little more than it gives, so that the others take the rest"),
    ("giving more than asked", "what it does is reckoned with as it is"),
    ("hold: ", "no discharge, and no more charging than before"),
    ("failsafe export limit", "safe even if nothing is consumed, because nobody knows what is"),
    (": failsafe", "without a meter to believe in only what is safe at zero load is allowed"),
    ("no AC limit", "it may make all it can"),
    ("rising step by step", "nothing limits AC any more; the last limit goes up second by second"),
    ("leaves", "all inverters share this room, those that are not held back first"),
    ("throttled", "it makes what its limit allows; its PV may be able to do more"),
    ("rises at most", "a limit falls at once and rises slowly, because nobody knows what PV is behind it"),
)
"""Words of a reason, and what they mean to somebody who has not read the docs. The first that fit count."""


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
    return "\n".join(parts)


def _site(view: View) -> Iterator[str]:
    site = view.payloads.get("site", {})
    mode = MODES.get(str(site.get("mode")), "unknown")
    yield f"{view.site}, {_when(site.get('time'), view)}: {'was ' if view.online is False else ''}{mode}"
    if view.online is False:
        yield "The orchestrator is offline. This is what it said last."
    yield (
        f"The meter shows {directed(_number(site, 'site_watts'), 'import', 'export')}, "
        f"the load takes {watts_text(_number(site, 'load_watts'), ' W')}, "
        f"PV makes {watts_text(_number(site, 'pv_watts'), ' W')}, "
        f"batteries: {directed(_number(site, 'battery_watts'), 'charging', 'discharging')}."
    )
    yield from _because(site.get("reasons"), "What decided for the site")
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
        yield f"{name}: does not answer; the others take its share, and it is tried again"
        return
    what = " ".join(str(payload[key]) for key in ("manufacturer", "model") if payload.get(key))
    yield f"{name}{f': {what}' if what else ''}"
    yield f"  now      {_readings(payload)}"
    command = payload.get("command")
    if not isinstance(command, Mapping):
        yield "  nothing is asked of it: it is only read"
        return
    yield f"  asked    {_asked(command)}"
    yield from _because(command.get("reasons"), "  because", otherwise="nothing holds it back")
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


def _because(reasons: object, heading: str, otherwise: str = "") -> Iterator[str]:
    """The reasons, one a line, each with what it means."""
    said = [str(reason) for reason in reasons] if isinstance(reasons, list | tuple) else []
    if not said and not otherwise:
        return
    yield heading
    indent = " " * (len(heading) - len(heading.lstrip()) + 2)
    for reason in said:
        meaning = next((meaning for words, meaning in PLAIN if words in reason), "")
        yield f"{indent}- {reason}"
        if meaning:
            yield f"{indent}    {meaning}"
    if not said:
        yield f"{indent}- {otherwise}"


def _number(payload: Payload, key: str) -> float | None:
    value = payload.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
