"""The dashboards as they are committed: built by the code, complete, and about what the program serves."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest
from grafana_foundation_sdk.models import units

from tests.support.servers.served_metrics import served_names
from tools.dashboards.boards import FOLDER, boards
from tools.queries import catalogue

BUILT = boards()
BOARDS = catalogue.boards()
UIDS = [board["uid"] for board in BOARDS]
SHOWN = [(board, panel) for board in BOARDS for panel in catalogue.panels(board)]
PANELS = [pytest.param(*shown, id=shown[1]["title"]) for shown in SHOWN]
TABLES = [pytest.param(*shown, id=shown[1]["title"]) for shown in SHOWN if shown[1]["type"] == "table"]
QUERIES = list(catalogue.panel_queries())
KNOWN_UNITS = {value for name, value in vars(units).items() if isinstance(value, str) and name[0].isupper()}
OF_GRAFANA = {"__all", "__rate_interval", "__range", "__url_time_range", "__value"}

Json = dict[str, Any]


def recorded_names() -> set[str]:
    return {rule["record"] for rule in catalogue.rules() if "record" in rule}


@pytest.mark.parametrize("name", BUILT)
def test_the_committed_board_is_what_the_code_builds(name: str) -> None:
    assert (FOLDER / name).read_text() == BUILT[name], "run `python -m tools.dashboards`"


def test_no_board_is_committed_that_no_code_builds() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(BUILT)


def test_there_are_the_four_boards() -> None:
    assert [board["title"] for board in BOARDS] == [
        "Orchestrator: Actors",
        "Orchestrator: Fleet",
        "Orchestrator: Inverters",
        "Orchestrator: Site",
    ]


def test_the_page_of_the_parts_names_every_board() -> None:
    about = (FOLDER.parents[1] / "README.md").read_text().partition("## Grafana")[2]
    said = about.partition("](../docs/dashboards.md)")[0]

    assert all(board["title"].removeprefix("Orchestrator: ") in said for board in BOARDS)


@pytest.mark.parametrize("asked", QUERIES, ids=lambda asked: asked.where)
def test_a_panel_asks_for_metrics_that_are_served_or_recorded(asked: catalogue.Asked) -> None:
    names = set(re.findall(r"\borchestrator[_:][\w:]+|\bALERTS\b", asked.expr))

    assert names
    assert names <= served_names() | recorded_names() | {"ALERTS"}


@pytest.mark.parametrize("asked", QUERIES, ids=lambda asked: asked.where)
def test_every_selector_is_about_the_plant_that_is_chosen(asked: catalogue.Asked) -> None:
    selectors = re.findall(r"\b(?:orchestrator[_:][\w:]+|ALERTS)(\{[^}]*\})?", asked.expr)

    assert all('site="$site"' in matchers for matchers in selectors)


@pytest.mark.parametrize(("board", "panel"), PANELS)
def test_every_panel_says_what_it_shows_in_which_unit_and_colours(board: Json, panel: Json) -> None:
    defaults = panel["fieldConfig"]["defaults"]
    overridden = [
        each["value"] for one in panel["fieldConfig"]["overrides"] for each in one["properties"] if each["id"] == "unit"
    ]

    assert panel["title"]
    assert panel["description"].endswith(".")
    assert {defaults["unit"], *overridden} <= KNOWN_UNITS
    assert defaults["thresholds"]["steps"][0]["value"] is None


@pytest.mark.parametrize(("board", "panel"), PANELS)
def test_thresholds_rise(board: Json, panel: Json) -> None:
    overrides = [each for one in panel["fieldConfig"]["overrides"] for each in one["properties"]]
    found = [panel["fieldConfig"]["defaults"]["thresholds"]]
    found += [each["value"] for each in overrides if each["id"] == "thresholds"]

    for thresholds in found:
        values = [step["value"] for step in thresholds["steps"][1:]]
        assert all(low < high for low, high in pairwise(values))


@pytest.mark.parametrize(("board", "panel"), PANELS)
def test_the_series_of_a_panel_can_be_told_apart(board: Json, panel: Json) -> None:
    targets = panel["targets"]
    shown = [(target["legendFormat"], target["expr"]) for target in targets]

    assert all(target["legendFormat"] for target in targets)
    assert len(set(shown)) == len(shown)
    assert len({target["refId"] for target in targets} - {""}) == len(targets)


@pytest.mark.parametrize(("board", "panel"), TABLES)
def test_every_column_of_a_table_has_its_look(board: Json, panel: Json) -> None:
    headings = {target["legendFormat"] for target in panel["targets"]}
    renamed = panel["transformations"][-1]["options"]["renameByName"]
    looks = {one["matcher"]["options"] for one in panel["fieldConfig"]["overrides"]}

    assert headings <= set(renamed.values())
    assert headings <= looks


@pytest.mark.parametrize(("board", "panel"), PANELS)
def test_every_override_is_about_something_that_is_shown(board: Json, panel: Json) -> None:
    shown = {target["legendFormat"] for target in panel["targets"]}
    for transformation in panel.get("transformations", []):
        shown |= set(transformation["options"].get("renameByName", {}).values())

    for override in panel["fieldConfig"]["overrides"]:
        matcher = override["matcher"]
        if matcher["id"] == "byName":
            assert matcher["options"] in shown
        else:
            assert any(re.search(matcher["options"].strip("/"), name) for name in shown)


@pytest.mark.parametrize("board", BOARDS, ids=UIDS)
def test_no_two_panels_share_an_id_or_a_place(board: Json) -> None:
    ids = [panel["id"] for panel in board["panels"]]
    cells = [
        (x, y)
        for panel in board["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]

    assert len(set(ids)) == len(ids)
    assert len(set(cells)) == len(cells)
    assert all(0 <= x < 24 for x, _ in cells)


@pytest.mark.parametrize("board", BOARDS, ids=UIDS)
def test_the_lines_of_a_board_are_full(board: Json) -> None:
    width: dict[int, int] = {}
    for panel in board["panels"]:
        place = panel["gridPos"]
        width[place["y"]] = width.get(place["y"], 0) + place["w"]

    assert set(width.values()) == {24}


@pytest.mark.parametrize("board", BOARDS, ids=UIDS)
def test_a_board_asks_the_data_source_that_is_provisioned(board: Json) -> None:
    provisioned = (catalogue.DEPLOY / "grafana/provisioning/datasources/prometheus.yaml").read_text()
    asked = {target["datasource"]["uid"] for panel in catalogue.panels(board) for target in panel["targets"]}

    assert asked | {panel["datasource"]["uid"] for panel in catalogue.panels(board)} == {"prometheus"}
    assert "uid: prometheus" in provisioned


@pytest.mark.parametrize("board", BOARDS, ids=UIDS)
def test_every_variable_that_is_used_is_there(board: Json) -> None:
    defined = {variable["name"] for variable in board["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", BUILT[f"{board['uid']}.json"]))

    assert used <= defined | OF_GRAFANA


@pytest.mark.parametrize("board", BOARDS, ids=UIDS)
def test_a_board_links_to_the_others_and_keeps_time_and_plant(board: Json) -> None:
    (link,) = board["links"]

    assert link["type"] == "dashboards"
    assert set(link["tags"]) <= set(board["tags"])
    assert link["keepTime"]
    assert link["includeVars"]


@pytest.mark.parametrize("board", BOARDS, ids=UIDS)
def test_a_name_in_a_table_opens_a_board_that_exists(board: Json) -> None:
    links = re.findall(r'"url": "/d/([\w-]+)\?([^"]+)"', BUILT[f"{board['uid']}.json"])

    assert links
    for uid, parameters in links:
        target = next(other for other in BOARDS if other["uid"] == uid)
        names = {variable["name"] for variable in target["templating"]["list"]}
        assert set(re.findall(r"var-(\w+)=", parameters)) <= names


def test_only_the_row_of_one_inverter_is_repeated_and_it_is_the_last() -> None:
    rows = {board["uid"]: [panel for panel in board["panels"] if panel["type"] == "row"] for board in BOARDS}
    repeated = {uid: [row["repeat"] for row in found if row.get("repeat")] for uid, found in rows.items()}

    assert repeated == {
        "orchestrator-actors": [],
        "orchestrator-fleet": [],
        "orchestrator-inverters": ["inverter"],
        "orchestrator-site": [],
    }
    assert rows["orchestrator-inverters"][-1]["repeat"] == "inverter"


def test_the_day_begins_at_midnight() -> None:
    site = next(board for board in BOARDS if board["uid"] == "orchestrator-site")
    of_the_day = [panel for panel in catalogue.panels(site) if "since midnight" in panel["description"]]

    assert len(of_the_day) == 6
    assert {panel["timeFrom"] for panel in of_the_day} == {"now/d"}
