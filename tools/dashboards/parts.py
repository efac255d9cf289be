"""The few kinds of panels that the boards are made of, on top of Grafana's own builders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.builders import prometheus, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.models import common, units
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from tools.dashboards.queries import Query

DATA_SOURCE: Final = models.DataSourceRef(type_val="prometheus", uid="prometheus")
LEGEND_CALCS: Final = ["lastNotNull", "mean", "max"]
WATTS: Final = units.Watt
WATT_HOURS: Final = units.WattHour
SECONDS: Final = units.Seconds
PART: Final = units.PercentUnit
COUNT: Final = units.Short
PER_SECOND: Final = units.OpsPerSecond

Steps = Sequence[tuple[float | None, str]]
"""Thresholds: from which value on (None: from the bottom) which colour holds."""

PLAIN: Final[Steps] = ((None, "text"),)
GOOD_AT_ZERO: Final[Steps] = ((None, "green"), (1e-9, "red"))
GOOD_AT_ONE: Final[Steps] = ((None, "red"), (1, "green"))
SOC: Final[Steps] = ((None, "red"), (0.1, "orange"), (0.3, "yellow"), (0.6, "green"))
LATENCY: Final[Steps] = ((None, "green"), (0.3, "yellow"), (1, "red"))


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its query, its unit, and how its cells look. `gauge` draws a bar from `low` to `high`."""

    query: Query
    unit: str = COUNT
    steps: Steps = PLAIN
    decimals: int | None = None
    gauge: tuple[float, float] | None = None
    words: Mapping[str, str] | None = None


def thresholds(steps: Steps) -> builders.ThresholdsConfig:
    """Colours by value."""
    return (
        builders.ThresholdsConfig()
        .mode(models.ThresholdsMode.ABSOLUTE)
        .steps([models.Threshold(value=value, color=color) for value, color in steps])
    )


def words(texts: Mapping[str, str]) -> list[Any]:
    """Words that are shown instead of values."""
    options = {value: models.ValueMappingResult(text=text) for value, text in texts.items()}
    return [models.ValueMap(options=options)]


def stat_panel(title: str, description: str, queries: Sequence[Query], unit: str, steps: Steps = PLAIN) -> stat.Panel:
    """Large numbers: the newest value of each query."""
    panel = (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(DATA_SOURCE)
        .unit(unit)
        .thresholds(thresholds(steps))
        .color_scheme(builders.FieldColor().mode(models.FieldColorModeId.THRESHOLDS))
        .color_mode(common.BigValueColorMode.VALUE)
        .graph_mode(common.BigValueGraphMode.NONE)
        .reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"]))
    )
    for ref_id, query in zip(_REF_IDS, queries, strict=False):
        panel.with_target(_target(ref_id, query).instant())
    return panel


def graph(title: str, description: str, queries: Sequence[Query], unit: str, steps: Steps = PLAIN) -> timeseries.Panel:
    """Lines over time, with a legend that tells last, mean and highest values."""
    legend = common_builders.VizLegendOptions()
    legend.show_legend(True).display_mode(common.LegendDisplayMode.TABLE).calcs(LEGEND_CALCS)
    tooltip = common_builders.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI)
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(DATA_SOURCE)
        .unit(unit)
        .thresholds(thresholds(steps))
        .legend(legend.placement(common.LegendPlacement.BOTTOM))
        .tooltip(tooltip.sort(common.SortOrder.DESCENDING))
        .line_width(1)
        .fill_opacity(8)
        .show_points(common.VisibilityMode.NEVER)
    )
    if steps is not PLAIN:
        line = common_builders.GraphThresholdsStyleConfig().mode(common.GraphThresholdsStyleMode.DASHED)
        panel.thresholds_style(line)
    for ref_id, query in zip(_REF_IDS, queries, strict=False):
        panel.with_target(_target(ref_id, query).range())
    return panel


def states(title: str, description: str, query: Query, texts: Mapping[str, str]) -> statetimeline.Panel:
    """One bar for each series, drawn while it is there."""
    return (
        statetimeline.Panel()
        .title(title)
        .description(description)
        .datasource(DATA_SOURCE)
        .unit(COUNT)
        .thresholds(thresholds(((None, "semi-dark-blue"),)))
        .color_scheme(builders.FieldColor().mode(models.FieldColorModeId.THRESHOLDS))
        .mappings(words(texts))
        .legend(common_builders.VizLegendOptions().show_legend(False).display_mode(common.LegendDisplayMode.HIDDEN))
        .show_value(common.VisibilityMode.NEVER)
        .with_target(_target("A", query).range())
    )


def rows_panel(
    title: str, description: str, keys: Mapping[str, str], columns: Sequence[Column], link: str | None = None
) -> table.Panel:
    """A table with one row for each combination of the labels `keys` (label: heading). `link` opens from the first."""
    panel = (
        table.Panel()
        .title(title)
        .description(description)
        .datasource(DATA_SOURCE)
        .unit(COUNT)
        .thresholds(thresholds(PLAIN))
        .cell_height(common.TableCellHeight.SM)
        .filterable(True)
        .with_transformation(models.DataTransformerConfig(id_val="merge", options={}))
        .with_transformation(_arranged(keys, columns))
    )
    for ref_id, column in zip(_REF_IDS, columns, strict=False):
        panel.with_target(_target(ref_id, column.query).instant().format(PromQueryFormat.TABLE))
        panel.override_by_name(column.query.legend, _look(column))
    if link is not None:
        first = next(iter(keys.values()))
        panel.override_by_name(first, [_value("links", [{"title": "Open ${__value.text}", "url": link}])])
    return panel


_REF_IDS: Final = "ABCDEFGHIJKLMNOP"


def _target(ref_id: str, query: Query) -> prometheus.Dataquery:
    target = prometheus.Dataquery().ref_id(ref_id).datasource(DATA_SOURCE)
    return target.expr(query.expr).legend_format(query.legend)


def _arranged(keys: Mapping[str, str], columns: Sequence[Column]) -> models.DataTransformerConfig:
    """Keys first, then the columns in their order. Queries of a table are sums by the keys: no other label is there."""
    values = (
        [f"Value #{ref_id}" for ref_id, _ in zip(_REF_IDS, columns, strict=False)] if len(columns) > 1 else ["Value"]
    )
    headings = dict(zip(values, (column.query.legend for column in columns), strict=True))
    options = {
        "excludeByName": {"Time": True},
        "indexByName": {name: index for index, name in enumerate((*keys, *values))},
        "renameByName": {**keys, **headings},
    }
    return models.DataTransformerConfig(id_val="organize", options=options)


def _look(column: Column) -> list[models.DynamicConfigValue]:
    look = [_value("unit", column.unit), _value("thresholds", thresholds(column.steps).build())]
    if column.decimals is not None:
        look.append(_value("decimals", column.decimals))
    if column.words is not None:
        look.append(_value("mappings", words(column.words)))
    if column.gauge is not None:
        low, high = column.gauge
        cell = {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"}
        look += [_value("custom.cellOptions", cell), _value("min", low), _value("max", high)]
    elif column.steps is not PLAIN:
        look.append(_value("custom.cellOptions", {"type": "color-text"}))
    return look


def _value(name: str, value: object) -> models.DynamicConfigValue:
    return models.DynamicConfigValue(id_val=name, value=value)
