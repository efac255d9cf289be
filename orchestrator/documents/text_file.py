"""The text of a YAML file, or an error that says why there is none."""

from __future__ import annotations

from pathlib import Path

from orchestrator.documents.yaml_text import Mark
from orchestrator.errors import ConfigError, ConfigProblem

MAX_BYTES = 1_000_000
START = Mark(1, 1)
"""Where a mistake of the whole file stands."""


def read_text(path: Path, what: str) -> str:
    """The text at `path`, without the byte order mark; `what` it should be, such as `site.yaml`.

    Raises ConfigError where it cannot be read, is larger than MAX_BYTES or is not UTF-8.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise file_error(str(path), "there is no such file") from None
    except IsADirectoryError:
        raise file_error(str(path), f"this is a directory; name the {what} in it") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise file_error(str(path), f"the file cannot be read: {reason}") from None
    if len(content) > MAX_BYTES:
        raise file_error(str(path), f"the file is larger than {MAX_BYTES} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        mark = Mark(before.count(b"\n") + 1, len(before) - before.rfind(b"\n"))
        raise file_error(str(path), "the file is not UTF-8 text; save it as UTF-8", mark) from None


def file_error(file: str, message: str, mark: Mark = START) -> ConfigError:
    """The one mistake of a file as a whole."""
    return ConfigError(file, (ConfigProblem(mark.line, mark.column, "", message),))
