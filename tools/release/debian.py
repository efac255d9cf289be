"""The Debian package: our wheel and all that it needs unpacked below /usr/lib, with the service, its user and its site.

One package serves several versions of Python, because compiled modules have the version in their file names.
`python -m tools.release.debian WHEEL --out FOLDER` builds it for each architecture.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from tools.release.trouble import ReleaseError, run

ROOT: Final = Path(__file__).parents[2]
DEBIAN: Final = ROOT / "deploy/debian"
NAME: Final = "solar-site-orchestrator"
PYTHONS: Final = ("3.11", "3.12", "3.13", "3.14")
"""Debian 12 and 13, Ubuntu 24.04 and 26.04."""
MACHINES: Final = {"amd64": "x86_64", "arm64": "aarch64"}
GLIBC: Final = ("manylinux2014", "manylinux_2_17", "manylinux_2_28")
"""What a Debian 12 can run (it has 2.36), as wheels name it."""
SCRIPTS: Final = ("postinst", "prerm", "postrm")
METADATA: Final = ".dist-info"
"""Of a folder of metadata the files differ from one Python to the next, in what was built where."""


def build(wheel: Path, out: Path, architecture: str, moment: int, pythons: Sequence[str] = PYTHONS) -> Path:
    """The package for amd64 or arm64; files are as of `moment`, a Unix time. Raises ReleaseError.

    `pythons` are those that it has the compiled modules for.
    """
    version = wheel.name.split("-")[1]
    with tempfile.TemporaryDirectory(prefix="deb-") as folder:
        tree = Path(folder) / "tree"
        for python in pythons:
            wheels = Path(folder) / python
            fetch(wheel, wheels, python, MACHINES[architecture])
            unpack(sorted(wheels.glob("*.whl")), tree / "usr/lib/orchestrator")
        _place_files(tree)
        _write_control(tree, version, architecture)
        for path in (tree, *tree.rglob("*")):
            os.utime(path, (moment, moment))
        deb = out / f"{NAME}_{version}_{architecture}.deb"
        command = ["dpkg-deb", "--root-owner-group", "--build", str(tree), str(deb)]
        run(command, out, {**os.environ, "SOURCE_DATE_EPOCH": str(moment)})
    return deb


def fetch(wheel: Path, folder: Path, python: str, machine: str) -> None:
    """Our wheel and those that it needs, for one Python on one machine, in the versions of constraints.txt."""
    platforms = [option for each in GLIBC for option in ("--platform", f"{each}_{machine}")]
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    wanted = ["--only-binary", ":all:", "--python-version", python, "--implementation", "cp", *platforms]
    run([*pip, "download", "--dest", folder, *wanted, "--constraint", ROOT / "constraints.txt", wheel], ROOT)


def unpack(wheels: Iterable[Path], into: Path) -> None:
    """The packages of all wheels in one folder. Raises ReleaseError where two do not agree on a file."""
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as packed:
            for entry in packed.infolist():
                top = entry.filename.split("/")[0]
                if not entry.is_dir() and not top.endswith(".data"):
                    _put(into / entry.filename, packed.read(entry))


def _put(path: Path, content: bytes) -> None:
    if path.exists() and path.read_bytes() != content and METADATA not in str(path):
        raise ReleaseError(f"{path} is not the same in the wheels for all Pythons")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o644)


def _place_files(tree: Path) -> None:
    """The command, the unit, the empty site, and what to read."""
    _copy(DEBIAN / "orchestrator", tree / "usr/bin/orchestrator", 0o755)
    _copy(DEBIAN / "site.yaml", tree / f"usr/share/{NAME}/site.yaml")
    unit = (ROOT / "deploy/systemd/orchestrator.service").read_text()
    target = tree / "usr/lib/systemd/system/orchestrator.service"
    target.parent.mkdir(parents=True)
    target.write_text(unit.replace("/usr/local/bin/", "/usr/bin/"))
    documents = tree / f"usr/share/doc/{NAME}"
    _copy(ROOT / "deploy/systemd/serial-port.conf", documents / "examples/serial-port.conf")
    _copy(ROOT / "site.yaml", documents / "examples/virtual-site.yaml")
    _copy(ROOT / "CHANGELOG.md", documents / "CHANGELOG.md")
    _copy(ROOT / "docs/licences.md", documents / "licences-of-what-is-inside.md")
    _copy(ROOT / "LICENSE", documents / "copyright")


def _copy(source: Path, target: Path, mode: int = 0o644) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(mode)


def _write_control(tree: Path, version: str, architecture: str) -> None:
    files = sorted(path for path in tree.rglob("*") if path.is_file())
    folder = tree / "DEBIAN"
    folder.mkdir()
    kilobytes = sum(path.stat().st_size for path in files) // 1024
    control = (DEBIAN / "control").read_text()
    text = control.format(version=version, architecture=architecture, kilobytes=kilobytes)
    (folder / "control").write_text(text)
    sums = (f"{hashlib.md5(path.read_bytes()).hexdigest()}  {path.relative_to(tree)}\n" for path in files)
    (folder / "md5sums").write_text("".join(sums))
    for name in SCRIPTS:
        _copy(DEBIAN / name, folder / name, 0o755)
    for path in (tree, *(each for each in tree.rglob("*") if each.is_dir())):
        path.chmod(0o755)


def main(arguments: Sequence[str] | None = None) -> int:
    """Build for each architecture that is asked for, all without one."""
    parser = argparse.ArgumentParser(prog="python -m tools.release.debian", description=__doc__)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--out", type=Path, default=Path("dist"))
    parser.add_argument("--architecture", choices=MACHINES, action="append")
    asked = parser.parse_args(arguments)
    moment = int(asked.wheel.stat().st_mtime)
    for architecture in asked.architecture or MACHINES:
        print(build(asked.wheel.resolve(), asked.out.resolve(), architecture, moment))
    return 0


if __name__ == "__main__":
    sys.exit(main())
