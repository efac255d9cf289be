"""The version: one in all places, set in all of them at once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from orchestrator import __version__
from tools.release.trouble import ReleaseError
from tools.release.version import PLACES, set_version, versions

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    for place in PLACES:
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(REPOSITORY / place, tmp_path / place)
    return tmp_path


def test_every_place_says_the_same_version() -> None:
    assert set(versions(REPOSITORY).values()) == {__version__}


def test_it_is_set_in_all_places(copied: Path) -> None:
    before = {place: (copied / place).read_text() for place in PLACES}
    set_version(copied, "7.8.9")

    assert set(versions(copied).values()) == {"7.8.9"}
    for place, text in before.items():
        assert (copied / place).read_text() == text.replace(__version__, "7.8.9")


@pytest.mark.parametrize("version", ["", "1.2", "v1.2.3", "1.2.3rc1", "01.2.3"])
def test_what_is_no_version_is_refused(copied: Path, version: str) -> None:
    with pytest.raises(ReleaseError, match="is no version"):
        set_version(copied, version)


def test_a_place_that_has_lost_its_line_is_told(copied: Path) -> None:
    place = next(iter(PLACES))
    (copied / place).write_text("nothing\n")

    with pytest.raises(ReleaseError, match="0 lines"):
        versions(copied)
