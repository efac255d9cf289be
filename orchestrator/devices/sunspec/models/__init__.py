"""The SunSpec models this project knows, as data: one JSON file per layout, offsets counted from the model id word.

The tables are the points of the SunSpec Alliance's model definitions (github.com/sunspec/models, Apache-2.0),
without their descriptions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

from orchestrator.devices.sunspec.codec import TYPES, PointType

_LAYOUTS: Final = (
    "common",
    "inverter",
    "inverter_float",
    "nameplate",
    "settings",
    "status",
    "controls",
    "storage",
    "mppt",
    "meter",
    "meter_float",
    "der_measure_ac",
    "der_capacity",
    "der_enter_service",
    "der_controls",
    "der_storage_capacity",
    "der_measure_dc",
    "battery",
)


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a model. `scale_offset` is where its scale factor lies in the same model, None where it has none."""

    name: str
    offset: int
    words: int
    type: PointType
    scale_offset: int | None = None
    unit: str = ""
    writable: bool = False

    @property
    def end(self) -> int:
        """The offset after its last word."""
        return self.offset + self.words


@dataclass(frozen=True, slots=True)
class Model:
    """The layout that the model ids `ids` share. `length` counts the fixed part without id and length word.

    `repeated` are the points of one module (model 160) or port (714), offsets counted from the module's first word, and
    `repeated_length` its words; their `scale_offset` counts from the model id word. The points of a group that occurs
    once have the group's name in front ("PFWInj.PF" of model 704).
    """

    name: str
    ids: tuple[int, ...]
    length: int
    points: Mapping[str, Point]
    repeated: Mapping[str, Point] = field(default_factory=lambda: MappingProxyType({}))
    repeated_length: int = 0

    def __getitem__(self, name: str) -> Point:
        return self.points[name]

    def module_offset(self, index: int) -> int:
        """Where the module `index` (from 0) begins, counted from the model id word."""
        return 2 + self.length + index * self.repeated_length


def _points(rows: list[dict[str, Any]], scales: Mapping[str, int]) -> Mapping[str, Point]:
    return MappingProxyType({point.name: point for point in _read_points(rows, scales)})


def _read_points(rows: list[dict[str, Any]], scales: Mapping[str, int]) -> Iterator[Point]:
    for row in rows:
        point_type = TYPES[row["type"]]
        yield Point(
            name=row["name"],
            offset=row["offset"],
            words=row.get("words", point_type.words),
            type=point_type,
            scale_offset=scales[row["scale"]] if "scale" in row else None,
            unit=row.get("unit", ""),
            writable=row.get("writable", False),
        )


def _load(layout: str) -> Model:
    data = json.loads((files(__name__) / f"{layout}.json").read_text(encoding="utf-8"))
    scales = {row["name"]: row["offset"] for row in data["points"] if row["type"] == "sunssf"}
    repeated = data.get("repeated", {"points": [], "length": 0})
    return Model(
        name=data["name"],
        ids=tuple(data["ids"]),
        length=data["length"],
        points=_points(data["points"], scales),
        repeated=_points(repeated["points"], scales),
        repeated_length=repeated["length"],
    )


MODELS: Final[Mapping[int, Model]] = MappingProxyType(
    {model_id: model for model in map(_load, _LAYOUTS) for model_id in model.ids}
)
"""Every known model by its id."""
