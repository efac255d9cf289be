"""A record with the quick constructor is as it was, but for the time that its making takes."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, dataclass, field, replace
from inspect import signature

import pytest

from orchestrator.decide.plant.units import Battery
from orchestrator.quick_init import quick_init


@dataclass(frozen=True, slots=True)
class Plain:
    first: float
    second: float = 2.0
    names: list[str] = field(default_factory=list)
    last: int = field(default=4, kw_only=True)
    total: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "total", self.first + self.second)


@quick_init
@dataclass(frozen=True, slots=True)
class Quick:
    first: float
    second: float = 2.0
    names: list[str] = field(default_factory=list)
    last: int = field(default=4, kw_only=True)
    total: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "total", self.first + self.second)


def values(record: Plain | Quick) -> tuple[object, ...]:
    return record.first, record.second, record.names, record.last, record.total


@pytest.mark.parametrize("given", [((1.0,), {}), ((1.0, 5.0, ["a"]), {"last": 9}), ((), {"first": 3.0, "second": 1.0})])
def test_it_holds_what_it_is_given_and_its_defaults(given: tuple[tuple[object, ...], dict[str, object]]) -> None:
    args, keywords = given

    assert values(Quick(*args, **keywords)) == values(Plain(*args, **keywords))  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [((), {}), ((1.0, 2.0, [], 4), {}), ((1.0,), {"unknown": 1}), ((1.0,), {"first": 1})])
def test_it_refuses_what_it_refused(given: tuple[tuple[object, ...], dict[str, object]]) -> None:
    args, keywords = given

    for record in (Plain, Quick):
        with pytest.raises(TypeError, match="__init__"):
            record(*args, **keywords)  # type: ignore[arg-type]


def test_a_default_that_is_made_is_made_anew_for_each() -> None:
    assert Quick(1.0).names is not Quick(1.0).names


def test_it_is_frozen_compares_copies_and_travels_as_before() -> None:
    record = Quick(1.0, names=["a"])

    with pytest.raises(FrozenInstanceError):
        record.first = 2.0  # type: ignore[misc]
    assert replace(record, second=3.0) == Quick(1.0, 3.0, ["a"])
    assert copy.copy(record) == pickle.loads(pickle.dumps(record)) == record
    assert repr(record) == repr(Plain(1.0, names=["a"])).replace("Plain", "Quick")
    assert list(signature(Quick).parameters) == list(signature(Plain).parameters)


def test_a_subclass_sets_the_slots_of_its_base_too() -> None:
    battery = Battery(
        name="east",
        capacity_wh=None,
        charge_max_watts=1.0,
        discharge_max_watts=2.0,
        watts=3.0,
        soc_target_percent=90.0,
        idle_between_s=0.0,
        grid_charging_allowed=None,
    )

    assert (battery.name, battery.discharge_max_watts, battery.watts, battery.soc_max_percent) == ("east", 2, 3, 100)


def test_only_frozen_records_with_slots_can_have_it() -> None:
    @dataclass(frozen=True)
    class Open:
        watts: float

    with pytest.raises(TypeError, match="watts is no slot"):
        quick_init(Open)
    with pytest.raises(TypeError, match="dataclass"):
        quick_init(int)
