"""One cycle as the MQTT messages that are published of it. Keys are snake case with their units, signs as everywhere.

Powers are rounded to 1 W and percents to 0.1, so that a message differs from the one before only when that matters to
people. A number that is not finite is published as null. `time` is RFC 3339, handed in by the caller.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from orchestrator.commands import InverterCommand
from orchestrator.cycle import CycleResult
from orchestrator.decide.plant.headroom import InverterNumbers
from orchestrator.devices.mqtt.messages import command_payload
from orchestrator.documents.json_values import Payload, rounded
from orchestrator.explain.codes import code_paths
from orchestrator.explain.words import say_all
from orchestrator.reason import Reason
from orchestrator.samples import METER, InverterSample
from orchestrator.setpoints.merge import OperatingEnvelope

ONLINE: Final = "online"
OFFLINE: Final = "offline"


def state_payloads(result: CycleResult, time: str) -> dict[str, Payload]:
    """Every retained message of one cycle, by topic below `publish.mqtt.topic`."""
    payloads = {"limits": limits_payload(result.envelope, time), "site": site_payload(result, time)}
    for sample in result.snapshot.inverters:
        numbers = result.live.inverters.get(sample.name, InverterNumbers())
        payloads[f"inverters/{sample.name}"] = inverter_payload(sample, result.command(sample.name), numbers, time)
    for name in result.snapshot.away:
        payloads[f"inverters/{name}"] = {"time": time, "online": False, "trouble": result.snapshot.troubles.get(name)}
    return payloads


def site_payload(result: CycleResult, time: str) -> Payload:
    """`site`: what flows (import +, charging +), what is planned, and why."""
    totals, flow, live, meter = result.totals, result.flow, result.live, result.snapshot.meter
    return {
        "time": time,
        "mode": result.mode,
        "site_watts": rounded(totals.site_watts),
        "load_watts": rounded(totals.load_watts),
        "ac_watts": rounded(totals.ac_watts),
        "pv_watts": rounded(totals.pv_watts),
        "battery_watts": rounded(totals.battery_watts),
        "battery_mode": flow.battery_mode if flow else None,
        "target_battery_power_watts": rounded(flow.target_battery_power_watts) if flow else None,
        "target_export_watts": rounded(flow.target_export_watts) if flow else None,
        "target_solar_watts": rounded(flow.target_solar_watts) if flow else None,
        "headroom_up_watts": rounded(live.headroom_up_watts),
        "headroom_down_watts": rounded(live.headroom_down_watts),
        "balanced_charge_watts": rounded(live.balanced_charge_watts),
        "balanced_discharge_watts": rounded(live.balanced_discharge_watts),
        "phase_watts": [rounded(watts) for watts in meter.phase_watts] if meter else [],
        "import_wh": rounded(meter.import_wh) if meter else None,
        "export_wh": rounded(meter.export_wh) if meter else None,
        "inverters_online": [sample.name for sample in result.snapshot.inverters],
        "inverters_away": list(result.snapshot.away),
        "meter_trouble": result.snapshot.troubles.get(METER),
        **reasons_payload(result.reasons),
    }


def reasons_payload(reasons: Sequence[Reason]) -> Payload:
    """Why, in words for people and as codes for programs, one of each for each reason."""
    return {"reasons": list(say_all(reasons)), "reason_codes": list(code_paths(reasons))}


def inverter_payload(
    sample: InverterSample, command: InverterCommand | None, numbers: InverterNumbers, time: str
) -> Payload:
    """`inverters/<name>`: what it does and could do, and under `command` what is asked of it and why (null: none)."""
    battery = sample.battery
    return {
        "time": time,
        "online": True,
        "manufacturer": sample.nameplate.manufacturer,
        "model": sample.nameplate.model,
        "state": sample.state.name.lower() if sample.state else None,
        "connected": sample.connected,
        "ac_watts": rounded(sample.ac_watts),
        "pv_watts": rounded(sample.pv_watts),
        "ac_limit_watts": rounded(sample.ac_limit_watts),
        "controls_age_s": rounded(controls_age_s(sample), 1),
        "battery_watts": rounded(battery.watts) if battery else None,
        "battery_soc_percent": rounded(battery.soc_percent, 1) if battery else None,
        "battery_state": battery.state.name.lower() if battery and battery.state else None,
        "headroom_up_watts": rounded(numbers.headroom_up_watts),
        "headroom_down_watts": rounded(numbers.headroom_down_watts),
        "response_s": rounded(numbers.response_s, 1),
        "faults": list(sample.faults),
        "command": {**command_payload(command), **reasons_payload(command.reasons)} if command else None,
    }


def controls_age_s(sample: InverterSample) -> float:
    """How much earlier than the rest of the sample what can be written was read, in s, >= 0."""
    return 0.0 if sample.controls_at_s is None else max(sample.at_s - sample.controls_at_s, 0.0)


def limits_payload(envelope: OperatingEnvelope, time: str) -> Payload:
    """`limits`: every field that somebody asks for, by its site.yaml name, with who asked and until when."""
    payload: Payload = {"time": time}
    for name, value in envelope.fields.asked().items():
        origin = envelope.origins.get(name)
        payload[name] = {
            "value": _finite(value),
            "source": origin.source if origin else None,
            "valid_until": origin.valid_until if origin else None,
            **({"is_default": True} if origin and origin.is_default else {}),
        }
    return payload


def event_payload(name: str, subject: str, detail: str, time: str) -> Payload:
    """`events`: something people should hear of once."""
    return {"time": time, "event": name, "subject": subject, "detail": detail}


def rejected_payload(source: str, reason: str, time: str) -> Payload:
    """`rejected`: a message of `source` was refused as a whole, and what its sender can mend."""
    return {"time": time, "source": source, "reason": reason}


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value
