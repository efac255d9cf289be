"""Each way to write a wrong profile is told with its line, its column, its key, and what was meant."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from orchestrator.devices.makes.file import parse_profile
from orchestrator.devices.makes.library import load_profile
from orchestrator.devices.makes.schema import writes_of
from orchestrator.errors import ConfigError

WRONG = yaml.safe_load((Path(__file__).parents[3] / "fixtures/wrong_profiles.yaml").read_text())
GOOD = """\
name: test-make
make: Test
devices: all of them
documents:
  - {title: "a list", covers: "everything"}
identity:
  - {register: model, matches: "^T"}
registers:
  model: {address: 10, type: text, words: 4}
  rating: {address: 20, low: 100}
  power: {address: 21, type: i16}
  state: {address: 22}
  soc: {address: 23, low: 0, high: 100}
  flow: {address: 24, type: i32}
  mode: {address: 30, values: {auto: 0, forced: 1}}
  target: {address: 31, type: i16}
  timer: {address: 32, counts_down: true}
  limit: {address: 33, scale: 0.1}
  meter: {address: 40, type: i32, table: input}
nameplate: {manufacturer: Test, model: model, ac_max_watts: [rating]}
inverter:
  ac_watts: [power]
  pv_watts: [power, flow]
  state_register: state
  state: {mppt: [4], off: [1, 2]}
  ac_limit: {percent: limit, enabled: {register: mode, is: [forced]}}
battery:
  watts: [-flow]
  soc_percent: soc
meter: {site_watts: [meter]}
commands:
  ac_limit:
    set:
      - {register: limit, to: limit_percent}
    clear:
      - {register: limit, to: 100}
  battery:
    charge:
      - {register: target, to: watts}
      - {register: timer, to: revert_s}
      - {register: mode, to: forced}
    discharge:
      - {register: target, to: watts}
      - {register: mode, to: forced}
    idle:
      - {register: target, to: 0}
    release:
      - {register: mode, to: auto}
    revert: {register: timer}
"""


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_profile(text, "test-make.yaml")
    return [str(problem) for problem in caught.value.problems]


def changed(old: str, new: str) -> str:
    assert GOOD.count(old) == 1, old
    return GOOD.replace(old, new)


def without(section: str) -> str:
    """The good profile without one section at its top level."""
    kept, inside = [], False
    for line in GOOD.splitlines(keepends=True):
        if not line.startswith((" ", "-")):
            inside = line.startswith(f"{section}:")
        kept += [] if inside else [line]
    return "".join(kept)


def test_the_profile_that_is_spoiled_here_is_a_good_one() -> None:
    profile = parse_profile(GOOD, "test-make.yaml")

    assert profile.name == "test-make"
    assert [write.register_ for write in writes_of(profile)] == [
        *("limit", "limit"),
        *("target", "timer", "mode", "target", "mode", "target", "mode"),
    ]


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case["to"].strip() or "nothing")
def test_a_mistake_is_told_once_with_its_place_and_what_was_meant(case: dict[str, Any]) -> None:
    """What is missing because of it is told as well."""
    assert mistakes(changed(case["from"], case["to"])) == case["says"]


@pytest.mark.parametrize(
    ("section", "message"),
    [
        (
            "name",
            "1:1: name: this key is missing; it must be a name of 1 to 32 characters out of a-z, 0-9, '_' and '-'",
        ),
        ("documents", "1:1: documents: this key is missing; it must be a list"),
        ("inverter", "1:1: a profile without 'sunspec' needs 'inverter'"),
        ("nameplate", "1:1: a profile without 'sunspec' needs 'nameplate'"),
    ],
)
def test_a_part_that_is_missing_is_told(section: str, message: str) -> None:
    assert message in mistakes(without(section))


def test_all_mistakes_are_told_in_the_order_of_the_file() -> None:
    text = (
        changed("state: {address: 22}", "state: {address: 20}")
        .replace("[forced]", "[force]")
        .replace("to: 100}", "to: 99999}")
    )

    assert [line.split(": ")[1] for line in mistakes(text)] == [
        "registers.state",
        "inverter.ac_limit.enabled.is[0]",
        "commands.ac_limit.clear[0].to",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1:1: must be a mapping of keys (got nothing)"),
        ("- a\n", "1:1: must be a mapping of keys (got a list of 1)"),
        ("a: [\n", "2:1: not valid YAML: expected the node content, but found '<stream end>'"),
    ],
)
def test_what_is_no_profile_at_all_is_told(text: str, message: str) -> None:
    assert mistakes(text) == [message]


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 40), st.text("ab:{}[], -\n'\"0*", max_size=4))
@example(0, len(GOOD), "")
def test_any_text_is_a_profile_or_a_list_of_mistakes(at: int, length: int, new: str) -> None:
    text = GOOD[:at] + new + GOOD[at + length :]
    with suppress(ConfigError):
        parse_profile(text, "test-make.yaml")


LIKE = """\
name: my-sungrow
like: sungrow-sh
notes: [mine]
registers:
  battery_command_power: {scale: 10}
commands: {battery: {revert: {register: heartbeat}, reaction_s: 3}}
"""


def test_a_profile_that_is_like_another_one_says_only_what_differs() -> None:
    mine, other = parse_profile(LIKE, "mine.yaml"), load_profile("sungrow-sh")

    assert mine.notes == ("mine",)
    assert mine.registers["battery_command_power"].scale == 10
    assert mine.registers["battery_command_power"].address == other.registers["battery_command_power"].address
    assert mine.commands.battery is not None
    assert mine.commands.battery.reaction_s == 3
    assert mine.inverter == other.inverter


NOT_DELIVERED = "2:1: like: 'sungro' is no make that is delivered; did you mean 'sungrow-sh'?"
LIKE_ANOTHER = "2:1: like: 'sungrow-sh-forced' is like another one itself; say 'sungrow-sh'"
CHARGE = "charge: [{register: heartbeat, to: watt}]"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("like: sungrow-sh", "like: sungro", NOT_DELIVERED),
        ("like: sungrow-sh", "like: sungrow-sh-forced", LIKE_ANOTHER),
        ("reaction_s: 3", CHARGE, "6:84: commands.battery.charge[0].to: 'watt' is not one of"),
        ("scale: 10", "scale: 0", "5:27: registers.battery_command_power.scale: must be"),
    ],
)
def test_what_is_wrong_in_a_profile_that_is_like_another_one_is_told_where_it_stands(
    old: str, new: str, says: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_profile(LIKE.replace(old, new), "mine.yaml")

    assert f"mine.yaml:{says}" in str(caught.value)


def test_a_key_without_a_value_takes_away_what_the_other_one_has() -> None:
    assert parse_profile(LIKE + "meter:\n", "mine.yaml").meter is None
