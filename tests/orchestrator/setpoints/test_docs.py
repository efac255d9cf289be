"""docs/mqtt.md names everything that can be sent and everything that is published."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orchestrator.setpoints.fields import ROWS, Row
from orchestrator.setpoints.payload import VALID_UNTIL
from orchestrator.telemetry.payloads import state_payloads
from tests.support.records.cycles import cycle_result

DOC = (Path(__file__).parents[3] / "docs" / "mqtt.md").read_text()


def test_every_field_of_a_setpoint_has_its_row() -> None:
    rows = re.findall(r"^\| `(\w+)` \| .*$", DOC.split("## Several sources")[0], re.MULTILINE)

    assert rows == [*(row.wire for row in ROWS), VALID_UNTIL]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.wire)
def test_a_field_is_explained_as_its_row_says(row: Row) -> None:
    same = "".join(f" `{alias}` is the same." for alias in row.aliases)

    assert f"| `{row.wire}` | {row.value.words} | {row.wins} | {row.says}{same} |\n" in DOC


def test_every_key_of_the_published_messages_is_named() -> None:
    payloads = state_payloads(cycle_result(), "t")
    keys = {*payloads["site"], *payloads["inverters/east"], *payloads["inverters/east"]["command"]} - {"time"}

    assert [key for key in sorted(keys) if f"`{key}`" not in DOC] == []
