"""Mistakes of any kind of file, shown by a kind that exists here only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

import pytest
from pydantic import Discriminator, Field, SecretStr, Tag, model_validator

from orchestrator.documents.problems import FileKind, UnknownKey
from orchestrator.documents.schema import shape_of
from orchestrator.documents.section import Mistakes, Name, Percent, Section
from orchestrator.documents.words import describe
from orchestrator.documents.yaml_text import Finding
from orchestrator.errors import ConfigError


class Lamp(Section):
    """One that is wired."""

    watts: Annotated[float, Field(gt=0)]
    password: SecretStr | None = None


class Candle(Section):
    """One that burns."""

    kind: Literal["candle"]
    hours: Annotated[int, Field(ge=1)]


class Hours(Section):
    """From one hour of the day to a later one."""

    start: int
    end: int

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.end <= self.start:
            raise Mistakes((("end",), "must be after start"), (("start",), "must be before end"))
        return self


def _kind_of(value: object) -> str:
    return "candle" if isinstance(value, Mapping) and value.get("kind") == "candle" else "lamp"


Light = Annotated[Annotated[Lamp, Tag("lamp")] | Annotated[Candle, Tag("candle")], Discriminator(_kind_of)]
Level = Annotated[int | Hours, Field(description="a level, or hours")]


class House(Section):
    """A whole file."""

    lights: Annotated[tuple[Light, ...], Field(strict=False, min_length=1)] = ()
    door: Light | None = None
    dimmed: dict[Name, Percent | Literal["off"]] = Field(default_factory=dict)
    night: Hours | Literal["never"] | None = None
    level: Level | None = None
    sunrise: int = 6


HOUSE = FileKind("house.yaml", House)


def mistakes(text: str, kind: FileKind[House] = HOUSE, **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        kind.parse(text, "house.yaml", environ)
    return [str(problem) for problem in refused.value.problems]


def test_a_good_file_is_its_model() -> None:
    house = HOUSE.parse("lights: [{watts: 5}, {kind: candle, hours: 3}]\nnight: {start: 1, end: 2}", "house.yaml", {})

    assert house.lights == (Lamp(watts=5.0), Candle(kind="candle", hours=3))
    assert house.night == Hours(start=1, end=2)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("lights: []", "1:1: lights: must have at least 1 entry (got a list of 0)"),
        ("lights: [{watts: 0}]", "1:11: lights[0].watts: must be a number above 0 (got 0)"),
        ("door: {kind: candle}", "1:1: door.hours: this key is missing; it must be a whole number of at least 1"),
        ("door: {kind: candle, hours: 1, watts: 5}", "1:32: door.watts: unknown key 'watts'; did you mean "
                                                     "'watts' under 'lights' or 'door'?"),
        ("door: {}", "1:1: door.watts: this key is missing; it must be a number above 0"),
        ("dimmed: {East: 5}", "1:10: dimmed.East: 'East' is no name: it takes 1 to 32 characters out of "
                              "a-z, 0-9, '_' and '-'"),
        ("dimmed: {east: on}", "1:10: dimmed.east: must be a number from 0 to 100 or 'off' (got the text 'on')"),
        ("night: {start: 1}", "1:1: night.end: this key is missing; it must be a whole number"),
        ("night: always", "1:1: night: must be a mapping of keys or 'never' (got the text 'always')"),
        ("level: {start: 1}", "1:1: level: must be a level, or hours (got a mapping)"),
        ("level: bright", "1:1: level: must be a level, or hours (got the text 'bright')"),
        ("night: {start: 1, end: 2, sunrise: 3}", "1:27: night.sunrise: unknown key 'sunrise'; did you mean 'sunrise' "
                                                  "under 'the top level'?"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_at_its_place_in_the_file_whatever_alternative_was_meant(text: str, told: str) -> None:
    assert mistakes(text) == [told]


def test_a_key_that_is_called_like_an_alternative_is_a_key() -> None:
    assert mistakes("door: {kind: candle, candle: 1}") == [
        "1:1: door.hours: this key is missing; it must be a whole number of at least 1",
        "1:22: door.candle: unknown key 'candle'; did you mean 'hours'?",
    ]


def test_what_a_validator_finds_of_several_values_is_told_at_each_of_them() -> None:
    assert mistakes("night: {start: 3, end: 2}") == [
        "1:9: night.start: must be before end",
        "1:19: night.end: must be after start",
    ]


def test_of_a_list_with_a_bad_entry_only_the_entry_is_told() -> None:
    assert mistakes("lights: [{watts: x}]") == ["1:11: lights[0].watts: must be a number above 0 (got the text 'x')"]


def test_a_key_that_is_written_twice_hides_what_follows_from_it() -> None:
    assert mistakes("sunrise: x\nsunrise: 7") == ["2:1: sunrise: this key is written twice, first in line 1"]


def test_every_key_that_is_no_text_is_told() -> None:
    assert mistakes("1: a\n2: b") == ["1:1: a key must be plain text", "2:1: a key must be plain text"]


def test_a_secret_and_the_content_of_a_variable_are_not_shown() -> None:
    assert mistakes("door: {watts: 5, password: [hush]}") == [
        "1:18: door.password: must be text (got something that is not shown)"
    ]
    assert mistakes('sunrise: "${HUSH}"', HUSH="hush") == ["1:1: sunrise: must be a whole number (got '${HUSH}')"]


def _without_candles(house: House) -> Iterator[Finding]:
    yield from ((("lights", n), "burns") for n, light in enumerate(house.lights) if isinstance(light, Candle))


def _hinted(unknown: UnknownKey) -> str | None:
    return "use 'watts'" if unknown.key == "volts" and "watts" in unknown.known else None


def _prepared(data: Any) -> tuple[Any, list[Finding]]:
    return {**data, "sunrise": 7}, [(("moon",), "is looked at first")] if "moon" in data else []


PICKY = FileKind("house.yaml", House, prepare=_prepared, check=_without_candles, hint=_hinted)


def test_a_kind_checks_what_only_it_knows_and_has_words_of_its_own() -> None:
    assert mistakes("lights: [{watts: 5}, {kind: candle, hours: 3}]", PICKY) == ["1:22: lights[1]: burns"]
    assert mistakes("door: {watts: 5, volts: 6}", PICKY) == ["1:18: door.volts: unknown key 'volts'; use 'watts'"]
    assert PICKY.parse("door: {watts: 5}", "house.yaml", {}).sunrise == 7


def test_what_is_found_before_the_model_looks_comes_in_its_place() -> None:
    assert mistakes("moon: 1\ndoor: {}", PICKY) == [
        "1:1: moon: is looked at first",
        "2:1: door.watts: this key is missing; it must be a number above 0",
    ]


def test_mistakes_are_one_text_where_no_file_is_read() -> None:
    with pytest.raises(ValueError, match="must be after start; must be before end"):
        Hours(start=3, end=2)


def test_a_place_is_described_by_what_stands_there() -> None:
    shape = shape_of(House)

    assert describe(shape.at(("dimmed", "any"))) == "a number from 0 to 100 or 'off'"
    assert shape.keys(("door",)) == ["watts", "password"]
    assert shape.keys(("door",), {"door": {"kind": "candle"}}) == ["kind", "hours"]
    assert shape.at(("door", "nothing", "here")) == {}
