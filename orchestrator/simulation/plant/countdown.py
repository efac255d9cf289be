"""Revert timers: what a device counts down while nobody refreshes it."""

from __future__ import annotations


class Countdown:
    """Seconds until something reverts by itself. Time is handed in; it starts stopped."""

    def __init__(self) -> None:
        self.left_s: float | None = None
        self._whole_s = 0.0

    def start(self, seconds: float) -> None:
        """Start counting down from `seconds`; 0 means never, so the timer stops."""
        self._whole_s = seconds
        self.left_s = seconds if seconds > 0 else None

    def restart(self) -> None:
        """Start again from the same time. A stopped timer stays stopped."""
        if self.left_s is not None:
            self.left_s = self._whole_s

    def stop(self) -> None:
        """Nothing will revert."""
        self.left_s = None

    def advance(self, dt_s: float) -> bool:
        """Let `dt_s` pass. True exactly once, when the time is over."""
        if self.left_s is None:
            return False
        self.left_s -= dt_s
        if self.left_s > 0:
            return False
        self.left_s = None
        return True
