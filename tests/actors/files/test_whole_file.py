"""A file that is there as a whole, written in the background."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path

import pytest

from actors.files.whole_file import NewestText, replace_file
from tests.support.servers.required import wait_until


def test_a_text_is_written_as_a_whole_with_the_folder_that_it_needs(tmp_path: Path) -> None:
    path = tmp_path / "state" / "kept.json"

    replace_file(path, "old")
    replace_file(path, "new")

    assert path.read_text() == "new"
    assert [each.name for each in path.parent.iterdir()] == ["kept.json"]


def test_the_newest_text_wins_and_is_written_before_the_end(tmp_path: Path) -> None:
    file = NewestText(tmp_path / "kept.json")
    for number in range(1000):
        file.put(str(number))
    file.close(30.0)

    assert (tmp_path / "kept.json").read_text() == "999"


def test_a_disk_that_hangs_holds_up_nobody(tmp_path: Path) -> None:
    """The file is a pipe that nobody reads: opening it for writing waits for ever."""
    path = tmp_path / "kept.json"
    os.mkfifo(path.with_suffix(".new"))
    file = NewestText(path)

    file.put("one")
    file.put("two")
    file.close(0.1)

    assert not path.exists()
    assert any(thread.name == "kept.json" and thread.daemon for thread in threading.enumerate())


def test_a_disk_that_refuses_is_said_once_and_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    blocked = tmp_path / "state"
    blocked.write_text("a file where the folder should be")
    file = NewestText(blocked / "kept.json")
    with caplog.at_level(logging.ERROR):
        file.put("one")
        wait_until(lambda: "cannot be written" in caplog.text, "the error in the log")
        blocked.unlink()
        file.put("two")
        file.close(30.0)

    assert (blocked / "kept.json").read_text() == "two"
    assert caplog.text.count("cannot be written") == 1
