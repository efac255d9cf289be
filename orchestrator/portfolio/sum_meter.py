"""`driver: sum`: one picture of all sites of a portfolio, and what their meters say together.

The sum and the sites are taken from the same picture. What a site says of its meter and of its inverters is of one
moment, so the load that follows from the sum is the sum of their loads, however far apart the sites spoke.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import fsum

from msgspec import Struct, field

from orchestrator.devices.mqtt.messages import SiteSample
from orchestrator.reason import Reason, because
from orchestrator.samples import MeterSample


class Picture(Struct, frozen=True):
    """The sites that spoke in time and whose meters do, and the sum of these; None where there is no such site."""

    sites: Mapping[str, SiteSample] = field(default_factory=dict)
    meter: MeterSample | None = None


def picture(heard: Mapping[str, SiteSample], before: MeterSample | None, now_s: float, max_age_s: float) -> Picture:
    """What is known at `now_s` of the sites, by the newest word of each. `before` is the sum that was told last.

    The sum is as old as the oldest word in it. A site that is silent, or whose own meter is, is left out as a whole.
    """
    sites = {
        name: each for name, each in heard.items() if each.site_watts is not None and now_s - each.at_s <= max_age_s
    }
    if not sites:
        return Picture()
    watts = fsum(each.site_watts or 0.0 for each in sites.values())
    changed_at_s = now_s if before is None or before.site_watts != watts else before.changed_at_s
    oldest_s = min(each.at_s for each in sites.values())
    return Picture(sites, MeterSample(oldest_s, watts, changed_at_s))


def why_left_out(heard: SiteSample | None, now_s: float, max_age_s: float) -> Reason:
    """Why a site is not in the picture."""
    if heard is None:
        return because("site_not_heard")
    if now_s - heard.at_s > max_age_s:
        return because("site_silent_for", seconds=max_age_s)
    return because("meter_of_site_silent")
