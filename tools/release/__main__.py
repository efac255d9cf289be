"""`make release VERSION=0.2.0`: everything in a clean clone, and commit and tag here only once all of it is well.

--dry-run makes all files and neither commit nor tag.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tools.release import changelog, debian, python_packages
from tools.release.trouble import ReleaseError, run
from tools.release.version import set_version

ROOT: Final = Path(__file__).parents[2]
CHECKSUMS, NOTES = "SHA256SUMS", "NOTES.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the release; 1 where something has to be mended first, which is said."""
    asked = _arguments(arguments)
    try:
        made = release(ROOT, asked.version, asked.out.resolve(), dry=asked.dry_run)
    except ReleaseError as trouble:
        print(f"no release: {trouble}", file=sys.stderr)
        return 1
    print("\n".join(str(path) for path in made))
    tag = f"v{asked.version}"
    print(
        "nothing is committed or tagged (--dry-run)"
        if asked.dry_run
        else f"tagged {tag}; now: git push origin HEAD {tag}"
    )
    return 0


def release(root: Path, version: str, out: Path, *, dry: bool) -> tuple[Path, ...]:
    """The files of a release of HEAD, in `out`; without `dry` its commit and its tag too. Raises ReleaseError."""
    _require_ready(root, version, out, dry=dry)
    with tempfile.TemporaryDirectory(prefix="release-") as folder:
        clone = Path(folder) / "clone"
        run(["git", "clone", "--quiet", "--no-hardlinks", root, clone], root)
        _close(clone, version)
        moment = int(run(["git", "log", "-1", "--format=%ct"], clone))
        made = _build(clone, version, out, moment, Path(folder))
        if not dry:
            _take_over(root, clone, version)
    return made


def _require_ready(root: Path, version: str, out: Path, *, dry: bool) -> None:
    if run(["git", "tag", "--list", f"v{version}"], root):
        raise ReleaseError(f"there is a tag v{version} already")
    if not dry and run(["git", "status", "--porcelain"], root):
        raise ReleaseError("there are changes that are not committed")
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        raise ReleaseError(f"{out} is not empty")


def _close(clone: Path, version: str) -> None:
    """Version and changelog, committed in the clone."""
    set_version(clone, version)
    path = clone / "CHANGELOG.md"
    path.write_text(changelog.closed(path.read_text(), version, datetime.now(UTC).date()))
    if run(["git", "status", "--porcelain"], clone):
        identity = _identity(clone)
        run(["git", *identity, "commit", "--quiet", "--all", "--message", f"Release {version}"], clone)


def _identity(clone: Path) -> list[str]:
    """Where nobody has told git who they are: somebody, so that a dry run works in an empty environment."""
    try:
        run(["git", "var", "GIT_AUTHOR_IDENT"], clone)
    except ReleaseError:
        return ["-c", "user.name=release", "-c", "user.email=release@localhost"]
    return []


def _build(clone: Path, version: str, out: Path, moment: int, folder: Path) -> tuple[Path, ...]:
    wheel, sdist = python_packages.build(clone, out, moment)
    said = python_packages.try_wheel(wheel, folder, clone / "site.yaml", sys.executable)
    if said != version:
        raise ReleaseError(f"the wheel says that it is {said}, and not {version}")
    debs = [debian.build(wheel, out, architecture, moment) for architecture in debian.MACHINES]
    sums, notes = out / CHECKSUMS, out / NOTES
    sums.write_text(checksums((wheel, sdist, *debs)))
    notes.write_text(notes_text((clone / "CHANGELOG.md").read_text(), version, sums.read_text()))
    return (wheel, sdist, *debs, sums, notes)


def checksums(files: Iterable[Path]) -> str:
    """What `sha256sum --check` reads."""
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)


def notes_text(log: str, version: str, sums: str) -> str:
    """What is published with the files."""
    return f"# {version}\n\n{changelog.notes(log, version)}\n\n## Checksums\n\n```text\n{sums}```\n"


def _take_over(root: Path, clone: Path, version: str) -> None:
    """The commit of the clone, and its tag, signed where git has a key."""
    run(["git", "pull", "--quiet", "--ff-only", str(clone), "HEAD"], root)
    key = run(["git", "config", "--default", "", "--get", "user.signingkey"], root).strip()
    run(["git", "tag", "--sign" if key else "--annotate", f"v{version}", "--message", version], root)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.release", description=__doc__)
    parser.add_argument("version", help="such as 0.2.0")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="an empty folder (default: dist)")
    parser.add_argument("--dry-run", action="store_true", help="make the files, and neither commit nor tag")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
