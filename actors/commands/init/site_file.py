"""The site.yaml that is made: its checked text, whether there is one already, and how it is written."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Final

from actors.files.whole_file import replace_file
from orchestrator.commissioning.drafts.chosen_site import ChosenSite, site_text
from orchestrator.config.file import parse_config
from orchestrator.errors import OrchestratorError, UsageError
from orchestrator.reason import Reason, because
from orchestrator.reason.refusals import say_refusal

SERVICE_FOLDERS: Final = ("/etc/",)
SERVICE_STATE: Final = "/var/lib/orchestrator/state"
"""A service may not write below /etc: see deploy/README.md."""
MODE: Final = 0o644


class NotWritten(OrchestratorError):
    """The file cannot be written; `why` says it as a value."""

    def __init__(self, why: Reason) -> None:
        self.why = why
        super().__init__(say_refusal(why))


def checked_text(site: ChosenSite, file: Path, today: date) -> str:
    """The text of the file, which `check` accepts. Raises ConfigError."""
    text = site_text(site, day=today)
    parse_config(text, str(file), {})
    return text


def state_dir_for(file: Path) -> str:
    """Where a site with this file keeps what must outlive a restart."""
    return SERVICE_STATE if str(file.absolute()).startswith(SERVICE_FOLDERS) else "./state"


def require_folder(file: Path) -> None:
    """Raises UsageError where the folder of `file` does not exist."""
    if not file.absolute().parent.is_dir():
        raise UsageError(f"the folder {file.absolute().parent} does not exist")


def is_no_site_yet(file: Path) -> bool:
    """Whether it is not there, or has comments only, as the file of the Debian package before there is a site."""
    if not file.exists():
        return True
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return False
    return all(not line.strip() or line.lstrip().startswith("#") for line in lines)


def write_site(file: Path, text: str) -> Path | None:
    """Write it; where the old one was kept, None where there was none. Raises NotWritten."""
    kept = kept_as(file) if file.exists() else None
    try:
        if kept is not None:
            kept.write_bytes(file.read_bytes())
        replace_file(file, text)
        file.chmod(MODE)
    except OSError as trouble:
        raise NotWritten(
            because("file_not_written", file=str(file), trouble=trouble.strerror or str(trouble))
        ) from trouble
    return kept


def kept_as(file: Path) -> Path:
    """A name beside the file that is free."""
    number, kept = 1, file.with_name(f"{file.name}.old")
    while kept.exists():
        number += 1
        kept = file.with_name(f"{file.name}.old-{number}")
    return kept
