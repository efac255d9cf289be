from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from actors.files.state_store import HurriedStore, StateStore
from orchestrator.devices.as_found import Found
from orchestrator.devices.flash_budget import FlashUse
from tests.support.servers.required import wait_until

FOUND = Found(serial="AB1", grid_charging=False, limited=True, disconnected=False)


def test_what_was_saved_is_loaded_again(tmp_path: Path) -> None:
    StateStore(tmp_path / "state").save("east", FOUND)

    assert StateStore(tmp_path / "state").load("east") == FOUND
    assert StateStore(tmp_path / "state").load("west") == Found()


def test_the_directory_is_made_by_the_first_save(tmp_path: Path) -> None:
    store = StateStore(tmp_path / "state")
    store.load("east")
    store.save("east", Found())
    assert not (tmp_path / "state").exists()

    store.save("east", FOUND)

    assert [path.name for path in (tmp_path / "state").rglob("*.*")] == ["east.json"]


def test_an_empty_record_removes_the_file(tmp_path: Path) -> None:
    store = StateStore(tmp_path)
    store.save("east", FOUND)
    store.save("east", Found(serial="AB1"))

    assert list(tmp_path.rglob("*.json")) == []


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"other": 1}', b'{"limited": "yes"}', b'{"grid_charging": 3}', b"\xff\xfe", b"null"]
)
def test_a_broken_file_counts_as_nothing_found_and_is_logged(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    store = StateStore(tmp_path)
    store.save("east", FOUND)
    (tmp_path / "inverters" / "east.json").write_bytes(content)

    assert store.load("east") == Found()
    assert "east.json" in caplog.text


def test_what_cannot_be_written_raises_and_leaves_the_former_record(tmp_path: Path) -> None:
    store = StateStore(tmp_path)
    store.save("east", FOUND)
    (tmp_path / "inverters" / "east.new").mkdir()

    with pytest.raises(OSError, match=r"east\.new"):
        store.save("east", Found(serial="AB1", disconnected=True))
    assert store.load("east") == FOUND


def test_a_disk_that_hangs_costs_one_moment_and_is_used_again_when_it_answers(tmp_path: Path) -> None:
    (tmp_path / "inverters").mkdir()
    hangs = tmp_path / "inverters/east.new"
    os.mkfifo(hangs)  # to open it for writing takes until somebody reads
    store = HurriedStore(tmp_path, longest_s=0.05)

    with pytest.raises(OSError, match="does not answer within"):
        store.save("east", FOUND)
    with pytest.raises(OSError, match="has not answered yet"):
        store.save("east", FOUND)
    wait_until(lambda: _saves(store, "west"), "another record is kept")  # a busy disk may take more than a moment
    assert store.load("west") == FOUND

    with hangs.open("rb") as reader:
        hangs.unlink()
        reader.read()
    wait_until(lambda: _saves(store, "east"), "the disk answers")
    assert store.load("east") == FOUND


def _saves(store: HurriedStore, name: str) -> bool:
    try:
        store.save(name, FOUND)
    except OSError:
        return False
    return True


def test_what_is_wrong_with_a_disk_that_answers_is_said_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "inverters").write_text("a file where the folder should be")

    with pytest.raises(FileExistsError):
        HurriedStore(tmp_path).save("east", FOUND)


@pytest.mark.parametrize("kept", ["as found", "writes to flash"])
def test_a_record_is_synced_with_its_folder_before_it_counts_as_kept(tmp_path: Path, kept: str) -> None:
    """A limit is written after it: a power cut in between must find the record."""
    store = HurriedStore(tmp_path, longest_s=60.0)
    as_found, flash = partial(store.save, "east", FOUND), partial(store.save_flash_use, "east", FlashUse())
    called = calls_of_new_threads(as_found if kept == "as found" else flash, {"fsync", "replace"})

    assert called == ["fsync", "replace", "fsync"]


def calls_of_new_threads(work: Callable[[], None], names: set[str]) -> list[str]:
    """Which functions of the system the threads that `work` starts have called by its end, in order."""
    seen = list[str]()

    def look(_frame: FrameType, event: str, called: Any) -> None:
        if event == "c_call" and called.__name__ in names:
            seen.append(called.__name__)

    threading.setprofile(look)
    try:
        work()
        return list(seen)
    finally:
        threading.setprofile(None)
