"""Every word of the page is there in every language, for all that the code can tell, and for nothing else."""

from __future__ import annotations

import ast
import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

import orchestrator.page
from orchestrator.commands import BatteryMode
from orchestrator.decide.memory import MeterFault
from orchestrator.decide.power_flow import BatteryFlowMode
from orchestrator.decide.records import Mode
from orchestrator.devices.makes.library import load_profile, meter_profile_names
from orchestrator.devices.makes.schema import Meter
from orchestrator.devices.profiles.decode import ALL_ZERO
from orchestrator.errors import DeviceError
from orchestrator.explain.happenings import HAPPENINGS
from orchestrator.explain.words import ROWS as REASONS
from orchestrator.ledger.above_limits import LIMITS
from orchestrator.ledger.excess import Outcome
from orchestrator.reason.template import needed, optional
from orchestrator.samples import OperatingState
from orchestrator.setpoints.fields import ROWS as FIELDS
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import Setpoint, merge
from orchestrator.setpoints.values import PriorityMode
from tools.reasons_page import make_words

PAGE = Path(orchestrator.page.__file__).parent
REPOSITORY = Path(__file__).parents[3]
LANGUAGES = sorted(path.stem for path in (PAGE / "texts").glob("*.json"))
BOOKS: dict[str, dict[str, Any]] = {
    name: json.loads((PAGE / f"texts/{name}.json").read_text(encoding="utf-8")) for name in LANGUAGES
}
SCRIPTS = [path for folder in ("code", "views", "new_site") for path in sorted((PAGE / folder).glob("*.js"))]


def flat(book: dict[str, Any], before: str = "") -> dict[str, str]:
    """The texts by their dotted keys."""
    found: dict[str, str] = {}
    for key, value in book.items():
        found |= flat(value, f"{before}{key}.") if isinstance(value, dict) else {f"{before}{key}": value}
    return found


@functools.cache
def spoken_events() -> set[str]:
    """The name of every `Event(...)`, of every `Entry(level, ...)`, and of every change that is told by `_tell`."""
    found: set[str] = set()
    for package in ("orchestrator", "actors"):
        for path in (REPOSITORY / package).rglob("*.py"):
            text = path.read_text()
            if not re.search(r"\b(Event|Entry|_tell)(\.of)?\(", text):
                continue
            tree = ast.parse(text)
            constants = {
                node.targets[0].id: node.value.value
                for node in tree.body
                if isinstance(node, ast.Assign)
                and isinstance(node.targets[0], ast.Name)
                and isinstance(node.value, ast.Constant)
            }
            for node in ast.walk(tree):
                match node:
                    case ast.Call(func=ast.Name(id="Event"), args=[ast.Name(id="name"), *_]):
                        pass  # of `_tell`, whose callers name it
                    case ast.Call(
                        func=ast.Attribute(value=ast.Name(id="Event"), attr="of"), args=[ast.Name(id="name"), *_]
                    ):
                        pass
                    case (
                        ast.Call(func=ast.Name(id="Event"), args=[name, *_])
                        | ast.Call(func=ast.Attribute(value=ast.Name(id="Event"), attr="of"), args=[name, *_])
                    ):
                        found |= set(names_of(name, constants))
                    case (
                        ast.Call(func=ast.Name(id="Entry"), args=[_, name, _, *_])
                        | ast.Call(func=ast.Attribute(value=ast.Name(id="Entry"), attr="of"), args=[_, name, _, *_])
                    ) if path.parent.name == "log":
                        found |= set(names_of(name, constants))
                    case ast.Call(func=ast.Attribute(attr="_tell"), args=[ast.Constant(value=str(name)), *_]):
                        found.add(name)
    return found


def names_of(node: ast.expr, constants: dict[str, Any]) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(name)):
            yield name
        case ast.Name(id=name) if name in constants:
            yield constants[name]
        case ast.JoinedStr(values=[ast.Constant(value="meter_"), _]):
            yield from (f"meter_{fault}" for fault in get_args(MeterFault))
        case ast.JoinedStr(values=[ast.Constant(value="mode_"), _]):
            yield from (f"mode_{mode}" for mode in get_args(Mode))
        case _:
            pytest.fail(f"an event whose name nobody can tell: {ast.unparse(node)}")


