"""The result of commissioning: as a table for the terminal, and as values for a page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from orchestrator.commissioning.verdicts import Check, Verdict

TEMPLATE: Final = "commission.html.j2"
_STYLES: Final = {
    Verdict.PASSED: "green",
    Verdict.UNSAFE: "bold red",
    Verdict.UNCLEAR: "yellow",
    Verdict.NOT_TRIED: "dim",
}
_CLASSES: Final = {Verdict.PASSED: "good", Verdict.UNSAFE: "bad"}


@dataclass(frozen=True, slots=True)
class CommissionReport:
    """Every check, in the order they were made. `interrupted`: it was ended before all of them."""

    site: str
    checks: tuple[Check, ...]
    interrupted: bool = False

    def count(self, verdict: Verdict) -> int:
        """How many checks came to this."""
        return sum(check.verdict is verdict for check in self.checks)

    @property
    def is_safe(self) -> bool:
        """Whether it was finished, and nothing unsafe was found."""
        return not self.interrupted and self.count(Verdict.UNSAFE) == 0


def table(report: CommissionReport) -> Table:
    """One row for each check."""
    drawn = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("inverter", "check", "result"):
        drawn.add_column(column, no_wrap=True)
    drawn.add_column("what was seen", overflow="fold")
    for check in report.checks:
        verdict = Text(check.verdict.value, style=_STYLES[check.verdict])
        drawn.add_row(check.inverter, Text(check.name), verdict, Text(check.text))
    return drawn


def summary(report: CommissionReport) -> str:
    """The result in one line."""
    counts = ", ".join(f"{report.count(verdict)} {verdict.value}" for verdict in Verdict if report.count(verdict))
    return f"{report.site}: {'interrupted; ' if report.interrupted else ''}{counts or 'nothing was checked'}"


def page_values(report: CommissionReport) -> dict[str, Any]:
    """What the page of TEMPLATE needs."""
    return {
        "site": report.site,
        "interrupted": report.interrupted,
        "counts": [(verdict.value, report.count(verdict), _CLASSES.get(verdict, "")) for verdict in Verdict],
        "inverters": [(name, [_row(check) for check in checks]) for name, checks in _by_inverter(report.checks)],
    }


def _row(check: Check) -> dict[str, str]:
    style = _CLASSES.get(check.verdict, "faint")
    return {"name": str(check.name), "verdict": check.verdict.value, "style": style, "text": check.text}


def _by_inverter(checks: Iterable[Check]) -> list[tuple[str, list[Check]]]:
    groups: dict[str, list[Check]] = {}
    for check in checks:
        groups.setdefault(check.inverter, []).append(check)
    return list(groups.items())
