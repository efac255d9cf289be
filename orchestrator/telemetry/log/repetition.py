"""Says a thing once, and then how often it came again: a fault that repeats must not bury the log."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

WINDOW_S: Final = 60.0
MAX_KEYS: Final = 500
_NUMBER: Final = re.compile(r"(?<![\w.:-])-?\d+(?:\.\d+)?(?![\w:]|\.\d)")


@dataclass(frozen=True, slots=True)
class Summary:
    """The same thing was said `count` times more within `seconds`."""

    key: Hashable
    count: int
    seconds: float


@dataclass(slots=True)
class _Window:
    began_s: float
    count: int = 0


class Repeats:
    """Remembers what was said within the last `WINDOW_S`. Times are monotonic seconds; not for several threads."""

    def __init__(self) -> None:
        self._windows: OrderedDict[Hashable, _Window] = OrderedDict()
        """The oldest window first: with a thousand sites nobody can look through all of them for each line."""

    def is_new(self, key: Hashable, now_s: float) -> bool:
        """Whether `key` is to be said now; otherwise it is counted. Ask for `due` before."""
        window = self._windows.get(key)
        if window is not None:
            window.count += 1
            return False
        self._windows[key] = _Window(now_s)
        if len(self._windows) > MAX_KEYS:
            self._windows.popitem(last=False)
        return True

    def due(self, now_s: float) -> tuple[Summary, ...]:
        """What came again in windows that have ended. What goes on repeating stays quiet for the next window too."""
        return self._end(now_s, WINDOW_S)

    def rest(self, now_s: float) -> tuple[Summary, ...]:
        """What came again and was not told yet: for the end."""
        return self._end(now_s, 0.0)

    def _end(self, now_s: float, after_s: float) -> tuple[Summary, ...]:
        ended = list(takewhile(lambda each: now_s - each[1].began_s >= after_s, self._windows.items()))
        summaries = []
        for key, window in ended:
            del self._windows[key]
            if window.count:
                summaries.append(Summary(key, window.count, now_s - window.began_s))
                self._windows[key] = _Window(now_s)
        return tuple(summaries)


def likeness(text: str) -> str:
    """`text` without its numbers: two messages that differ only in a measured value are the same. Names stay."""
    return _NUMBER.sub("#", text)
