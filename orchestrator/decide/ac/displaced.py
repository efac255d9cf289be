"""PV that is held back for the discharge of batteries: how much less to discharge, to find out.

Under a generation limit PV and batteries share one room. Where both do not fit under the AC limit of a hybrid, some
makes cut the discharge, others keep to the window of the battery and cut their own PV: it then discharges for nothing,
and no reading tells. So discharge is lowered by a step while the room stays: where there is PV, it fills the gap, and
the generation limit leaves so much less for batteries from then on. The steps are those of `curtailment`: they grow
with success, shrink with failure, and then wait for longer each time.
"""

from __future__ import annotations

from math import fsum

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.decide.ac.curtailment import SMALLEST_STEP_WATTS, judge
from orchestrator.decide.following import Disobeys
from orchestrator.decide.memory import Probe
from orchestrator.decide.plant.units import Plant, Unit

FILLED_PART = 0.3
"""A step that PV fills by this part has succeeded: all hybrids give less, and not each of them has PV to fill it with.
"""


class Displaced(Struct, frozen=True):
    """`watts` >= 0 are to be discharged less in this step, and given back to nobody; `probe` goes into the memory.

    `moved`: a step has begun, goes on or has just ended, so the battery target has to follow at once. `possible`: PV is
    perhaps held back for discharge.
    """

    watts: float
    probe: Probe
    moved: bool = False
    possible: bool = False


def displaced_pv(
    plant: Plant,
    probe: Probe,
    *,
    discharge_watts: float,
    leaves_watts: float | None,
    import_room_watts: float,
    now_s: float,
) -> Displaced:
    """How much less to discharge, to see whether PV fills the gap.

    All batteries are to discharge `discharge_watts` (>= 0), and `leaves_watts` is what PV leaves of the generation
    limit (None: there is none). No step is larger than `import_room_watts`, what may be imported on top.
    """
    pv_watts = fsum(max(u.ac_watts + min(u.battery_watts, 0.0), 0.0) for u in plant.units)
    tried = probe.step_watts > 0
    after = judge(probe, pv_watts, False, now_s, taken_part=FILLED_PART)
    held_back = any(u.throttled or may_displace(u) for u in plant.units)
    most_watts = min(max(-plant.battery_watts, 0.0), discharge_watts) if held_back else 0.0
    if leaves_watts is None or discharge_watts < leaves_watts - 1.0 or most_watts < SMALLEST_STEP_WATTS:
        return Displaced(0.0, replace(after, step_watts=0.0) if after.step_watts else after, tried)
    if after.step_watts <= 0 and now_s >= after.wait_until_s:
        step_watts = min(max(after.part * most_watts, SMALLEST_STEP_WATTS), most_watts)
        if step_watts <= import_room_watts:
            after = replace(after, step_watts=step_watts, base_watts=pv_watts, seen_watts=pv_watts, at_s=now_s)
    watts = max(after.base_watts + after.step_watts - pv_watts, 0.0) if after.step_watts else 0.0
    return Displaced(min(watts, discharge_watts), after, tried or after.step_watts > 0, possible=True)


def may_displace(unit: Unit) -> bool:
    """Whether it is a hybrid that stands at an AC limit below its rating, and discharges: PV may be behind it."""
    battery = unit.battery
    discharges = battery is not None and battery.watts <= -SMALLEST_STEP_WATTS
    return discharges and unit.stands_at_limit and Disobeys.STUBBORN not in unit.memory.following.states