def test_all_languages_have_the_same_keys_and_no_empty_word() -> None:
    assert LANGUAGES == ["de", "en"]
    english, german = flat(BOOKS["en"]), flat(BOOKS["de"])

    assert list(english) == list(german)
    empty_ok = re.compile(r"happened\.\w+\.todo")
    for book in (english, german):
        assert [key for key, text in book.items() if not text.strip() and not empty_ok.fullmatch(key)] == []
    assert [key for key in english if bool(english[key]) != bool(german[key])] == []


def test_all_languages_say_the_same_facts() -> None:
    english, german = flat(BOOKS["en"]), flat(BOOKS["de"])
    facts = re.compile(r"\{\w+\}")

    assert [key for key in english if set(facts.findall(english[key])) != set(facts.findall(german[key]))] == []


def test_nearly_nothing_is_left_untranslated() -> None:
    english, german = flat(BOOKS["en"]), flat(BOOKS["de"])
    same = {key for key in english if english[key] == german[key] and re.search(r"[a-z]{4}", english[key])}

    assert same <= {
        "page.product",
        "link.live",
        "sources.fixed",
        "reasons.cap_of_site_yaml",
        "reasons.of_battery",
        "reasons.asked_now",
        "reasons.as_said",
        "reasons.setting_wrong",
        "reasons.at_endpoint",
        "reasons.member_wrong",
        "reasons.asked_by",
        "reasons.several_wrong",
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_event_of_the_code_has_words(language: str) -> None:
    events = spoken_events()

    assert {"meter_silent", "meter_reversed", "mode_failsafe", "inverter_away", "setpoint_by_hand"} <= events
    assert events <= set(BOOKS[language]["happened"])


def test_every_trouble_says_what_to_do() -> None:
    calm = re.search(r"const CALM = \[(.+?)\]", (PAGE / "views/events.js").read_text(), re.DOTALL)
    assert calm is not None
    calm_names = set(re.findall(r'"(\w+)"', calm[1]))

    for name, words in BOOKS["en"]["happened"].items():
        assert name in calm_names or words["todo"], name


def kinds(error: type[DeviceError]) -> Iterator[str]:
    """The kind of every trouble that a device may have."""
    for each in error.__subclasses__():
        if each.__module__ == DeviceError.__module__:
            yield each.kind
            yield from kinds(each)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_name_that_is_told_has_words(language: str) -> None:
    book = BOOKS[language]

    assert {row.name for row in FIELDS} == set(book["fields"])
    assert set(get_args(Mode)) | {"shadow", "paused", "released"} <= set(book["modes"])
    assert set(get_args(BatteryFlowMode)) == set(book["plan"]) == set(book["plan_shadow"])
    assert {mode.value for mode in BatteryMode} == set(book["asked"]["battery"])
    assert {state.name.lower() for state in OperatingState} <= set(book["states"])
    assert {mode.value for mode in PriorityMode} == set(book["values"]["battery_priority_mode"])
    assert set(LIMITS) == set(book["ledger"]["limits"])
    assert {outcome.value for outcome in Outcome} == set(book["ledger"]["outcomes"])
    assert {"fixed", "manual", "mqtt"} <= set(book["sources"])
    assert set(kinds(DeviceError)) == set(book["kinds"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_has_words_with_all_its_facts(language: str) -> None:
    words = BOOKS[language]["reasons"]

    assert set(words) == set(REASONS)
    for code, row in REASONS.items():
        assert needed(words[code]) == needed(row.words), code
        assert optional(words[code]) == optional(row.words), code


def test_the_english_words_of_a_reason_are_those_of_the_log() -> None:
    without_formats = {code: re.sub(r"\{(\w+):[^}]*\}", r"{\1}", row.words) for code, row in REASONS.items()}

    assert BOOKS["en"]["reasons"] == without_formats


def test_what_the_files_of_makes_say_has_words_in_every_language() -> None:
    said = make_words()

    assert "application" in said["carlo-gavazzi-em24"]
    assert BOOKS["en"]["makes"] == said, "python -m tools.reasons_page"
    for language in LANGUAGES:
        words = BOOKS[language]["makes"]
        assert {make: list(rows) for make, rows in words.items()} == {make: list(rows) for make, rows in said.items()}


def test_the_page_looks_for_the_words_of_a_make_where_its_reason_has_them() -> None:
    needs = [need for name in meter_profile_names() for need in _meter_of(name).needs]
    script = (PAGE / "code/reasons.js").read_text()

    assert {need.because for need in needs} == {words for rows in make_words().values() for words in rows.values()}
    assert "because" in needed(REASONS["setting_wrong"].words)
    assert 'if (name === "because") return ofMake(fact);' in script


def _meter_of(name: str) -> Meter:
    meter = load_profile(name).meter
    assert meter is not None
    return meter


@functools.cache
def faults_named() -> set[str]:
    """Each fault that the decoders name by a text of theirs: `power("ac", ...)`, `within("implausible_...", ...)`."""
    found: set[str] = {ALL_ZERO}
    for path in (REPOSITORY / "orchestrator/devices").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Attribute(attr="power"), args=[ast.Constant(value=str(name)), *_]):
                    found.add(f"implausible_{name}_watts")
                case ast.Call(func=ast.Attribute(attr="power"), args=[ast.Name(id="name"), *_]):
                    found |= {"implausible_charge_max_watts", "implausible_discharge_max_watts"}
                case ast.Call(func=ast.Attribute(attr="within"), args=[ast.Constant(value=str(name)), *_]):
                    found.add(name)
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_fault_that_an_inverter_is_shown_with_has_words(language: str) -> None:
    assert {"implausible_ac_watts", "implausible_soc_percent", "all_zero_registers"} <= faults_named()
    assert faults_named() | {"implausible"} == set(BOOKS[language]["faults"])


def test_no_refusal_is_said_in_words_only() -> None:
    for path in (REPOSITORY / "actors").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Name(id="problem" | "Refusal" | "Invalid"), args=args):
                    texts = [each for each in args if isinstance(each, ast.JoinedStr | ast.Constant)]
                    said = [ast.unparse(each) for each in texts if " " in ast.unparse(each)]
                    assert [each for each in said if not re.match(r"'\d{3} ", each)] == [], path


def test_the_page_knows_a_source_that_is_silent_by_the_words_of_its_default() -> None:
    silent = Setpoint("mqtt", SetpointFields(export_limit_watts=0.0), 0.0, is_default=True)
    begins = re.search(r'const DEFAULT_OF = "(.+?)"', (PAGE / "code/reasons.js").read_text())

    assert begins is not None
    assert merge([silent]).whose("export_limit_watts") == f"{begins[1]}mqtt"


def test_the_english_words_of_an_event_are_those_of_messages_to_people() -> None:
    words = {name: {"title": each.title, "todo": " ".join(each.todo)} for name, each in HAPPENINGS.items()}

    assert BOOKS["en"]["happened"] == words


def test_every_text_that_a_script_names_is_there_and_none_is_idle() -> None:
    english = flat(BOOKS["en"])
    source = "\n".join(path.read_text() for path in SCRIPTS)
    # "limits.none", and what begins a name that is put together: `fields.${name}.name`
    whole = set(re.findall(r"[\"'`]([a-z_]+(?:\.[a-z_]+)+)[\"'`]", source))
    begun = set(re.findall(r"`([a-z_]+(?:\.[a-z_]+)*\.)\$\{", source))
    named = {each for each in whole if each.split(".")[0] in BOOKS["en"]}

    assert sorted(named - set(english)) == []
    idle = {key for key in english if key not in named and not any(key.startswith(each) for each in begun)}
    assert sorted(idle) == []
