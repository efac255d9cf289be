"""Our tables against those of the pysunspec2 package, which come from the SunSpec Alliance itself."""

import json
from pathlib import Path

import pytest
import sunspec2

from orchestrator.simulation.devices.sunspec import tables, tables_der
from orchestrator.simulation.devices.sunspec.model import Model, model
from orchestrator.simulation.devices.sunspec.words import (
    ACC32,
    ACC64,
    BITS16,
    BITS32,
    COUNT,
    ENUM16,
    INT16,
    INT32,
    PAD,
    SCALE,
    TEXT,
    UINT16,
    UINT32,
    UINT64,
)

KINDS = {
    "uint16": UINT16,
    "int16": INT16,
    "int32": INT32,
    "uint32": UINT32,
    "uint64": UINT64,
    "acc32": ACC32,
    "acc64": ACC64,
    "enum16": ENUM16,
    "bitfield16": BITS16,
    "bitfield32": BITS32,
    "sunssf": SCALE,
    "count": COUNT,
    "pad": PAD,
}
MODELS = [
    tables.COMMON,
    tables.INVERTER,
    tables.NAMEPLATE,
    tables.SETTINGS,
    tables.STATUS,
    tables.CONTROLS,
    tables.STORAGE,
    tables.MPPT_FIXED,
    tables.METER,
    tables_der.MEASURE_AC,
    tables_der.CAPACITY,
    tables_der.STORAGE_CAPACITY,
    tables_der.MEASURE_DC_FIXED,
]


def published(model_id: int) -> dict:
    folder = Path(sunspec2.__file__).parent / "models" / "json"
    return json.loads((folder / f"model_{model_id}.json").read_text())["group"]


def rows(points: list[dict], first_offset: int) -> list[tuple]:
    """The published points as (name, kind, offset, scale factor)."""
    found, offset = [], first_offset
    for point in points:
        kind = TEXT[point["size"]] if point["type"] == "string" else KINDS[point["type"]]
        found.append((point["name"], kind, offset, point.get("sf")))
        offset += point["size"]
    return found


@pytest.mark.parametrize("ours", MODELS, ids=lambda ours: str(ours.model_id))
def test_every_point_has_the_published_name_kind_place_and_scale(ours: Model) -> None:
    expected = rows(published(ours.model_id)["points"][2:], first_offset=2)

    assert [(p.name, p.kind, p.offset, p.scale) for p in ours.points] == expected


def test_the_modules_of_160_repeat_every_20_words() -> None:
    expected = rows(published(160)["groups"][0]["points"], first_offset=0)
    ours = tables.mppt(3)

    assert ours.length == 8 + 60
    for index in range(3):
        points = [point for point in ours.points if point.name.startswith(f"{index}.")]
        assert [(p.name[2:], p.kind, p.offset - 10 - 20 * index, p.scale) for p in points] == expected


def test_model_704_has_the_published_points_and_the_groups_behind_them() -> None:
    group = published(704)
    behind = [
        {**point, "name": f"{each['name']}.{point['name']}"} for each in group["groups"] for point in each["points"]
    ]
    expected = rows([*group["points"][2:], *behind], first_offset=2)

    assert [(p.name, p.kind, p.offset, p.scale) for p in tables_der.CONTROLS.points] == expected


def test_the_ports_of_714_repeat_every_25_words() -> None:
    expected = rows(published(714)["groups"][0]["points"], first_offset=0)
    ours = tables_der.measure_dc(3)

    assert ours.length == 18 + 75
    for index in range(3):
        points = [point for point in ours.points if point.name.startswith(f"{index}.")]
        assert [(p.name[2:], p.kind, p.offset - 20 - 25 * index, p.scale) for p in points] == expected


def test_a_table_that_does_not_fill_its_length_is_refused() -> None:
    with pytest.raises(ValueError, match="fill 1 words, not 2"):
        model(9, 2, (("W", INT16),))
