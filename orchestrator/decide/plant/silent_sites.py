"""What sites of a portfolio may do that do not answer, where its meter is the sum of theirs: nobody sees it then.

A silent site is missing in the sum as a whole, its load as well. So where export is limited the worst that it may
export is counted as if the meter showed it, and where import is, the worst that it may import is taken from the limit
of the others. As long as its last command may hold, the worst is what that command allows; from when it may have ended,
it is what the site does by itself; in between both count.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import fsum, inf
from typing import Final

from msgspec import Struct

from orchestrator.config.sections import SiteConfig, SumMeterConfig
from orchestrator.decide.memory import InverterMemory
from orchestrator.samples import InverterSample, SiteBounds, SiteSnapshot
from orchestrator.setpoints.fields import SetpointFields

SURELY_PART = 0.5
"""A command is renewed after 0.4 of its validity: so long after its last word a site still has its last command."""
SURELY_OVER_PART = 1.25
"""It was sent an interval or two after that word at the latest, so by now it has ended."""


class Unseen(Struct, frozen=True):
    """What silent sites may do at worst, in W >= 0: `export_watts` counts where export is limited, else it is 0.

    `battery_watts` (charging +) is what their batteries go on doing as they were told.
    """

    export_watts: float = 0.0
    import_watts: float = 0.0
    battery_watts: float = 0.0

    def left_of(self, wanted: SetpointFields) -> SetpointFields:
        """What is asked for, with the import limit less what they may import, and the target less what they do of it.

        Their export is counted as if the meter saw it (`export_watts`), so it is taken off here once more.
        """
        limit, target = wanted.import_limit_watts, wanted.battery_target_watts
        return replace(
            wanted,
            import_limit_watts=None if limit is None else max(limit - self.import_watts - self.export_watts, 0.0),
            battery_target_watts=None if target is None else target - self.battery_watts,
        )


NOTHING_UNSEEN: Final = Unseen()


def unseen(
    config: SiteConfig,
    memories: Mapping[str, InverterMemory],
    snapshot: SiteSnapshot,
    wanted: SetpointFields,
    now_s: float,
) -> Unseen:
    """What sites that are away may do beside the sum; nothing where the meter is one of its own.

    Of a site that was never heard only `ac_max_watts` of site.yaml is known.
    """
    if not snapshot.away or not isinstance(config.meter, SumMeterConfig):
        return NOTHING_UNSEEN
    exported, imported = 0.0, 0.0
    if wanted.export_limit_watts is not None:
        exported = fsum([_never_heard_watts(config, snapshot), *_worst(config, memories, snapshot, now_s, _exports)])
    if wanted.import_limit_watts is not None:
        imported = fsum(_worst(config, memories, snapshot, now_s, _imports))
    sure_s = SURELY_PART * config.control.revert_s
    still = [each.battery.watts or 0.0 for each in snapshot.last_heard if each.battery and now_s - each.at_s <= sure_s]
    return Unseen(exported, imported, fsum(still))


Worst = Callable[[InverterSample, SiteBounds, float | None, bool], float]
"""The most that a site may export, or import: its last word, its own limits, the AC limit of its last command (None:
there was none), and whether that holds."""


def _worst(
    config: SiteConfig, memories: Mapping[str, InverterMemory], snapshot: SiteSnapshot, now_s: float, worst: Worst
) -> list[float]:
    found = []
    for sample in snapshot.last_heard:
        memory = memories.get(sample.name)
        commanded = None if memory is None or not config.control.enabled else memory.limit.watts
        age_s, bounds = now_s - sample.at_s, sample.site or SiteBounds(0.0)
        cases = []
        if age_s <= SURELY_OVER_PART * config.control.revert_s:
            cases.append(worst(sample, bounds, commanded, True))
        if age_s > SURELY_PART * config.control.revert_s:
            cases.append(worst(sample, bounds, commanded, False))
        found.append(max(cases))
    return found


def _exports(sample: InverterSample, bounds: SiteBounds, commanded_watts: float | None, holds: bool) -> float:
    """All that its AC limit and its own export limit allow, at no load. The last command may have come to it or not."""
    own = bounds.export_limit_watts if holds else bounds.export_limit_after_watts
    limit = inf
    if holds and commanded_watts is not None and sample.ac_limit_watts is not None:
        limit = max(commanded_watts, sample.ac_limit_watts)
    rating = sample.nameplate.ac_max_watts or max(sample.ac_watts or 0.0, -bounds.site_watts, 0.0)
    return min(limit, rating, inf if own is None else own)


def _imports(sample: InverterSample, bounds: SiteBounds, _commanded_watts: float | None, holds: bool) -> float:
    """What it imported, without its PV and with its batteries charging from the grid as far as it may."""
    own = bounds.import_limit_watts if holds else bounds.import_limit_after_watts
    battery = sample.battery
    more = max(sample.pv_watts or 0.0, 0.0)
    if battery is not None and battery.grid_charging_allowed:
        more += max((battery.charge_max_watts or 0.0) - (battery.watts or 0.0), 0.0)
    return min(max(bounds.site_watts + more, 0.0), inf if own is None else own)


def _never_heard_watts(config: SiteConfig, snapshot: SiteSnapshot) -> float:
    heard = {sample.name for sample in snapshot.last_heard}
    silent = [each for each in config.inverters if each.name in snapshot.away and each.name not in heard]
    return fsum(each.ac_max_watts or 0.0 for each in silent)
