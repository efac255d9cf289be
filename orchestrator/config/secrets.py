"""Files that site.yaml names. Secrets (`password_file`, `token_file`) are read once, while the site is loaded.

A file that others can read is refused: a secret that everybody knows is none. Names are relative to a folder, that of
site.yaml.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from orchestrator.documents.yaml_text import Finding, KeyPath

FILE_KEYS: Mapping[str, str] = {
    "password_file": "password",
    "token_file": "token",
    "change_token_file": "change_token",
    "change_password_file": "change_password",
}
"""Keys that name a file, and the key that its content stands for."""
OTHER_FILE_KEYS = ("certificate_file", "key_file", "ca_file", "prices_file")
"""Keys that name a file which somebody else reads."""
MAX_BYTES = 4096


class SecretProblem(Exception):
    """A file does not give a secret; the text says why, never what is in it."""


def with_secrets(data: Any, folder: Path = Path()) -> tuple[Any, list[Finding]]:
    """The plain values of a site.yaml with the contents of the named files in place, and what is wrong with them.

    Names of files are relative to `folder`, and come out as paths from there.
    """
    found: list[Finding] = []
    return _filled(_in_folder(data, folder), (), found), found


def _in_folder(value: Any, folder: Path) -> Any:
    if isinstance(value, list):
        return [_in_folder(item, folder) for item in value]
    if not isinstance(value, Mapping):
        return value
    names = {key for key in (*FILE_KEYS, *OTHER_FILE_KEYS) if isinstance(value.get(key), str) and value[key]}
    return {key: str(folder / item) if key in names else _in_folder(item, folder) for key, item in value.items()}


def _filled(value: Any, path: KeyPath, found: list[Finding]) -> Any:
    if isinstance(value, list):
        return [_filled(item, (*path, index), found) for index, item in enumerate(value)]
    if not isinstance(value, Mapping):
        return value
    filled = {key: _filled(item, (*path, key), found) for key, item in value.items()}
    for secret, text in _read_all(value, path, found):
        filled[secret] = text
    return filled


def _read_all(section: Mapping[Any, Any], path: KeyPath, found: list[Finding]) -> Iterator[tuple[str, str]]:
    for key, secret in FILE_KEYS.items():
        name = section.get(key)
        if not isinstance(name, str) or not name:
            continue
        if section.get(secret) is not None:
            found.append(((*path, key), f"either {secret} or {key}, not both"))
            continue
        try:
            yield secret, read_secret(Path(name))
        except SecretProblem as problem:
            found.append(((*path, key), str(problem)))


def read_secret(path: Path) -> str:
    """The content of `path` without the line end. Raises SecretProblem where it cannot be read or is not private."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise SecretProblem(f"{path} is no file")
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise SecretProblem(f"{path} can be read by others (mode {stat.S_IMODE(mode):o}); chmod 600 {path}")
        text = path.read_bytes()[: MAX_BYTES + 1].decode().rstrip("\r\n")
    except OSError as trouble:
        raise SecretProblem(f"{path} cannot be read: {trouble.strerror}") from None
    except UnicodeDecodeError:
        raise SecretProblem(f"{path} is not UTF-8 text") from None
    if not text or len(text) > MAX_BYTES or "\n" in text:
        raise SecretProblem(f"{path} must hold one line of 1 to {MAX_BYTES} characters")
    return text
