"""Client procedures of CSIP-AUS on the virtual site: those first that other open clients do not pass.

All of them are played by `python -m tests.system.csip.procedures`; docs/csip-aus.md has its table.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.system.csip.procedures import FIRST, FOLDER, NOT_PLAYED, Played, play

RAMPS = {
    "LOA-01": [(5000, 0, 17)],
    "LOA-03": [(0, 5000, 30), (5000, 1500, 42), (1500, 5000, 42), (5000, 1500, 42), (1500, 0, 18)],
    "LOA-09": [(0, 5000, 17), (5000, 1500, 12)],
    "ALL-28": [(0, 2400, 177), (2400, 1500, 1), (1500, 500, 1), (500, 2500, 60), (2500, 0, 50), (0, 1500, 30)],
}
"""From W, to W, in s: what setGradW and rampTms of the procedures come to with 5 kW."""
OTHERS = ("ALL-06", "ALL-30", "MUL-01", "SDVN-01", "STO-02")
"""Readings, a restart, two inverters, where the server begins, and what the site is registered with."""


@pytest.mark.long
@pytest.mark.skipif(not FOLDER.exists(), reason=".ci/csip_procedures has not fetched the procedures")
@pytest.mark.parametrize("name", [*FIRST, *OTHERS])
def test_a_procedure_is_passed(name: str, tmp_path: Path) -> None:
    played = play(name, tmp_path)

    assert played.failed == ()
    obeys(played)


def obeys(played: Played) -> None:
    """Ramps take the time that they should, and the power at the meter is what they lead to, 5 s later."""
    for found, (begin, end, seconds) in zip(played.ramps, RAMPS.get(played.name, []), strict=False):
        assert found.from_watts == pytest.approx(begin, abs=60)
        assert found.to_watts == pytest.approx(end, abs=60)
        assert found.lasts_s == pytest.approx(seconds, abs=3)
    for found in played.ramps:
        assert found.after_watts <= found.to_watts + 50
    assert played.excess_s <= 5


PAGE = (Path(__file__).parents[3] / "docs/csip-aus.md").read_text()


def test_the_page_names_each_procedure_once_with_its_verdict_or_why_it_is_not_played() -> None:
    passed = re.findall(r"^\| (\S+) \| passed, ", PAGE, re.MULTILINE)
    whys = dict(
        re.findall(r"^- ([A-Z]+-\d+(?:, [A-Z]+-\d+)*): (.+)\.$", PAGE.partition("\nNot played:")[2], re.MULTILINE)
    )
    not_played = {name: why for names, why in whys.items() for name in names.split(", ")}

    assert not_played == NOT_PLAYED
    assert not set(passed) & set(not_played)
    assert len(set(passed)) == len(passed)
    assert f"{len(passed)} pass, none fails, {len(not_played)} are not played" in PAGE
    assert f"`cactus-test-definitions` 1.18.2, {len(passed) + len(not_played)} of them" in PAGE
    assert not FOLDER.exists() or {each.stem for each in FOLDER.glob("*.yaml")} == {*passed, *not_played}


def test_what_is_not_played_says_why() -> None:
    assert not set(FIRST) & NOT_PLAYED.keys()
    assert all(len(why) > 10 for why in NOT_PLAYED.values())
