"""What outlives a restart of the loop, so that a bug never lifts a limit, and a proof need not be found twice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.config.sections import AnyMeterConfig, MqttMeterConfig, SumMeterConfig
from orchestrator.decide.failsafe import NO_MEMORIES
from orchestrator.decide.memory import InverterMemory
from orchestrator.loop import meter_sign
from orchestrator.loop.meter_sign import MeterSign
from orchestrator.setpoints.merge import Setpoint

_PROVEN = ("export_positive", "latched", "contradicted")
"""What is kept of a sign, as the text of a file: what was proven, and of which meter."""


@dataclass(slots=True)
class Kept:
    """The loop writes it, and nobody else does while it runs.

    `setpoints` has the newest of each source by its name, `heard` the names of those that ever said anything; `sign` is
    what is known of the meter's, None before anything is. `memories` are of the last decision: which limits are where.
    `released`: people have taken the plant out of control, until it is resumed.
    """

    setpoints: dict[str, Setpoint] = field(default_factory=dict)
    heard: set[str] = field(default_factory=set)
    sign: MeterSign | None = None
    released: bool = False
    memories: Mapping[str, InverterMemory] = field(default_factory=lambda: NO_MEMORIES)


def meter_address(meter: AnyMeterConfig) -> str:
    """Which meter it is: another address is another meter, whose sign is not known."""
    if isinstance(meter, SumMeterConfig):
        return meter.driver
    if isinstance(meter, MqttMeterConfig):
        return f"{meter.driver} {meter.host}:{meter.port} {meter.topic}"
    return f"{meter.driver} {meter.way} unit {meter.unit_id}"


def sign_to_json(meter: AnyMeterConfig, sign: MeterSign | None) -> str:
    """What `sign_from_json` reads again; of a sign that is not proven nothing but the meter."""
    proven = {name: getattr(sign, name) for name in _PROVEN} if sign is not None and sign.is_proven else {}
    return json.dumps({"meter": meter_address(meter), **proven}, indent=1)


def sign_from_json(text: str, meter: AnyMeterConfig) -> MeterSign | None:
    """What was proven of `meter`; None where that is nothing, where it was another meter, or site.yaml names the sign.

    Raises ValueError where the text is anything else than `sign_to_json` wrote.
    """
    values = json.loads(text)
    if not isinstance(values, dict) or not isinstance(values.pop("meter", None), str):
        raise ValueError("not a JSON object with a meter")
    if values and (set(values) != set(_PROVEN) or not all(isinstance(each, bool) for each in values.values())):
        raise ValueError("other fields than expected")
    is_it = json.loads(text)["meter"] == meter_address(meter)
    return meter_sign.kept(**values) if values and is_it and meter.sign == "auto" else None
