"""When a meter counts as silent."""

from __future__ import annotations

from orchestrator.config.sections import SiteConfig
from orchestrator.samples import MeterSample

SILENT_AFTER_PERIODS = 3

SILENT_AFTER_MOST_S = 5.0

METER_SILENT_PERIODS = 3

METER_SILENT_MAX_S = 5.0


def meter_silent_after_s(interval_s: float, sample_window_s: float) -> float:
    """The age at which a meter sample counts as silence: three periods, at most 5 s, never above the sample window."""
    return min(METER_SILENT_PERIODS * interval_s, METER_SILENT_MAX_S, sample_window_s)


def is_silent(config: SiteConfig, meter: MeterSample | None, started_at_s: float, now_s: float) -> bool:
    """Whether the meter has not answered for 3 periods (at most 5 s)."""
    period_s = max(config.control.interval_s, config.meter.interval_s)
    allowed_s = min(SILENT_AFTER_PERIODS * period_s, SILENT_AFTER_MOST_S)
    return now_s - (started_at_s if meter is None else meter.at_s) > allowed_s
