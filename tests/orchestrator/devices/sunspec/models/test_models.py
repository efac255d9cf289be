"""The model tables are those of the SunSpec Alliance, as the pysunspec2 package ships them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sunspec2

from orchestrator.devices.sunspec.encoding.writes import WRITABLE
from orchestrator.devices.sunspec.models import MODELS, Point

DEFINITIONS = Path(sunspec2.__file__).parent / "models" / "json"
IDS = (1, 101, 102, 103, 111, 112, 113, 120, 121, 122, 123, 124, 160, 201, 202, 203, 204, 211, 212, 213, 214)
DER_IDS = (701, 702, 703, 704, 713, 714, 802)
NAMES_OF_201 = {"PPVphAB": "PhVphAB", "PPVphBC": "PhVphBC", "PPVphCA": "PhVphCA"}
"""Model 201 calls the line voltages otherwise than 202 to 204, with the same layout."""


def definition(model_id: int) -> dict[str, Any]:
    group: dict[str, Any] = json.loads((DEFINITIONS / f"model_{model_id}.json").read_text())["group"]
    return group


def fixed_points(group: dict[str, Any]) -> list[dict[str, Any]]:
    """The points of a model with those of its groups that occur once, which lie behind them."""
    once = (inner for inner in group.get("groups", []) if "count" not in inner)
    named = ([{**point, "name": f"{inner['name']}.{point['name']}"} for point in inner["points"]] for inner in once)
    return [*group["points"], *(point for points in named for point in points)]


def rows(points: list[dict[str, Any]], names: dict[str, str] | None = None) -> list[tuple[Any, ...]]:
    offset, result = 0, []
    for point in points:
        kind = {"count": "uint16"}.get(point["type"], point["type"])
        name = (names or {}).get(point["name"], point["name"])
        result.append((name, offset, point["size"], kind, point.get("sf"), point.get("access") == "RW"))
        offset += point["size"]
    return [row for row in result if row[3] != "pad"]


def own_rows(points: dict[str, Point], scales: dict[int, str]) -> list[tuple[Any, ...]]:
    return [
        (p.name, p.offset, p.words, p.type.name, scales.get(p.scale_offset or 0), p.writable) for p in points.values()
    ]


def test_all_models_are_there() -> None:
    assert sorted(MODELS) == sorted((*IDS, *DER_IDS))


@pytest.mark.parametrize("model_id", [*IDS, *DER_IDS])
def test_the_points_are_those_of_the_standard(model_id: int) -> None:
    model, group = MODELS[model_id], definition(model_id)
    scales = {point.offset: point.name for point in model.points.values() if point.type.name == "sunssf"}
    size = sum(point["size"] for point in fixed_points(group))

    expected = rows(fixed_points(group), NAMES_OF_201 if model_id == 201 else None)
    assert own_rows(dict(model.points), scales) == [row for row in expected if row[0] not in ("ID", "L")]
    assert model.length == size - 2


@pytest.mark.parametrize(("model_id", "first", "length"), [(160, 10, 20), (714, 20, 25)])
def test_the_dc_inputs_are_those_of_the_standard(model_id: int, first: int, length: int) -> None:
    model, (module,) = MODELS[model_id], definition(model_id)["groups"]
    scales = {point.offset: point.name for point in model.points.values() if point.type.name == "sunssf"}

    assert own_rows(dict(model.repeated), scales) == rows(module["points"])
    assert model.repeated_length == sum(point["size"] for point in module["points"]) == length
    assert model.module_offset(0) == first
    assert model.module_offset(3) == first + 3 * length


def test_only_points_that_the_standard_lets_write_are_ever_written() -> None:
    writable = {f"{i}.{point.name}" for i in (123, 124, 704) for point in MODELS[i].points.values() if point.writable}

    assert writable >= WRITABLE
    assert not WRITABLE & {"124.WChaGra", "124.WDisChaGra", "124.WChaMax", "124.MinRsvPct", "802.SoCRsvMin"}
