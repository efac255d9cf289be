"""The docs as a site: every page has its place, every command and every YAML in them is one, quoted words are said."""

from __future__ import annotations

import argparse
import ast
import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator.cli import main as command_line
from orchestrator.config.file import parse_config
from orchestrator.config.sections import SiteConfig
from orchestrator.devices.makes.file import parse_profile
from tools.docs_site.source import ROOT, chapters, pages, write

DOCS = ROOT / "docs"
ALL = [ROOT / page for page in ("docs/index.md", *pages())]
COMMAND = re.compile(r"^(?:sudo |\.venv/bin/|/\S+/bin/)*orchestrator (?P<words>[a-z-].*)$")
OTHERS = ("sudo", "apt", "pipx", "git", "make", "python", "pip", "journalctl", "mosquitto_pub", "docker", "curl")
"""Programs that are not ours: that they exist is not for us to check."""
NOT_OURS = (
    *("scrape_configs", "alerting", "global", "receivers", "route", "services", "automation"),
    *("triggers", "meters", "title"),
)
"""A first key of YAML for another program; `title` is a scenario, which is tested where scenarios are."""
BASE: dict[str, Any] = {
    "site": {"name": "home"},
    "meter": {"host": "10.0.0.1"},
    "inverters": [{"name": "a", "host": "10.0.0.2"}],
}
"""What a part of a site.yaml is completed with."""


def test_every_page_stands_in_one_chapter() -> None:
    named = [page for each in chapters().values() for page in each]

    assert sorted(named) == sorted(pages())
    assert len(set(named)) == len(named)
    assert next(iter(chapters().values()))[:2] == ("docs/quick-start.md", "docs/concepts.md")


def test_the_source_has_every_page_and_every_picture(tmp_path: Path) -> None:
    write(tmp_path / "source")
    for page in ("docs/index.md", *pages()):
        text = (tmp_path / "source" / page).read_text()
        for target in re.findall(r"!?\[[^\]]*\]\(([^)#\s]+)", text):
            if not target.startswith(("https://", "http://", "mailto:")):
                assert ((tmp_path / "source" / page).parent / target).exists(), (page, target)


def test_the_start_page_says_it_in_ten_lines() -> None:
    before_the_picture = (DOCS / "index.md").read_text().partition("![")[0]

    assert len([line for line in before_the_picture.splitlines() if line.strip()]) <= 10


def blocks(page: Path, language: str) -> list[str]:
    """The blocks of a language in a page, without their indentation."""
    found = re.finditer(rf"^( *)```{language}\n(.*?)^\1```", page.read_text(), re.MULTILINE | re.DOTALL)
    return ["\n".join(line.removeprefix(each[1]) for line in each[2].splitlines()) + "\n" for each in found]


def typed(page: Path) -> tuple[list[str], list[str]]:
    """Commands of ours without their first word and comments: lines that a reader types as they are, and mentions."""
    lines = [line for block in blocks(page, "sh") for line in block.splitlines()]
    lines += re.findall(r"^    (\S.*)$", page.read_text(), re.MULTILINE)
    return only_ours(lines), only_ours(re.findall(r"`([^`\n]+)`", page.read_text()))


def only_ours(lines: list[str]) -> list[str]:
    found = (COMMAND.match(line.strip()) for line in lines)
    return [re.sub(r"\s+#.*$", "", each["words"]) for each in found if each is not None]


def parsers() -> dict[str, argparse.ArgumentParser]:
    """The parser of each command, by its name."""
    actions = command_line._parser()._actions
    return next(dict(each.choices) for each in actions if isinstance(each, argparse._SubParsersAction))


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_of_ours_can_be_typed(page: Path) -> None:
    whole, mentioned = typed(page)
    for words in whole:
        first, *rest = shlex.split(words)
        if first in parsers():
            try:
                parsers()[first].parse_args(rest)
            except SystemExit as ended:
                raise AssertionError(f"orchestrator {words}") from ended
    for words in mentioned:
        first, *rest = words.split()
        if first in parsers():
            known = {option for action in parsers()[first]._actions for option in action.option_strings}
            assert {each for each in rest if each.startswith("--")} <= known, words


