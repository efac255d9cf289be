"""The changelog at a release: what is closed, what are the notes, and what keeps a release from being made."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from orchestrator import __version__
from tools.release.changelog import closed, notes, released
from tools.release.trouble import ReleaseError

REPOSITORY = Path(__file__).parents[3]
DAY = date(2030, 1, 31)
LOG = "# Changelog\n\n## Unreleased\n\n### Added\n\n- A thing.\n\n## 0.1.0 - 2029-12-01\n\nThe first one.\n"


def test_what_is_unreleased_becomes_the_version() -> None:
    text = closed(LOG, "0.2.0", DAY)

    assert text.startswith("# Changelog\n\n## Unreleased\n\n## 0.2.0 - 2030-01-31\n\n### Added\n")
    assert released(text) == {"0.2.0": DAY, "0.1.0": date(2029, 12, 1)}
    assert notes(text, "0.2.0") == "### Added\n\n- A thing."
    assert notes(text, "0.1.0") == "The first one."


def test_a_version_that_has_its_heading_is_taken_as_it_is() -> None:
    text = closed(LOG, "0.2.0", DAY)

    assert closed(text, "0.2.0", date(2031, 1, 1)) == text


@pytest.mark.parametrize(
    ("text", "version", "says"),
    [
        (LOG.replace("## Unreleased", ""), "0.2.0", "one line"),
        (LOG.replace("### Added\n\n- A thing.\n", ""), "0.2.0", "says nothing of 0.2.0"),
        (LOG, "0.1.0", "something under Unreleased"),
        (
            LOG.replace("### Added\n\n- A thing.\n", "## 0.2.0 - 2030-01-01\n\n- A thing.\n"),
            "0.1.0",
            "does not stand above",
        ),
    ],
)
def test_a_changelog_that_does_not_tell_is_refused(text: str, version: str, says: str) -> None:
    with pytest.raises(ReleaseError, match=says):
        closed(text, version, DAY)


def test_our_own_can_be_released() -> None:
    text = closed((REPOSITORY / "CHANGELOG.md").read_text(), __version__, DAY)

    assert list(released(text)) == ["0.2.0", "0.1.0"]
    assert len(notes(text, __version__)) > 1000
