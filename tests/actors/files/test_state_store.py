from __future__ import annotations

import os
from pathlib import Path

import pytest

from actors.files.state_store import HurriedStore, StateStore
from orchestrator.devices.as_found import Found
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
    store.save("west", FOUND)
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
