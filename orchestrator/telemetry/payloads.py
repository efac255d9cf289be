"""One cycle as the MQTT messages that are published of it. Keys are snake case with their units, signs as everywhere.

Powers are rounded to 1 W and percents to 0.1, so that a message differs from the one before only when that matters to
people. A number that is not finite is published as null. `time` is RFC 3339, handed in by the caller.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from msgspec import UNSET, Struct, to_builtins

from orchestrator.commands import InverterCommand
from orchestrator.decide.plant.headroom import InverterNumbers
from orchestrator.decide.records import CycleResult
from orchestrator.devices.mqtt.messages import command_payload
from orchestrator.documents.json_values import Payload, rounded
from orchestrator.explain.codes import code_paths
from orchestrator.explain.words import say_all, say_if_known
from orchestrator.reason import Reason
from orchestrator.samples import METER, InverterSample
from orchestrator.setpoints.merge import OperatingEnvelope
from orchestrator.telemetry.records import (
    AwayRecord,
    CommandRecord,
    EventRecord,
    InverterRecord,
    LimitRecord,
    LimitsRecord,
    ReasonRecord,
    SiteRecord,
)

ONLINE: Final = "online"
OFFLINE: Final = "offline"


def state_payloads(result: CycleResult, time: str) -> dict[str, Payload]:
    """Every retained message of one cycle, by topic below `publish.mqtt.topic`."""
    payloads = {"limits": limits_payload(result.envelope, time), "site": site_payload(result, time)}
    for sample in result.snapshot.inverters:
        numbers = result.live.inverters.get(sample.name, InverterNumbers())
        payloads[f"inverters/{sample.name}"] = inverter_payload(sample, result.command(sample.name), numbers, time)
    for name in result.snapshot.away:
        payloads[f"inverters/{name}"] = away_payload(result.snapshot.troubles.get(name), time)
    return payloads


def away_payload(trouble: Reason | None, time: str) -> Payload:
    """`inverters/<name>` of one that does not answer, and why."""
    return _payload(
        AwayRecord(time, online=False, trouble=say_if_known(trouble) or None, trouble_why=as_record(trouble))
    )


def as_record(why: Reason | None) -> ReasonRecord | None:
    """A trouble as a code with its facts; None where there is none."""
    return None if why is None else ReasonRecord(why.code, to_builtins(why.values))


def site_payload(result: CycleResult, time: str) -> Payload:
    """`site`: what flows (import +, charging +), what is planned, and why."""
    meter_trouble = result.snapshot.troubles.get(METER)
    totals, flow, live, meter = result.totals, result.flow, result.live, result.snapshot.meter
    record = SiteRecord(
        time=time,
        mode=result.mode,
        site_watts=rounded(totals.site_watts),
        load_watts=rounded(totals.load_watts),
        ac_watts=rounded(totals.ac_watts),
        pv_watts=rounded(totals.pv_watts),
        battery_watts=rounded(totals.battery_watts),
        battery_mode=flow.battery_mode if flow else None,
        target_battery_power_watts=rounded(flow.target_battery_power_watts) if flow else None,
        target_export_watts=rounded(flow.target_export_watts) if flow else None,
        target_solar_watts=rounded(flow.target_solar_watts) if flow else None,
        headroom_up_watts=rounded(live.headroom_up_watts),
        headroom_down_watts=rounded(live.headroom_down_watts),
        balanced_charge_watts=rounded(live.balanced_charge_watts),
        balanced_discharge_watts=rounded(live.balanced_discharge_watts),
        phase_watts=[rounded(watts) for watts in meter.phase_watts] if meter else [],
        phase_volts=[rounded(volts) for volts in meter.phase_volts] if meter else [],
        import_wh=rounded(meter.import_wh) if meter else None,
        export_wh=rounded(meter.export_wh) if meter else None,
        inverters_online=[sample.name for sample in result.snapshot.inverters],
        inverters_away=list(result.snapshot.away),
        meter_trouble=say_if_known(meter_trouble) or None,
        meter_trouble_why=as_record(meter_trouble),
        **reasons_payload(result.reasons),
    )
    return _payload(record)


def reasons_payload(reasons: Sequence[Reason]) -> Payload:
    """Why, in words for people and as codes for programs, one of each for each reason."""
    return {"reasons": list(say_all(reasons)), "reason_codes": list(code_paths(reasons))}


def inverter_payload(
    sample: InverterSample, command: InverterCommand | None, numbers: InverterNumbers, time: str
) -> Payload:
    """`inverters/<name>`: what it does and could do, and under `command` what is asked of it and why (null: none)."""
    battery = sample.battery
    record = InverterRecord(
        time=time,
        online=True,
        manufacturer=sample.nameplate.manufacturer,
        model=sample.nameplate.model,
        state=sample.state.name.lower() if sample.state else None,
        connected=sample.connected,
        ac_watts=rounded(sample.ac_watts),
        pv_watts=rounded(sample.pv_watts),
        ac_limit_watts=rounded(sample.ac_limit_watts),
        controls_age_s=rounded(controls_age_s(sample), 1),
        battery_watts=rounded(battery.watts) if battery else None,
        battery_soc_percent=rounded(battery.soc_percent, 1) if battery else None,
        battery_state=battery.state.name.lower() if battery and battery.state else None,
        headroom_up_watts=rounded(numbers.headroom_up_watts),
        headroom_down_watts=rounded(numbers.headroom_down_watts),
        response_s=rounded(numbers.response_s, 1),
        faults=list(sample.faults),
        command=CommandRecord(**command_payload(command), **reasons_payload(command.reasons)) if command else None,
    )
    return _payload(record)


def controls_age_s(sample: InverterSample) -> float:
    """How much earlier than the rest of the sample what can be written was read, in s, >= 0."""
    return 0.0 if sample.controls_at_s is None else max(sample.at_s - sample.controls_at_s, 0.0)


def limits_payload(envelope: OperatingEnvelope, time: str) -> Payload:
    """`limits`: every field that somebody asks for, by its site.yaml name, with who asked and until when."""
    limits = {}
    for name, value in envelope.fields.asked().items():
        origin = envelope.origins.get(name)
        limits[name] = LimitRecord(
            value=_finite(value),
            source=origin.source if origin else None,
            valid_until=origin.valid_until if origin else None,
            is_default=True if origin and origin.is_default else UNSET,
        )
    return _payload(LimitsRecord(time=time, **limits))


def event_payload(name: str, subject: str, detail: str, time: str, why: Reason | None = None) -> Payload:
    """`events`: something people should hear of once; `why` is what `detail` says."""
    return _payload(EventRecord(time, name, subject, detail, as_record(why) or UNSET))


def rejected_payload(source: str, reason: str, time: str) -> Payload:
    """`rejected`: a message of `source` was refused as a whole, and what its sender can mend."""
    return {"time": time, "source": source, "reason": reason}


def _payload(record: Struct) -> Payload:
    """The record as it is published; what is not set is left out."""
    payload: Payload = to_builtins(record)
    return payload


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
