"""What was measured: one frozen record per device, and the snapshot of the site that one decision is made from.

Signs: `site_watts` import +; `ac_watts` into the site +; `pv_watts` never negative; battery `watts` charging +.
`None` always means unknown, never zero. Times (`at_s`) are seconds on the monotonic clock that is handed in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Final

from msgspec import Struct, field

from orchestrator.reason import Reason

METER: Final = "meter"
"""What the meter is called among the devices; no inverter has this name."""


PHASE_VOLTS_LEAST: Final = 50.0
PHASE_VOLTS_MOST: Final = 600.0
"""What a phase may have against the neutral, with room for every grid of low voltage (100 to 400 V) and its faults.
Anything else is no voltage: a register of something else, a phase that is not wired, or volts in another unit."""


CONVERTS_FROM_WATTS: Final = 300.0
"""Below this the ratio of AC to DC power says more of the inverter's own consumption than of its losses."""
CONVERTS_RANGE: Final = (0.8, 1.25)
"""Any other ratio is of readings that are not of one moment, or of DC power that is not all known."""


def seen_ac_part(ac_watts: float | None, dc_watts: float) -> float | None:
    """AC power for each watt at the DC side, as an inverter is seen to convert it, in either direction.

    Both with the same sign where power flows from one side to the other. None where that says nothing of its losses.
    """
    if ac_watts is None or abs(dc_watts) < CONVERTS_FROM_WATTS:
        return None
    part = ac_watts / dc_watts
    return part if CONVERTS_RANGE[0] <= part <= CONVERTS_RANGE[1] else None


class OperatingState(IntEnum):
    """SunSpec models 101 to 113, point St."""

    OFF = 1
    SLEEPING = 2
    STARTING = 3
    MPPT = 4
    THROTTLED = 5
    SHUTTING_DOWN = 6
    FAULT = 7
    STANDBY = 8


class ChargeState(IntEnum):
    """SunSpec models 124 and 802, point ChaSt."""

    OFF = 1
    EMPTY = 2
    DISCHARGING = 3
    CHARGING = 4
    FULL = 5
    HOLDING = 6
    TESTING = 7


class Nameplate(Struct, frozen=True):
    """What a device says of itself. Powers in W, capacity in Wh; None where it does not say."""

    manufacturer: str = ""
    model: str = ""
    version: str = ""
    serial: str = ""
    ac_max_watts: float | None = None
    charge_max_watts: float | None = None
    discharge_max_watts: float | None = None
    capacity_wh: float | None = None


class BatterySample(Struct, frozen=True):
    """One battery at one moment.

    `watts` charging +; `soc_percent` 0 to 100. `charge_max_watts` and `discharge_max_watts` are magnitudes: what the
    device says it can do, in a snapshot no more than site.yaml allows. `grid_charging_allowed` is ChaGriSet: may it
    charge from AC at all; `grid_charging_wears`: each change of that wears the device's flash. `takes_window`: a
    command bounds its power on both sides; otherwise it is told one power, and does just that.
    """

    watts: float | None = None
    soc_percent: float | None = None
    charge_max_watts: float | None = None
    discharge_max_watts: float | None = None
    capacity_wh: float | None = None
    grid_charging_allowed: bool | None = None
    grid_charging_wears: bool = False
    takes_window: bool = True
    state: ChargeState | None = None


class SiteBounds(Struct, frozen=True):
    """What a site that stands for an inverter says of its own grid connection, in W.

    `site_watts` import +. Limits are magnitudes that its own sources always hold, None where there is none; those
    `after` hold while nobody commands it. `mode` is that of its own loop, "" where it does not say.
    """

    site_watts: float
    export_limit_watts: float | None = None
    import_limit_watts: float | None = None
    export_limit_after_watts: float | None = None
    import_limit_after_watts: float | None = None
    mode: str = ""


