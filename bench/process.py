"""What this process costs at the moment."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path

_STATM = Path("/proc/self/statm")


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds of this process without its calling thread, and the time it was taken at (monotonic)."""

    at_s: float
    cpu_s: float


def cost_of_other_threads() -> Cost:
    """For the main thread, which draws progress while the actors work: its own CPU time is left out."""
    return Cost(time.monotonic(), time.process_time() - time.thread_time())


def threads() -> int:
    """How many threads this process has, the main thread included."""
    return threading.active_count()


def memory_mib() -> float | None:
    """Resident memory in MiB; None where the system does not tell in /proc."""
    try:
        pages = int(_STATM.read_text(encoding="ascii").split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
