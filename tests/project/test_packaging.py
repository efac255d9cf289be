"""What an installed wheel has: every file of a package that is no Python is named in setup.cfg."""

from __future__ import annotations

import configparser
from fnmatch import fnmatch
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PACKAGES = ("orchestrator", "actors")


def patterns() -> list[str]:
    """What `package_data` says, relative to a package; `*` does not go into folders."""
    parser = configparser.ConfigParser()
    parser.read(REPOSITORY / "setup.cfg")
    return [each.strip() for each in parser["options.package_data"]["*"].split(",")]


def data_files() -> list[Path]:
    files = (path for name in PACKAGES for path in (REPOSITORY / name).rglob("*") if path.is_file())
    return [path for path in files if path.suffix not in (".py", ".pyc")]


def within_package(path: Path) -> str:
    """The path of a file relative to the package that it belongs to: the nearest folder with an `__init__.py`."""
    package = next(folder for folder in path.parents if (folder / "__init__.py").exists())
    return path.relative_to(package).as_posix()


def is_packed(path: str) -> bool:
    return any(fnmatch(path, each) and path.count("/") == each.count("/") for each in patterns())


def test_every_data_file_is_in_the_wheel() -> None:
    files = data_files()

    assert {path.suffix for path in files} >= {".yaml", ".json", ".j2", ".typed"}
    assert [path.as_posix() for path in files if not is_packed(within_package(path))] == []
