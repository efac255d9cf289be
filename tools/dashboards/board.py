"""A board: its name, its variables, its links to the others, and its panels row by row."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import count
from typing import Any, Final

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as models

from tools.dashboards.parts import DATA_SOURCE
from tools.dashboards.queries import series

TAG: Final = "orchestrator"
WIDTH: Final = 24
"""How many columns a row of panels has."""

PanelBuilder = Any
"""A builder of the SDK: each kind of panel has a class of its own, without a common one that can place itself."""


class Board:
    """Collects the panels of one dashboard; ids are numbered in their order, so that the JSON is always the same."""

    def __init__(
        self,
        uid: str,
        title: str,
        description: str,
        variables: Sequence[Builder[models.VariableModel]] = (),
        of: str = "orchestrator_info",
    ) -> None:
        """To choose from are the sites that the metric `of` has."""
        self.uid = uid
        self._ids = count(1)
        self._builder = (
            builders.Dashboard(title)
            .uid(uid)
            .description(description)
            .tags([TAG])
            .timezone("browser")
            .time("now-1h", "now")
            .refresh("10s")
            .tooltip(models.DashboardCursorSync.CROSSHAIR)
            .link(_link_to_the_others())
            .variables([*_plant_variables(of), *variables])
        )

    def row(self, title: str, *panels: tuple[PanelBuilder, int], height: int = 8, repeat: str | None = None) -> None:
        """A row of panels, each with its width; they fill lines of 24 columns. `repeat` names a variable."""
        row = builders.Row(title).id(next(self._ids))
        if repeat is not None:
            row.repeat(repeat)
        self._builder.with_row(row)
        for panel, width in panels:
            self._builder.with_panel(panel.id(next(self._ids)).height(height).span(width))

    def json(self) -> str:
        """The dashboard as Grafana reads it."""
        return json.dumps(self._builder.build(), cls=JSONEncoder, indent=1, sort_keys=True) + "\n"


def variable(name: str, label: str, query: str, *, many: bool = False, hidden: bool = False) -> builders.QueryVariable:
    """A variable whose values are the answer to `query`, in alphabetical order. `many`: several, or all of them."""
    built = (
        builders.QueryVariable(name)
        .label(label)
        .query(query)
        .datasource(DATA_SOURCE)
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.NATURAL_ASC)
    )
    if many:
        everything = models.VariableOption(selected=True, text=["All"], value=["$__all"])
        built.multi(True).include_all(True).current(everything)
    return built.hide(models.VariableHide.HIDE_VARIABLE) if hidden else built


def all_values(metric: str, label: str) -> str:
    """The query of a variable: every value that `label` has in a metric of the plant."""
    return f"label_values({series(metric)}, {label})"


def _plant_variables(of: str) -> list[builders.QueryVariable]:
    """One Prometheus may hold many plants. People choose by the name of the site, which every series has."""
    return [variable("site", "Site", f"label_values({of}, site)")]


def _link_to_the_others() -> builders.DashboardLink:
    link = builders.DashboardLink("Boards of this plant").type(models.DashboardLinkType.DASHBOARDS).tags([TAG])
    return link.as_dropdown(False).include_vars(True).keep_time(True)
