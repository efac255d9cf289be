"""How a SunSpec model is written down here, and how its values become words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate

from orchestrator.simulation.devices.sunspec.words import Kind, Value, Words, encode

HEADER_WORDS = 2


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a model; `offset` in words from the id of the model (or the start of its module)."""

    name: str
    kind: Kind
    offset: int
    scale: str | None = None


Row = tuple[str, Kind] | tuple[str, Kind, str]


def lay_out(rows: tuple[Row, ...], first_offset: int) -> tuple[Point, ...]:
    """Rows as points, one after the other from `first_offset` on."""
    offsets = accumulate((row[1].words for row in rows), initial=first_offset)
    return tuple(
        Point(row[0], row[1], offset, row[2] if len(row) > 2 else None)
        for row, offset in zip(rows, offsets, strict=False)
    )


@dataclass(frozen=True, slots=True)
class Model:
    """One model: its id, its L, its points."""

    model_id: int
    length: int
    points: tuple[Point, ...]

    def offset(self, name: str) -> int:
        """Where a point lies, in words from the model's id. Raises KeyError for an unknown name."""
        for point in self.points:
            if point.name == name:
                return point.offset
        raise KeyError(name)


def model(model_id: int, length: int, rows: tuple[Row, ...]) -> Model:
    """A model from its rows. Raises ValueError where they do not fill its length."""
    points = lay_out(rows, HEADER_WORDS)
    filled = points[-1].offset + points[-1].kind.words - HEADER_WORDS
    if filled != length:
        raise ValueError(f"the points of model {model_id} fill {filled} words, not {length}")
    return Model(model_id, length, points)


def named(kind: Kind, scale: str, *names: str) -> tuple[Row, ...]:
    """Several points of one kind and scale factor."""
    return tuple((name, kind, scale) for name in names)


def per_phase(kind: Kind, scale: str, *names: str) -> tuple[Row, ...]:
    """A total and its three phases, for each name."""
    return tuple((f"{name}{phase}", kind, scale) for name in names for phase in ("", "PhA", "PhB", "PhC"))


def encode_model(model: Model, values: Mapping[str, Value]) -> Words:
    """The model with its header, as words. A point without a value or a scale factor is "not implemented"."""
    words = [model.model_id, model.length]
    for point in model.points:
        value = values.get(point.name)
        scale = 0 if point.scale is None else values.get(point.scale)
        if not isinstance(scale, int):
            value, scale = None, 0
        words.extend(encode(point.kind, value, scale))
    return tuple(words)
