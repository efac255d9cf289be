"""What a release does to a repository: one commit, one tag, and nothing where something has to be mended first."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from orchestrator import __version__
from tools.release.__main__ import _close, _require_ready, _take_over, checksums, notes_text
from tools.release.changelog import UNRELEASED, released
from tools.release.trouble import ReleaseError
from tools.release.version import PLACES, versions

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the files that a release changes, and a git that knows nothing of this machine's settings."""
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "somebody")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "somebody@localhost")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    root = tmp_path / "repository"
    for place in (*PLACES, "CHANGELOG.md"):
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(REPOSITORY / place, root / place)
    changelog = root / "CHANGELOG.md"  # that of this project says nothing of the next version just after a release
    changelog.write_text(changelog.read_text().replace(UNRELEASED, f"{UNRELEASED}\n- Something is new.\n"))
    git(root, "init", "--quiet", "--initial-branch", "main")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Begin")
    return root


def git(root: Path, *words: str) -> str:
    return subprocess.run(["git", *words], check=True, cwd=root, text=True, capture_output=True).stdout.strip()


def test_a_release_is_one_commit_and_one_tag(repository: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(repository), str(clone))
    _close(clone, "7.8.9")
    assert "7.8.9" not in released((repository / "CHANGELOG.md").read_text())

    _take_over(repository, clone, "7.8.9")

    assert git(repository, "log", "--format=%s") == "Release 7.8.9\nBegin"
    assert git(repository, "describe", "--exact-match") == "v7.8.9"
    assert git(repository, "status", "--porcelain") == ""
    assert set(versions(repository).values()) == {"7.8.9"}
    assert next(iter(released((repository / "CHANGELOG.md").read_text()))) == "7.8.9"


def test_what_is_there_already_stops_a_release(repository: Path, tmp_path: Path) -> None:
    out = tmp_path / "dist"
    _require_ready(repository, "7.8.9", out, dry=False)
    (repository / "CHANGELOG.md").write_text("changed")
    with pytest.raises(ReleaseError, match="not committed"):
        _require_ready(repository, "7.8.9", out, dry=False)
    _require_ready(repository, "7.8.9", out, dry=True)
    (out / "old.whl").touch()
    with pytest.raises(ReleaseError, match="is not empty"):
        _require_ready(repository, "7.8.9", out, dry=True)
    git(repository, "tag", "v7.8.9")
    with pytest.raises(ReleaseError, match="a tag v7"):
        _require_ready(repository, "7.8.9", out, dry=True)


def test_the_checksums_are_those_that_sha256sum_reads(tmp_path: Path) -> None:
    (tmp_path / "a.whl").write_bytes(b"wheel")
    (tmp_path / "SHA256SUMS").write_text(checksums([tmp_path / "a.whl"]))

    done = subprocess.run(
        ["sha256sum", "--check", "SHA256SUMS"], check=False, cwd=tmp_path, text=True, capture_output=True
    )
    assert done.stdout == "a.whl: OK\n"


def test_the_notes_are_what_the_changelog_says() -> None:
    text = notes_text(f"## Unreleased\n\n## {__version__} - 2030-01-31\n\n- A thing.\n", __version__, "0 a.whl\n")

    assert text == f"# {__version__}\n\n- A thing.\n\n## Checksums\n\n```text\n0 a.whl\n```\n"
