from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.config.sections import MeterConfig, MqttMeterConfig
from orchestrator.loop import meter_sign
from orchestrator.loop.kept import sign_from_json, sign_to_json

METER = MeterConfig.model_validate({"host": "10.0.0.9"})
TURNED = meter_sign.turned(meter_sign.initial("auto"))


@given(st.booleans(), st.booleans(), st.booleans())
def test_what_is_proven_is_read_again(export_positive: bool, latched: bool, contradicted: bool) -> None:
    sign = meter_sign.kept(export_positive=export_positive, latched=latched, contradicted=contradicted)

    assert sign_from_json(sign_to_json(METER, sign), METER) == (sign if export_positive or latched else None)


def test_nothing_is_kept_of_what_is_not_proven() -> None:
    assert sign_from_json(sign_to_json(METER, meter_sign.initial("auto")), METER) is None
    assert sign_from_json(sign_to_json(METER, None), METER) is None


@pytest.mark.parametrize(
    "other",
    [{"host": "10.0.0.8"}, {"port": 1502}, {"unit_id": 2}, {"driver": "huawei-luna"}, {"sign": "import_positive"}],
    ids=str,
)
def test_another_meter_or_a_sign_in_site_yaml_forgets_it(other: dict[str, object]) -> None:
    text = sign_to_json(METER, TURNED)

    assert sign_from_json(text, METER.model_copy(update=other)) is None
    assert sign_from_json(text, METER.model_copy(update={"interval_s": 5.0, "timeout_s": 2.0})) is not None


def test_a_meter_by_mqtt_has_its_sign_in_site_yaml() -> None:
    meter = MqttMeterConfig.model_validate({"driver": "mqtt", "host": "10.0.0.9", "topic": "meter"})

    assert sign_from_json(sign_to_json(meter, TURNED), meter) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"meter": 1}',
        '{"meter": "a", "latched": true}',
        sign_to_json(METER, TURNED).replace("true", "1"),
    ],
)
def test_a_broken_file_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"JSON|fields|Expecting"):
        sign_from_json(text, METER)
