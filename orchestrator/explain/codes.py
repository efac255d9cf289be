"""What follows from the codes of a reason without a look at its words: their path, what it means, whether it passes."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.explain.words import ROWS
from orchestrator.reason import Reason


def code_path(reason: Reason) -> str:
    """Its code, and behind slashes those of what it is because of: `charge/at_power_limit/rate_of_battery`."""
    codes = []
    each: Reason | None = reason
    while each is not None:
        codes.append(each.code)
        row = ROWS.get(each.code)
        each = _cause(each, row.cause) if row else None
    return "/".join(codes)


def code_paths(reasons: Iterable[Reason]) -> tuple[str, ...]:
    """The path of each."""
    return tuple(map(code_path, reasons))


def meaning(path: str) -> str:
    """What a path of codes means to somebody who has not read the docs; "" where no code of it is known.

    What passes tells more than what lasts: it is why things are not yet as they will be.
    """
    rows = [ROWS[code] for code in path.split("/") if code in ROWS]
    telling = [row for row in rows if not row.cause_means] or rows
    first = next((row for row in telling if row.passes), telling[0] if telling else None)
    return first.meaning if first else ""


def passes(reason: Reason) -> bool:
    """Whether it is true for a moment only, or said of the site already."""
    row = ROWS.get(reason.code)
    return row is not None and row.passes


def beside_its_command(reason: Reason) -> Reason:
    """What is left to say where the command stands right beside it: `charge 2000 W: share by capacity` is asked."""
    row = ROWS.get(reason.code)
    return (row is not None and row.repeats and _cause(reason, row.cause)) or reason


def _cause(reason: Reason, name: str) -> Reason | None:
    """What it is because of; of several the first."""
    fact = reason.values.get(name)
    return fact[0] if isinstance(fact, tuple) and fact else reason.cause(name)
