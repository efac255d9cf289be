"""One record per control cycle: what was seen, what was decided, and why. MQTT, metrics, log and table all read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from orchestrator.commands import InverterCommand
from orchestrator.decide.allocation.base import BatteryUse
from orchestrator.decide.meter.trust import MeterFault, MeterTrust
from orchestrator.decide.plant.response import Response
from orchestrator.quick_init import quick_init
from orchestrator.samples import SiteSnapshot
from orchestrator.setpoints.merge import OperatingEnvelope

BatteryFlowMode = Literal["charge", "discharge", "idle"]
Mode = Literal["normal", "failsafe", "waiting"]


@quick_init
@dataclass(frozen=True, slots=True)
class BatteryPowerFlow:
    """The site-level decision, all in W.

    `target_battery_power_watts` charging +; `target_export_watts` >= 0 is the export planned at the meter;
    `target_solar_watts` is a ceiling on PV production, not a forecast (None: no ceiling).
    """

    target_battery_power_watts: float
    target_export_watts: float
    target_solar_watts: float | None
    battery_mode: BatteryFlowMode


@quick_init
@dataclass(frozen=True, slots=True)
class SiteTotals:
    """Sums over the inverters that answer, in W; None while they cannot be known (no meter for the load)."""

    site_watts: float | None = None
    load_watts: float | None = None
    ac_watts: float = 0.0
    pv_watts: float = 0.0
    battery_watts: float = 0.0


@dataclass(frozen=True, slots=True)
class InverterNumbers:
    """What one inverter could do from here, in W of AC power >= 0, and how long it takes to do it (None: unknown)."""

    headroom_up_watts: float = 0.0
    headroom_down_watts: float = 0.0
    response_s: float | None = None


@quick_init
@dataclass(frozen=True, slots=True)
class LiveNumbers:
    """What the plant could do from here, in W >= 0; see `live_numbers`.

    `headroom_up_watts` is how much more AC power it could give, `headroom_down_watts` how much less.
    `balanced_charge_watts` and `balanced_discharge_watts` are what the batteries can hold while their states of charge
    stay together, None without batteries.
    """

    headroom_up_watts: float | None = None
    headroom_down_watts: float | None = None
    balanced_charge_watts: float | None = None
    balanced_discharge_watts: float | None = None
    inverters: Mapping[str, InverterNumbers] = field(default_factory=lambda: MappingProxyType({}))


@quick_init
@dataclass(frozen=True, slots=True)
class LoadEstimate:
    """The load as last seen, in W, while `inverters` answered.

    `raw_watts` is before smoothing; `meter_changed_at_s` is the meter sample it came from.
    """

    load_watts: float
    raw_watts: float
    ac_watts: float
    meter_changed_at_s: float
    inverters: frozenset[str] = frozenset()


@quick_init
@dataclass(frozen=True, slots=True)
class Probe:
    """A step of charging beyond what is visible, taken to find out whether throttled PV could make more.

    `base_watts` was the battery power before it, `seen_watts` at the last look. `part` is the size of the next step as
    a part of the charge limit: it doubles with success. After a step that failed nothing is tried before
    `wait_until_s`; where even the smallest failed, `wait_s` doubles each time.
    """

    part: float = 0.05
    seen_watts: float = 0.0

    step_watts: float = 0.0
    base_watts: float = 0.0
    at_s: float = 0.0
    wait_until_s: float = 0.0
    wait_s: float = 0.0


@quick_init
@dataclass(frozen=True, slots=True)
class Pending:
    """A change too small to write, wanted since `since_s` in one direction; `total_watts` over `count` wishes."""

    since_s: float
    total_watts: float
    count: int
    rising: bool


@quick_init
@dataclass(frozen=True, slots=True)
class LimitMemory:
    """The AC limit in W that was last commanded (None: no limit), and a change of it too small to be written yet.

    It is in force since `changed_at_s` (None: since long ago).
    """

    watts: float | None = None
    pending: Pending | None = None
    changed_at_s: float | None = None


@quick_init
@dataclass(frozen=True, slots=True)
class BatteryMemory:
    """What was last commanded of one battery: `target_watts`, charging +, since `changed_at_s`.

    `direction` (+1 charging, -1 discharging) was the last that was commanded, and in force until `direction_at_s`.
    `hold_watts` is the charging at the moment the meter fell silent. While `easing`, its inverter has just come back
    and gets its share step by step.
    """

    target_watts: float | None = None
    changed_at_s: float | None = None
    direction: int = 0
    direction_at_s: float = 0.0
    grid_charging: bool | None = None
    grid_unneeded_since_s: float | None = None
    hold_watts: float | None = None
    easing: bool = False


@quick_init
@dataclass(frozen=True, slots=True)
class Following:
    """How one battery follows its commands. `seen_watts` is where it was, `seen_pv_watts` what its PV made then.

    `short_steps` counts steps in which it came no nearer to its target, `over_steps` those in which it gave more than
    asked; since `deaf_since_s` it does not care.
    """

    seen_watts: float = 0.0
    seen_pv_watts: float = 0.0
    seen_at_s: float | None = None
    deaf_since_s: float | None = None
    short_steps: int = 0
    over_steps: int = 0


@quick_init
@dataclass(frozen=True, slots=True)
class Output:
    """The AC power of an inverter as it was seen last, in W, and whether an AC limit held it back then."""

    ac_watts: float
    at_s: float
    throttled: bool


@quick_init
@dataclass(frozen=True, slots=True)
class InverterMemory:
    """What the loop remembers of one inverter while it answers.

    `output` is what it made when it was looked at last, None before the first look. `disconnected` says that we
    disconnected it; of one that is `away` only that and its limit are known. It answers again since `back_at_s`, None
    where it was there from the start.
    `above_limit_since_s` is since when it has made clearly more than its AC limit, None while it does not.
    """

    limit: LimitMemory = field(default_factory=LimitMemory)
    battery: BatteryMemory = field(default_factory=BatteryMemory)
    following: Following = field(default_factory=Following)
    output: Output | None = None
    disconnected: bool = False
    away: bool = False
    above_limit_since_s: float | None = None
    back_at_s: float | None = None


@quick_init
@dataclass(frozen=True, slots=True)
class SiteMemory:
    """What the decision for the site remembers: the load, the battery target (charging +), and what it is trying.

    The target holds since `changed_at_s`. `excess_steps` counts the steps above a limit, `import_steps` those in which
    an import was left to the AC limits.
    `uses` is what the strategy `fewest_units` remembers of each battery, also while it is away.
    """

    load: LoadEstimate | None = None
    target_watts: float = 0.0
    changed_at_s: float | None = None
    target_pending: Pending | None = None
    import_steps: int = 0
    excess_steps: int = 0
    probe: Probe = field(default_factory=Probe)
    uses: Mapping[str, BatteryUse] = field(default_factory=lambda: MappingProxyType({}))


@quick_init
@dataclass(frozen=True, slots=True)
class ControlState:
    """The memory of the loop between two steps. A new plant starts with `ControlState()`.

    `responses` is what was learned of each inverter, also while it is away.
    """

    started_at_s: float | None = None
    decided_at_s: float | None = None
    site: SiteMemory = field(default_factory=SiteMemory)
    trust: MeterTrust = field(default_factory=MeterTrust)
    inverters: Mapping[str, InverterMemory] = field(default_factory=lambda: MappingProxyType({}))
    responses: Mapping[str, Response] = field(default_factory=lambda: MappingProxyType({}))


@quick_init
@dataclass(frozen=True, slots=True)
class CycleResult:
    """Everything about one cycle.

    `commands` holds one command for every inverter that answers and may be controlled, also in shadow mode
    (`control.enabled: false`), where they are shown and not sent. `reasons` says what decided for the site as a whole.
    `state` goes into the next step. `cycle` counts the cycles since the start of the site. `not_following` names the
    batteries that have not followed their command for 30 s. `mode` is "failsafe" while there is a `meter_fault`,
    "waiting" until the first samples are there (no commands then).
    """

    snapshot: SiteSnapshot
    envelope: OperatingEnvelope
    flow: BatteryPowerFlow | None
    commands: tuple[InverterCommand, ...]
    reasons: tuple[str, ...] = ()
    totals: SiteTotals = field(default_factory=SiteTotals)
    mode: Mode = "normal"
    meter_fault: MeterFault | None = None
    not_following: tuple[str, ...] = ()
    live: LiveNumbers = field(default_factory=LiveNumbers)
    state: ControlState = field(default_factory=ControlState)
    cycle: int = 0

    def command(self, inverter: str) -> InverterCommand | None:
        """The command for one inverter, or None where there is none."""
        return next((command for command in self.commands if command.inverter == inverter), None)
