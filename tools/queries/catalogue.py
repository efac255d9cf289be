"""Every query of deploy/: those of the panels as Grafana would send them, and those of the rules."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

import yaml

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
BOARDS: Final = DEPLOY / "grafana/dashboards"
RULES: Final = DEPLOY / "prometheus/rules"

Kind = Literal["panel", "variable", "recording rule", "alert"]
Span = Literal["instant", "range"]

PORTFOLIO_BOARD: Final = "Orchestrator: Fleet"
PORTFOLIO_METRIC: Final = "orchestrator_portfolio_sites"

_SELECTOR: Final = re.compile(r"\b(?:orchestrator[_:][\w:]+|up)\b(?:\{[^}]*\})?")
_LABEL_VALUES: Final = re.compile(r"label_values\((?P<selector>.+), *\w+\)")


@dataclass(frozen=True, slots=True)
class Asked:
    """One query: `where` it stands (board / panel / legend, or the name of the rule), and its PromQL."""

    kind: Kind
    where: str
    expr: str
    span: Span = "instant"

    @property
    def is_alert(self) -> bool:
        """Whether no answer is the good answer."""
        return self.kind == "alert"

    @property
    def is_of_a_portfolio(self) -> bool:
        """Whether only a portfolio can answer: it is on its board, or asks for what only a portfolio has."""
        return self.where.startswith(PORTFOLIO_BOARD) or PORTFOLIO_METRIC in self.expr

    def filled_in(self, values: Mapping[str, str]) -> Asked:
        """With the variables of Grafana replaced, longest name first: `$inverter` is not `$in`."""
        expr = self.expr
        for name in sorted(values, key=len, reverse=True):
            expr = expr.replace(f"${name}", values[name])
        return replace(self, expr=expr)

    def selectors(self) -> tuple[str, ...]:
        """The metrics that an expression looks at, each with its label matchers but without its comparisons."""
        return tuple(dict.fromkeys(_SELECTOR.findall(self.expr)))


def all_queries(*, of_portfolio: bool = False) -> tuple[Asked, ...]:
    """Boards first, in the order of their panels; then recording rules; then alerts.

    Those that only a portfolio can answer are left out where it is none.
    """
    found = (*panel_queries(), *variable_queries(), *rule_queries())
    return tuple(each for each in found if of_portfolio or not each.is_of_a_portfolio)


def boards() -> tuple[dict[str, Any], ...]:
    """The dashboards as they are committed."""
    return tuple(json.loads(path.read_text()) for path in sorted(BOARDS.glob("*.json")))


def panels(board: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The panels of a board that show something, those of folded rows too."""
    for panel in board["panels"]:
        if panel["type"] == "row":
            yield from panel["panels"]
        else:
            yield panel


def panel_queries() -> Iterator[Asked]:
    """The queries of all panels."""
    for board in boards():
        for panel in panels(board):
            for target in panel["targets"]:
                where = f"{board['title']} / {panel['title']} / {target['legendFormat']}"
                yield Asked("panel", where, target["expr"], "instant" if target["instant"] else "range")


def variable_queries() -> Iterator[Asked]:
    """What the variables of the boards choose from, each once."""
    for board in boards():
        for variable in board["templating"]["list"]:
            found = _LABEL_VALUES.fullmatch(variable["query"])
            assert found is not None, variable["query"]
            yield Asked("variable", f"{board['title']} / ${variable['name']}", found["selector"])


def rules() -> Iterator[dict[str, Any]]:
    """The rules as they are committed."""
    for path in sorted(RULES.glob("*.yml")):
        for group in yaml.safe_load(path.read_text())["groups"]:
            yield from group["rules"]


def rule_queries() -> Iterator[Asked]:
    """The expressions of all rules, those that record first."""
    found = list(rules())
    for rule in (rule for rule in found if "record" in rule):
        labels = " ".join(f"{key}={value}" for key, value in rule.get("labels", {}).items())
        yield Asked("recording rule", f"{rule['record']} {labels}".strip(), rule["expr"])
    for rule in (rule for rule in found if "alert" in rule):
        yield Asked("alert", rule["alert"], rule["expr"])
