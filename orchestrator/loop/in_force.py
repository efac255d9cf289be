"""Whether a change of the operating envelope takes something away: then it is obeyed at once."""

from __future__ import annotations

from orchestrator.setpoints.merge import HIGHEST_WINS, LOWEST_WINS, SetpointFields


def is_stricter(before: SetpointFields, after: SetpointFields) -> bool:
    """Whether `after` is narrower than `before` in at least one field. Wishes (priority, targets) are never strict."""
    lowered = any(_lowered(getattr(before, name), getattr(after, name)) for name in LOWEST_WINS)
    return lowered or any(_raised(getattr(before, name), getattr(after, name)) for name in HIGHEST_WINS)


def _lowered(before: float | None, after: float | None) -> bool:
    """None asks for nothing: anything that asks is narrower."""
    return after is not None and (before is None or after < before)


def _raised(before: float | None, after: float | None) -> bool:
    return after is not None and (before is None or after > before)