def test_a_wrong_command_is_found() -> None:
    with pytest.raises(SystemExit):
        parsers()["check"].parse_args(["site.yaml", "--loud"])
    assert only_ours(["sudo orchestrator check x  # why", ".venv/bin/orchestrator run a", "ls"]) == ["check x", "run a"]


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_line_of_a_shell_block_begins_with_a_program_that_is_known(page: Path) -> None:
    for block in blocks(page, "sh"):
        for line in filter(None, block.splitlines()):
            assert line.split()[0].rpartition("/")[2] in ("orchestrator", *OTHERS), line


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_yaml_is_taken(page: Path) -> None:
    for written in blocks(page, "yaml"):
        block = f"inverters:\n{written}" if isinstance(yaml.safe_load(written), list) else written
        content = yaml.safe_load(block)
        if set(content) & set(NOT_OURS) or is_profile(content, block):
            continue
        assert set(content) <= set(SiteConfig.model_fields), (page, list(content))
        if "profile" in block:
            continue  # it names a file of the reader
        missing = {key: value for key, value in BASE.items() if key not in content}
        variables = dict.fromkeys(re.findall(r"\$\{(\w+)\}", block), "x")
        without_files = re.sub(r",? *\b(?!prices_|ca_|certificate_|key_)\w+_file: [^,}\n]+", "", block)
        without_files = re.sub(r"^(\w+):\n\s*\n", r"\1: {}\n", without_files, flags=re.MULTILINE)
        parse_config(without_files + yaml.safe_dump(missing) * bool(missing), environ=variables)


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_part_of_a_site_yaml_stands_where_it_is_not_tried(page: Path) -> None:
    """In a block that is only indented, which is text for all that we know."""
    fenced = re.sub(r"^( *)```.*?^\1```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    sections = "|".join(SiteConfig.model_fields)

    assert re.findall(rf"^    (?:{sections}):(?: *$| *[{{\[])", fenced, re.MULTILINE) == []


def is_profile(content: dict[str, Any], block: str) -> bool:
    """Whether it is the file of a make, which then must be fine."""
    if not {"name", "registers"} <= set(content):
        return False
    parse_profile(block, "page")
    return True


@cache
def said_somewhere() -> tuple[str, ...]:
    """Every text in our code, with the gaps of its values cut out."""
    texts: list[str] = []
    for package in ("orchestrator", "actors"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    texts.append(" ".join(node.value.split()))
    return tuple(texts)


def test_the_words_of_the_log_are_those_of_the_program() -> None:
    """In the tables of troubleshooting whose first column is "the words"; `...` stands for a value."""
    rows = []
    for table in re.findall(
        r"^\| the words \|.*?\n\n", (DOCS / "troubleshooting.md").read_text(), re.MULTILINE | re.DOTALL
    ):
        rows += re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)
    assert len(rows) > 15
    for row in rows:
        for part in filter(None, (each.strip(" ;:,") for each in row.split("..."))):
            assert any(part in text for text in said_somewhere()), part


def test_the_questions_of_init_are_those_of_the_quick_start() -> None:
    text = (DOCS / "quick-start.md").read_text()
    for question in ("Where are they?", "Which of them belong to this site?", "Which one is at the grid connection?"):
        assert question in text
        assert any(question in said for said in said_somewhere())
    for question in ("Does the site draw from the grid now, or feed into it?", "Begin in shadow mode?"):
        assert question in text
        assert any(question in said for said in said_somewhere())


@pytest.mark.long
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    from tools.docs_site.__main__ import main

    assert main(["--out", str(tmp_path / "docs")]) == 0
    for page in ("docs/index", "docs/quick-start", "docs/configuration", "CONTRIBUTING"):
        built = (tmp_path / f"docs/{page}.html").read_text()
        assert "<h1>" in built
        assert not re.search(r'(?:src|href)="https?://[^"]+\.(?:js|css|woff2?)"', built), (
            "nothing is loaded from elsewhere"
        )
