"""Waits between attempts at a device that does not answer."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits between attempts: `first_s`, doubled by each failure up to `longest_s`, forgotten by a success."""

    first_s: float
    longest_s: float
    failures: int = 0
    retry_at_s: float = 0.0

    def failed(self, now_s: float, began_s: float | None = None) -> Backoff:
        """After one more failure at `now_s`, of an attempt that `began_s` (None: it took no time).

        The wait is that from one attempt to the next: one that waited in vain for an answer has waited already. It
        rests for `first_s` all the same.
        """
        # The exponent is bounded because a device may stay away for months.
        wait_s = min(self.longest_s, self.first_s * 2.0 ** min(self.failures, 32))
        next_s = (now_s if began_s is None else began_s) + wait_s
        return replace(self, failures=self.failures + 1, retry_at_s=max(next_s, now_s + self.first_s))

    def succeeded(self) -> Backoff:
        """After a success: as new."""
        return Backoff(self.first_s, self.longest_s) if self.failures else self

    def is_over(self, now_s: float) -> bool:
        """Whether the next attempt may be made at `now_s`."""
        return self.failures == 0 or now_s >= self.retry_at_s
