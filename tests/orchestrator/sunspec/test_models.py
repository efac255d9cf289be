"""The model tables are those of the SunSpec Alliance, as the pysunspec2 package ships them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sunspec2

from orchestrator.sunspec.encode import WRITABLE
from orchestrator.sunspec.models import MODELS, Point

DEFINITIONS = Path(sunspec2.__file__).parent / "models" / "json"
IDS = (1, 101, 102, 103, 111, 112, 113, 120, 121, 122, 123, 124, 160, 201, 202, 203, 204, 211, 212, 213, 214)
NAMES_OF_201 = {"PPVphAB": "PhVphAB", "PPVphBC": "PhVphBC", "PPVphCA": "PhVphCA"}
"""Model 201 calls the line voltages otherwise than 202 to 204, with the same layout."""


def definition(model_id: int) -> dict[str, Any]:
    group: dict[str, Any] = json.loads((DEFINITIONS / f"model_{model_id}.json").read_text())["group"]
    return group


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
    assert sorted(MODELS) == sorted(IDS)


@pytest.mark.parametrize("model_id", IDS)
def test_the_points_are_those_of_the_standard(model_id: int) -> None:
    model, group = MODELS[model_id], definition(model_id)
    scales = {point.offset: point.name for point in model.points.values() if point.type.name == "sunssf"}
    size = sum(point["size"] for point in group["points"])

    expected = rows(group["points"], NAMES_OF_201 if model_id == 201 else None)
    assert own_rows(dict(model.points), scales) == [row for row in expected if row[0] not in ("ID", "L")]
    assert model.length == size - 2


def test_the_modules_of_model_160_are_those_of_the_standard() -> None:
    model, (module,) = MODELS[160], definition(160)["groups"]
    scales = {point.offset: point.name for point in model.points.values() if point.type.name == "sunssf"}

    assert own_rows(dict(model.repeated), scales) == rows(module["points"])
    assert model.repeated_length == sum(point["size"] for point in module["points"]) == 20
    assert model.module_offset(0) == 10
    assert model.module_offset(3) == 70


def test_only_points_that_the_standard_lets_write_are_ever_written() -> None:
    writable = {f"{i}.{point.name}" for i in (123, 124) for point in MODELS[i].points.values() if point.writable}

    assert writable >= WRITABLE
    assert not WRITABLE & {"124.WChaGra", "124.WDisChaGra", "124.WChaMax", "124.MinRsvPct"}
