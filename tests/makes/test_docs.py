"""docs/makes.md: every make with its documents and notes, every key of a profile, and an example that is one."""

from __future__ import annotations

import re
from typing import Any

import pytest

from orchestrator.config.file import parse_config
from orchestrator.devices.makes.command_schema import SYMBOLS
from orchestrator.devices.makes.file import parse_profile
from orchestrator.devices.makes.library import load_profile, profile_names
from orchestrator.devices.makes.registers import Register
from orchestrator.devices.makes.schema import BASE_VALUES, Profile
from orchestrator.samples import ChargeState, OperatingState
from tools.makes.make_page import FOLDER, pages
from tools.makes.page import PAGE, UNTRIED, renewed

TEXT = PAGE.read_text()
MADE_BY_HAND = TEXT[: TEXT.index("<!-- made")] + TEXT[TEXT.index("<!-- end") :]
SECTIONS = {
    "Profile": "a profile",
    "Document": "documents",
    "Link": "link",
    "SunSpecUse": "sunspec",
    "Identity": "identity",
    "Unit": "units",
    "Register": "registers.name",
    "SignBits": "sign",
    "Nameplate": "nameplate",
    "Inverter": "inverter",
    "ShownLimit": "inverter.ac_limit",
    "Battery": "battery",
    "BatteryPart": "battery.parts",
    "Meter": "meter",
    "MeterNeed": "meter.needs",
    "Likeness": "meter.likeness",
    "Condition": "a condition",
    "Commands": "commands",
    "AcLimit": "commands.ac_limit",
    "BatteryCommands": "commands.battery",
    "Revert": "revert",
    "Write": "a step",
    "ByPermission": "a value by permission",
    "AsFound": "a value as found",
}
"""The heading behind "Keys of" for each record of the schema."""


def records() -> dict[str, Any]:
    schema = Profile.model_json_schema()
    return {"Profile": schema, **schema["$defs"]}


def documented(section: str) -> dict[str, str]:
    """The keys below one heading, with their defaults as written."""
    rows = TEXT.partition(f"\n### Keys of {section}\n")[2].partition("\n### ")[0]
    return dict(re.findall(r"^\| `(\w+)` \| (.+?) \| .{8,} \|$", rows, re.MULTILINE))


def default_text(schema: dict[str, Any], key: str) -> str:
    if key in schema.get("required", []):
        return "required"
    default = schema["properties"][key].get("default")
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, int | float):
        return f"`{default:g}`"
    return f"`{default}`" if isinstance(default, str) else "-"


def blocks() -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


def block(start: str) -> str:
    return next(block for block in blocks() if block.startswith(start))


def test_the_example_of_a_profile_that_is_like_another_one_is_one() -> None:
    profile, other = parse_profile(block("name: my-sungrow"), "docs/makes.md"), load_profile("sungrow-sh")

    assert profile.registers["battery_command_power"].scale == 100
    assert profile.registers.keys() == other.registers.keys()


def test_what_is_made_from_the_profiles_is_up_to_date() -> None:
    assert renewed(TEXT) == TEXT, "run `python -m tools.makes`"


def test_every_make_has_a_page_that_is_up_to_date_and_there_is_no_other() -> None:
    written = {path: path.read_text() for path in FOLDER.glob("*.md")}

    assert written == pages(), "run `python -m tools.makes`"


@pytest.mark.parametrize("name", profile_names())
def test_every_make_has_a_row_and_a_page_with_all_that_its_profile_tells(name: str) -> None:
    profile = load_profile(name)
    row, page = row_of(name), (FOLDER / f"{name}.md").read_text()

    assert f"**{profile.make}** {profile.devices}" in row
    assert (UNTRIED in row) != profile.tried_on_hardware
    for document in profile.documents:
        assert document.title in page
        assert document.covers in page
        assert document.url is None or (document.url in row and document.url in page)
    for line in (*profile.notes, *profile.doubts, *profile.switch_on):
        assert f"- {line}\n" in page


@pytest.mark.parametrize("name", profile_names())
def test_the_example_on_the_page_of_a_make_is_fine(name: str) -> None:
    page = (FOLDER / f"{name}.md").read_text()
    lines = page.partition("```yaml\n")[2].partition("```")[0]
    meter = "" if "\nmeter:" in lines else "meter: {host: 192.168.1.9}\n"
    site = parse_config(f"site: {{name: home}}\n{meter}{lines}", environ={})

    assert site.inverters[0].driver == name


def row_of(name: str) -> str:
    """Its rows in both tables."""
    rows = [line for line in TEXT.splitlines() if f"[`{name}`](makes/" in line]
    assert len(rows) == 2
    return "\n".join(rows)


@pytest.mark.parametrize("name", profile_names())
def test_a_make_that_never_falls_back_is_marked(name: str) -> None:
    profile = load_profile(name)
    row = row_of(name)
    commands = [part for part in (profile.commands.ac_limit, profile.commands.battery) if part is not None]
    reverts = [part.revert.after_s is not None or part.revert.register_ is not None for part in commands]

    assert row.count("never by itself") == reverts.count(False)


def test_every_record_of_the_schema_has_its_table() -> None:
    assert set(SECTIONS) == set(records())


@pytest.mark.parametrize("record", SECTIONS)
def test_every_key_of_a_profile_is_explained_with_its_default(record: str) -> None:
    schema = records()[record]

    assert documented(SECTIONS[record]) == {key: default_text(schema, key) for key in schema["properties"]}


def test_every_number_of_a_step_and_every_value_of_the_models_is_explained() -> None:
    explained = re.findall(r"^\| `(\w+)` \| [^|]{8,} \|$", MADE_BY_HAND, re.MULTILINE)

    assert set(explained) >= {*SYMBOLS, *BASE_VALUES}


def test_every_type_and_every_state_is_named() -> None:
    types = Register.model_json_schema()["properties"]["type"]["enum"]
    states = [state.name.lower() for kind in (OperatingState, ChargeState) for state in kind]

    assert [name for name in (*types, *states) if f"`{name}`" not in MADE_BY_HAND] == []


def test_the_example_site_is_fine_and_takes_the_connection_from_its_makes() -> None:
    site = parse_config(blocks()[0], environ={})

    assert {each.driver for each in site.inverters} >= {"kostal-plenticore", "huawei-luna", "goodwe-et", "sunspec"}
    assert [(each.port, each.unit_id) for each in site.modbus_devices()[:3]] == [(1502, 71), (1502, 71), (502, 1)]


def test_the_example_profile_is_one() -> None:
    profile = parse_profile(block("name: example-home"), "docs/makes.md")

    assert profile.commands.ac_limit is not None
    assert profile.commands.battery is not None
    assert not profile.tried_on_hardware
