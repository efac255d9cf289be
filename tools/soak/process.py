"""What a process holds, from /proc, and whether that stays flat."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

SETTLES_S: Final = 20.0
"""A process that just started still loads its code and finds its devices: it is not judged by that."""

MOST_MORE_KIB: Final = 6 * 1024
MOST_MORE_PART: Final = 0.08
"""So much more memory, the larger of both, at the end of a long life than at its beginning is flat still."""

MOST_MORE_HANDLES: Final = 3
"""Threads, files and sockets come and go with a connection that is being made."""

ENOUGH: Final = 8
"""With fewer samples of one life nothing is said."""


@dataclass(frozen=True)
class Sample:
    """One look at the process `pid`, `age_s` after its start."""

    pid: int
    age_s: float
    memory_kib: int
    threads: int
    files: int
    sockets: int

    def __str__(self) -> str:
        held = f"{self.threads} threads, {self.files} files, {self.sockets} sockets"
        return f"pid {self.pid}, {self.age_s:.0f} s old: {self.memory_kib / 1024:.1f} MiB, {held}"


def look(pid: int, age_s: float) -> Sample:
    """What it holds now. Raises OSError where it is gone."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines())
    targets = [_target(path) for path in Path(f"/proc/{pid}/fd").iterdir()]
    sockets = sum(target.startswith("socket:") for target in targets)
    memory_kib, threads = int(status["VmRSS"].split()[0]), int(status["Threads"])
    return Sample(pid, age_s, memory_kib, threads, len(targets) - sockets, sockets)


def verdict(samples: Sequence[Sample]) -> list[str]:
    """What grew in the longest life of a process: its first settled quarter against its last one, by their medians."""
    by_pid = {each.pid: [s for s in samples if s.pid == each.pid and s.age_s >= SETTLES_S] for each in samples}
    life = max(by_pid.values(), key=len, default=[])
    if len(life) < ENOUGH:
        return []
    first, last = life[: len(life) // 4], life[-(len(life) // 4) :]
    memory_kib = median(s.memory_kib for s in first)
    allowed = {"memory_kib": max(MOST_MORE_KIB, MOST_MORE_PART * memory_kib)}
    grown = []
    for name in ("memory_kib", "threads", "files", "sockets"):
        before, after = (median(getattr(each, name) for each in part) for part in (first, last))
        if after - before > allowed.get(name, MOST_MORE_HANDLES):
            grown.append(f"{name} grew from {before:.0f} to {after:.0f} in {life[-1].age_s:.0f} s")
    return grown


def _target(path: Path) -> str:
    try:
        return os.readlink(path)
    except OSError:  # closed meanwhile
        return ""
