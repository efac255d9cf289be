"""Small files that outlive a kill: one JSON file per inverter, below `control.state_dir`."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from actors.files.whole_file import replace_file
from orchestrator.devices.as_found import Found, from_json, to_json
from orchestrator.devices.flash_budget import FlashUse, flash_use_from_json, flash_use_to_json

log = logging.getLogger(__name__)

LONGEST_S: Final = 0.5
"""A limit is not written later than this because the disk hangs."""


class StateStore:
    """Keeps what was found at each inverter. The directory is made by the first `save`, not before.

    A file is replaced as a whole (written beside, synced, renamed), so that a kill leaves the old or the new one.
    Each name is used by one actor only.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory / "inverters"

    def load(self, name: str) -> Found:
        """What was kept of inverter `name`. A missing file is nothing found; so is a broken one, which is logged."""
        path = self._path(name)
        try:
            return from_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return Found()
        except (OSError, ValueError) as trouble:
            log.warning("%s is not usable (%s): starting as if nothing had been found", path, trouble)
            return Found()

    def save(self, name: str, found: Found) -> None:
        """Keep `found`; an empty record removes the file. Raises OSError when it cannot be written."""
        if found.is_empty:
            self._path(name).unlink(missing_ok=True)
        else:
            replace_file(self._path(name), to_json(found))

    def load_flash_use(self, name: str) -> FlashUse:
        """How often inverter `name` had its flash written lately; nothing where that is not known."""
        try:
            return flash_use_from_json(self._flash_path(name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return FlashUse()
        except (OSError, ValueError) as trouble:
            log.warning("%s is not usable (%s): counting writes to flash anew", self._flash_path(name), trouble)
            return FlashUse()

    def save_flash_use(self, name: str, use: FlashUse) -> None:
        """Keep `use`. Raises OSError when it cannot be written."""
        replace_file(self._flash_path(name), flash_use_to_json(use))

    def _path(self, name: str) -> Path:
        return self._directory / f"{name}.json"

    def _flash_path(self, name: str) -> Path:
        return self._directory / f"{name}.flash.json"


class HurriedStore(StateStore):
    """The same for a plant that runs: a disk that hangs costs `longest_s`, once, and then nothing.

    What cannot be kept in time counts as not kept (OSError), while the disk may still take it; as long as it has not,
    nothing else is given to it.
    """

    def __init__(self, directory: Path, longest_s: float = LONGEST_S) -> None:
        super().__init__(directory)
        self._longest_s = longest_s
        self._under_way: dict[str, threading.Event] = {}

    def save(self, name: str, found: Found) -> None:
        """See `StateStore`."""
        self._hurry(name, partial(super().save, name, found))

    def save_flash_use(self, name: str, use: FlashUse) -> None:
        """See `StateStore`."""
        self._hurry(name, partial(super().save_flash_use, name, use))

    def _hurry(self, name: str, work: Callable[[], None]) -> None:
        former = self._under_way.get(name)
        if former is not None and not former.is_set():
            raise OSError(f"the disk of {self._directory} has not answered yet")
        done, trouble = threading.Event(), list[Exception]()
        self._under_way[name] = done
        threading.Thread(target=_carry_out, args=(work, done, trouble), name=f"keep {name}", daemon=True).start()
        if not done.wait(self._longest_s):
            raise OSError(f"the disk of {self._directory} does not answer within {self._longest_s:g} s")
        if trouble:
            raise trouble[0]


def _carry_out(work: Callable[[], None], done: threading.Event, trouble: list[Exception]) -> None:
    try:
        work()
    except Exception as problem:  # whoever waits raises it
        trouble.append(problem)
    finally:
        done.set()
