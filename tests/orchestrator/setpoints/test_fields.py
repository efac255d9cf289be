"""One row for each field: what follows from it fits the record, and no two fields have a name in common."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.setpoints.fields import ROWS, Row, SetpointFields
from orchestrator.setpoints.values import PERCENT, Choice, Number, Switch, Whole, WrongValue
from tests.support.records.setpoint_fields import values

any_row = st.sampled_from(ROWS)


def test_every_field_of_the_record_has_a_row_in_its_order() -> None:
    assert [row.name for row in ROWS] == list(SetpointFields.__dataclass_fields__)


def test_no_two_fields_have_a_name_in_common() -> None:
    names = [name for row in ROWS for name in (row.name, *row.wire_names)]

    assert len(names) == len(set(names))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_reads_the_type_that_the_record_says(row: Row) -> None:
    kinds: dict[type, type] = {Switch: bool, Number: float, Whole: int}
    kind = row.value.options if isinstance(row.value, Choice) else kinds[type(row.value)]

    assert get_args(get_type_hints(SetpointFields)[row.name]) == (kind, type(None))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_unit_of_a_number_ends_its_name(row: Row) -> None:
    if isinstance(row.value, Number):
        assert row.name.endswith({"W": "_watts", "%": "_percent"}[row.value.unit])


@given(any_row, st.data())
def test_what_a_field_may_be_is_read_as_it_is(row: Row, data: st.DataObject) -> None:
    value = data.draw(values(row.value))

    assert row.value.read(str(value) if isinstance(value, StrEnum) else value) == value


@given(any_row, st.none() | st.text() | st.integers(max_value=-1) | st.just(float("nan")) | st.just([1]))
def test_what_no_field_may_be_is_refused_with_what_it_may_be(row: Row, value: Any) -> None:
    if value in ("battery_first", "export_first"):
        return
    if isinstance(value, int) and isinstance(row.value, Number) and row.value.lowest <= value:
        return
    with pytest.raises(WrongValue) as refused:
        row.value.read(value)

    assert str(refused.value) == row.value.words


@given(any_row, st.booleans())
def test_only_a_switch_takes_true_and_false(row: Row, value: bool) -> None:
    if isinstance(row.value, Switch):
        assert row.value.read(value) is value
    else:
        with pytest.raises(WrongValue):
            row.value.read(value)


def test_the_ends_of_a_range_are_inside() -> None:
    assert (PERCENT.read(0), PERCENT.read(100)) == (0.0, 100.0)
    assert str(PERCENT.read(-0.0)) == "0.0"
    with pytest.raises(WrongValue, match=r"a number from 0 to 100 \(%\)"):
        PERCENT.read(100.5)
