"""What is kept of a meter's sign, as the text of a file: what was proven, and of which meter."""

from __future__ import annotations

import json

from orchestrator.config.sections import AnyMeterConfig, MqttMeterConfig
from orchestrator.loop import meter_sign
from orchestrator.loop.meter_sign import MeterSign

_PROVEN = ("export_positive", "latched", "contradicted")


def meter_address(meter: AnyMeterConfig) -> str:
    """Which meter it is: another address is another meter, whose sign is not known."""
    if isinstance(meter, MqttMeterConfig):
        return f"{meter.driver} {meter.host}:{meter.port} {meter.topic}"
    return f"{meter.driver} {meter.way} unit {meter.unit_id}"


def to_json(meter: AnyMeterConfig, sign: MeterSign | None) -> str:
    """What `from_json` reads again; of a sign that is not proven nothing but the meter."""
    proven = {name: getattr(sign, name) for name in _PROVEN} if sign is not None and sign.is_proven else {}
    return json.dumps({"meter": meter_address(meter), **proven}, indent=1)


def from_json(text: str, meter: AnyMeterConfig) -> MeterSign | None:
    """What was proven of `meter`; None where that is nothing, where it was another meter, or site.yaml names the sign.

    Raises ValueError where the text is anything else than `to_json` wrote.
    """
    values = json.loads(text)
    if not isinstance(values, dict) or not isinstance(values.pop("meter", None), str):
        raise ValueError("not a JSON object with a meter")
    if values and (set(values) != set(_PROVEN) or not all(isinstance(each, bool) for each in values.values())):
        raise ValueError("other fields than expected")
    is_it = json.loads(text)["meter"] == meter_address(meter)
    return meter_sign.kept(**values) if values and is_it and meter.sign == "auto" else None