class InverterSample(Struct, frozen=True):
    """One inverter at one moment.

    `ac_limit_watts` is the limit the device reports to be enabled (None: no limit enabled, or not known).
    `battery` is None where the device has no battery that can be read; `battery_controllable` says whether commands
    for it can be written.
    `disconnectable`: it can be taken off the grid. `ac_limit_step_watts` is how finely the AC limit can be set; 0 is as
    fine as one likes. `ac_limit_wears`: each change of the AC limit wears the device's flash. `has_pv` is False for a
    battery inverter without PV. `string_watts` is the power of each PV input in the device's order, never negative;
    empty where it does not say.
    `faults` names readings that were refused as nonsense, for counting.
    `settings` are raw numbers of settings that a release puts back, while they show what is not ours.
    `site` is there where it is a whole site.
    `ac_vars` is its reactive power in var as it gives it, positive as a rule where it is given to the grid.
    `controls_at_s` is when what can be written (AC limit, permission to charge from AC) was read, None: at `at_s`.
    """

    name: str
    at_s: float
    ac_watts: float | None = None
    pv_watts: float | None = None
    battery: BatterySample | None = None
    nameplate: Nameplate = field(default_factory=Nameplate)
    state: OperatingState | None = None
    connected: bool | None = None
    ac_limit_watts: float | None = None
    ac_limit_controllable: bool = True
    battery_controllable: bool = False
    disconnectable: bool = True
    ac_limit_wears: bool = False
    ac_limit_step_watts: float = 0.0
    has_pv: bool = True
    string_watts: tuple[float | None, ...] = ()
    faults: tuple[str, ...] = ()
    controls_at_s: float | None = None
    settings: tuple[tuple[str, int], ...] = ()
    site: SiteBounds | None = None
    ac_vars: float | None = None


class MeterSample(Struct, frozen=True):
    """The point of common coupling at one moment: `site_watts` import +; counters in Wh, None where there are none.

    `at_s` is when the meter answered, `changed_at_s` when its power last differed from that before: a meter that is
    polled faster than it measures answers with an old value, while its counters may run. `orientation` is -1 where its
    own sign was turned, and 0 where the plant's own moves speak against either sign. `site_vars` is the reactive power
    in var, in the sign of `site_watts`. `phase_watts` are the powers of the phases, import +, `phase_volts` their
    voltages against the neutral (None: of this one it is not known); both are empty where the meter does not show them.
    """

    at_s: float
    site_watts: float
    changed_at_s: float = 0.0
    orientation: int = 1
    frequency_hz: float | None = None
    phase_watts: tuple[float, ...] = ()
    phase_volts: tuple[float | None, ...] = ()
    import_wh: float | None = None
    export_wh: float | None = None
    site_vars: float | None = None


def known_volts(phase_volts: Sequence[float | None]) -> tuple[float | None, ...]:
    """The voltages of the phases that a meter shows, in V; of one that no grid of low voltage has, None.

    A meter that shows none at all has no phases here, and so has one whose phases all say 0: it does not measure them.
    """
    known = tuple(v if v is not None and PHASE_VOLTS_LEAST <= v <= PHASE_VOLTS_MOST else None for v in phase_volts)
    return known if any(volts is not None for volts in known) else ()


class SiteSnapshot(Struct, frozen=True):
    """Everything known of the site when a decision is made; nothing in it changes while the decision is made.

    `meter` is None while the meter is silent. `inverters` are those that answer; `away` names those that do not, and
    `last_heard` are the newest samples of these, as far as there are any. `troubles` says why one does not answer, by
    its name; the meter's is METER.
    """

    at_s: float
    meter: MeterSample | None
    inverters: tuple[InverterSample, ...] = ()
    away: tuple[str, ...] = ()
    last_heard: tuple[InverterSample, ...] = ()
    troubles: Mapping[str, Reason] = field(default_factory=dict)

    def inverter(self, name: str) -> InverterSample | None:
        """The sample of one inverter, or None while it is away."""
        return next((sample for sample in self.inverters if sample.name == name), None)
