"""The docs are complete and true: every key, every module, every link."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from orchestrator.cli.main import main
from orchestrator.config.file import parse_config
from orchestrator.config.sections import SiteConfig
from orchestrator.documents.schema import shape_of
from orchestrator.documents.section import INVERTERS_MAX
from orchestrator.documents.words import describe
from orchestrator.documents.yaml_text import KeyPath
from orchestrator.setpoints.fields import ROWS, SetpointFields
from orchestrator.setpoints.payload import parse_setpoint
from orchestrator.setpoints.prices import read_prices

REPOSITORY = Path(__file__).parents[2]
schema_at = shape_of(SiteConfig).at
DOCS = REPOSITORY / "docs"
PAGES = sorted(
    [*DOCS.glob("*.md"), *DOCS.glob("makes/*.md"), *REPOSITORY.glob("*.md"), REPOSITORY / "deploy/README.md"]
)
PACKAGES = ("orchestrator", "actors")
ARCHITECTURE = (DOCS / "architecture.md").read_text()
SAME_KEYS_ELSEWHERE = (
    "publish.mqtt.portfolio.default",
    "setpoints.mqtt[].default",
    "setpoints.mqtt[].prices[].fields",
    "setpoints.mqtt[].contact.rows[].fields",
    "setpoints.csip_aus.default",
    "setpoints.modbus_contacts[].contact",
    "setpoints.modbus_contacts[].contact.rows[]",
    "setpoints.modbus_contacts[].contact.rows[].fields",
    "setpoints.modbus_contacts[].contact.rows[].section_14a",
    "setpoints.modbus_contacts[].default",
    "setpoints.price_files[].default",
    "setpoints.price_files[].prices[]",
    "setpoints.price_files[].prices[].fields",
    "setpoints.schedules[].default",
    "setpoints.schedules[].rows[].fields",
)
"""Sections whose keys are listed with another section."""


BY_MQTT = {"meter": {"driver": "mqtt"}, "inverters": [{"driver": "mqtt"}]}
"""A site whose sections are those of `driver: mqtt`."""
WITH_MQTT = "` with `driver: mqtt"
OF_SUM = {"meter": {"driver": "sum"}}
WITH_SUM = "` with `driver: sum"


def sections() -> dict[str, KeyPath]:
    """Every section of site.yaml: its heading in configuration.md, and its path in the schema."""
    found: dict[str, KeyPath] = {
        f"meter{WITH_MQTT}": ("meter",),
        f"meter{WITH_SUM}": ("meter",),
        f"inverters[]{WITH_MQTT}": ("inverters", 0),
    }

    def visit(heading: str, path: KeyPath) -> None:
        schema = schema_at(path)
        if schema.get("type") == "array":
            visit(f"{heading}[]", (*path, 0))
        elif "patternProperties" in schema:
            visit(f"{heading}.<name>", (*path, "any"))
        elif "properties" in schema:
            found[heading] = path
            for key in schema["properties"]:
                visit(f"{heading}.{key}".lstrip("."), (*path, key))

    visit("", ())
    return {heading: path for heading, path in found.items() if heading and heading not in SAME_KEYS_ELSEWHERE}


def documented() -> dict[str, dict[str, list[str]]]:
    """The rows of configuration.md: section, key, the other cells."""
    tables: dict[str, dict[str, list[str]]] = {}
    for line in (DOCS / "configuration.md").read_text().splitlines():
        if heading := re.fullmatch(r"## `(.+)`", line):
            tables[heading[1]] = {}
        elif row := re.fullmatch(r"\| `(\w+)` \| (.+) \|", line):
            tables[list(tables)[-1]][row[1]] = row[2].split(" | ")
    return tables


def default_text(schema: dict[str, Any], key: str) -> str:
    if key in schema.get("required", []):
        return "required"
    default = schema["properties"][key].get("default")
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return "not set" if default is None else f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


def test_every_section_of_the_configuration_is_documented() -> None:
    assert set(documented()) == set(sections())


@pytest.mark.parametrize("heading", sections())
def test_every_key_is_documented_with_what_is_allowed_and_its_default(heading: str) -> None:
    path, rows = sections()[heading], documented()[heading]
    data = BY_MQTT if heading.endswith(WITH_MQTT) else OF_SUM if heading.endswith(WITH_SUM) else None
    schema = schema_at(path, data)

    assert list(rows) == list(schema["properties"])
    for key, (allowed, default, meaning) in rows.items():
        inner = schema_at((*path, key), data)
        assert allowed == describe(inner), key
        assert len(meaning) > 5, key
        if inner.get("type") not in ("object", "array"):
            assert default == default_text(schema, key), key


def test_every_field_of_a_message_is_documented() -> None:
    text = (DOCS / "mqtt.md").read_text()

    assert [row.wire for row in ROWS if f"| `{row.wire}` |" not in text] == []


def test_the_keys_of_a_setpoint_are_explained_by_their_rows() -> None:
    meanings = {key: meaning for key, (_, _, meaning) in documented()["setpoints.fixed"].items()}
    more = {"battery_soc_min_percent": " Must be below `battery_soc_max_percent`."}

    assert meanings == {row.name: row.says + more.get(row.name, "") for row in ROWS}


def folders(package: str) -> list[Path]:
    return [path.parent for path in (REPOSITORY / package).rglob("__init__.py")]


def test_every_folder_is_in_the_architecture_page_with_its_sentence_and_nothing_else() -> None:
    there = {
        str(folder.relative_to(REPOSITORY)): first_sentence(folder / "__init__.py")
        for package in PACKAGES
        for folder in folders(package)
    }
    listed = dict(re.findall(r"^\| `((?:orchestrator|actors)[^`]*)/` \| (.+) \|$", ARCHITECTURE, re.MULTILINE))

    assert listed == there


def first_sentence(path: Path) -> str:
    words = ast.get_docstring(ast.parse(path.read_text())) or ""
    return words.partition("\n\n")[0].replace("\n", " ").rstrip(".")


def test_every_module_says_in_its_first_line_what_it_is_for() -> None:
    modules = [path for package in PACKAGES for path in (REPOSITORY / package).rglob("*.py")]

    assert [str(path) for path in modules if len(first_sentence(path)) < 5] == []


def test_every_folder_of_the_repository_is_in_the_architecture_page() -> None:
    for folder in ("orchestrator", "actors", "tests", "docs", "deploy", ".ci"):
        assert f"| `{folder}/` |" in ARCHITECTURE


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)]+)\)", page.read_text())
    for target in (target for target in targets if not target.startswith("https://")):
        path, _, anchor = target.partition("#")
        linked = (page.parent / path) if path else page
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", linked.read_text(), re.MULTILINE)
            anchors = [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]
            assert anchor in anchors, target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_setpoint_in_the_docs_is_one(page: Path) -> None:
    from datetime import UTC, datetime

    for payload in re.findall(r"(?<!-d )'(\{.*?\})'", page.read_text()):
        setpoint = parse_setpoint(
            payload.encode(), source="docs", received_at_s=0.0, wall_now=datetime.now(UTC), validity_s=None
        )
        assert isinstance(setpoint.fields, SetpointFields)


def test_the_prices_in_the_docs_are_a_series() -> None:
    blocks = re.findall(r"```json\n(.*?)```", (DOCS / "schedules.md").read_text(), re.DOTALL)

    assert [len(read_prices(block.encode())) for block in blocks] == [2]


def test_the_site_of_the_readme_is_fine() -> None:
    text = (REPOSITORY / "README.md").read_text()
    site = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)

    assert site is not None
    assert not parse_config(site[1], environ={"MQTT_PASSWORD": "x"}).control.enabled


def test_the_readme_names_the_two_commands_first() -> None:
    text = (REPOSITORY / "README.md").read_text()

    assert text.index("make run") < text.index("make test") < text.index("## Set a limit")


def test_every_command_in_the_readme_exists(capsys: pytest.CaptureFixture[str]) -> None:
    commands = set(
        re.findall(r"\bin/orchestrator (\w+)", (REPOSITORY / "README.md").read_text().replace(".venv/b", ""))
    )
    with pytest.raises(SystemExit):
        main(["--help"])

    help_text = capsys.readouterr().out
    assert commands == {"run", "check", "set", "release", "explain", "simulate"}
    assert all(re.search(rf"^ +{command}\b", help_text, re.MULTILINE) for command in commands)


def test_the_questions_say_how_many_inverters_a_site_may_have() -> None:
    assert f"Up to {INVERTERS_MAX} on one site." in (DOCS / "faq.md").read_text()


def test_the_licence_is_apache_2() -> None:
    text = (REPOSITORY / "LICENSE").read_text()

    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
