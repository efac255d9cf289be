"""Whether the meter is silent: the one definition, for who freezes a snapshot and for who decides on it.

How long it may say nothing follows from site.yaml alone (`config.policy.meter_silent_after_s`).
"""

from __future__ import annotations

from orchestrator.config.policy import SILENT_AFTER_MOST_S, meter_silent_after_s
from orchestrator.config.sections import SiteConfig
from orchestrator.samples import MeterSample


def is_too_old(config: SiteConfig, meter: MeterSample, now_s: float) -> bool:
    """Whether the meter answered so long ago that it counts as silent."""
    return now_s - meter.at_s > meter_silent_after_s(config)


def is_silent(config: SiteConfig, meter: MeterSample | None, started_at_s: float, now_s: float) -> bool:
    """Whether the site has no meter to decide by.

    Without any answer (None) a meter may take 5 s at most from `started_at_s` on, however seldom it is read: the first
    reading is at once.
    """
    if meter is not None:
        return is_too_old(config, meter, now_s)
    return now_s - started_at_s > min(meter_silent_after_s(config), SILENT_AFTER_MOST_S)
