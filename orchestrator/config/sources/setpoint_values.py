"""A setpoint as it is written in site.yaml and in scenarios, made from the rows of `setpoints.fields`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from pydantic import Field, GetCoreSchemaHandler, GetPydanticSchema, ValidatorFunctionWrapHandler, create_model
from pydantic_core import CoreSchema, core_schema

from orchestrator.documents.section import Section
from orchestrator.setpoints.fields import ROWS, Row, SetpointFields
from orchestrator.setpoints.values import Choice, Number, Switch


def _key(row: Row) -> Any:
    """The type and the default of a key, as pydantic takes them."""
    return _type(row) | None, None


def _type(row: Row) -> Any:
    if isinstance(row.value, Switch):
        return bool
    if isinstance(row.value, Choice):
        return Literal[tuple(option.value for option in row.value.options)]
    if isinstance(row.value, Number):
        return Annotated[float, Field(ge=row.value.lowest, le=row.value.highest)]
    return Annotated[int, Field(ge=0, le=row.value.highest)]


_Written = create_model("SetpointValues", __base__=Section, **{row.name: _key(row) for row in ROWS})
"""The keys of a file: unknown ones are refused, each value has the range of its row."""


def _read(value: object, validate: ValidatorFunctionWrapHandler) -> SetpointFields:
    if isinstance(value, SetpointFields):
        return value
    written = dict(validate(value))
    asked: dict[str, Any] = {r.name: r.value.read(written[r.name]) for r in ROWS if written[r.name] is not None}
    return SetpointFields(**asked)


def _schema(_source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
    return core_schema.no_info_wrap_validator_function(
        _read,
        handler.generate_schema(_Written),
        serialization=core_schema.plain_serializer_function_ser_schema(asdict),
    )


SetpointValues = Annotated[SetpointFields, GetPydanticSchema(_schema)]
"""The type of a key that holds a setpoint: read key by key, kept as the record that everybody works with."""
