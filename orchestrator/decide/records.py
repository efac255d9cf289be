"""What is decided in one step, as frozen records; the last of them is its result, which everybody else reads."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from msgspec import Struct, field

from orchestrator.commands import InverterCommand
from orchestrator.config.sections import SiteConfig
from orchestrator.decide.allocation.spread import Allocation
from orchestrator.decide.battery.target import Balance
from orchestrator.decide.memory import ControlState, InverterMemory, MeterFault, MeterTrust, SiteMemory
from orchestrator.decide.plant.headroom import LiveNumbers
from orchestrator.decide.plant.phases import PhaseCaps
from orchestrator.decide.plant.units import Plant, Unit
from orchestrator.decide.power_flow import BatteryPowerFlow
from orchestrator.reason import Reason
from orchestrator.samples import SiteSnapshot
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import OperatingEnvelope

Mode = Literal["normal", "failsafe", "waiting"]


class SiteTotals(Struct, frozen=True):
    """Sums over the inverters that answer, in W; None while they cannot be known (no meter for the load)."""

    site_watts: float | None = None
    load_watts: float | None = None
    ac_watts: float = 0.0
    pv_watts: float = 0.0
    battery_watts: float = 0.0


class SiteFacts(Struct, frozen=True):
    """What decided for the site, in W: `target_watts` (charging +) is what was spread of the `flow`, `balance` what
    there is at the grid connection. Of that `balance.hidden_watts` are a guess at PV that a limit hides, or, with
    `answers_import`, an import that is left to the AC limits.

    `plant` is what may be commanded, `wanted` what is asked for, its generation limit less what inverters may be making
    that do not answer. `asks_meter`: AC limits are lowered for a moment to see the meter answer; `disturbed`: that is
    so, or was just now. `on_ramp`: charging is held back by a ramp. `displaced_watts` are discharged less for a moment,
    to see whether PV is held back for them. `phases_known` is None where limits hold for the sum alone, else whether
    the meter shows the phases; `phase_help_watts` is what batteries do for each of them besides, charging +.
    """

    flow: BatteryPowerFlow
    target_watts: float
    balance: Balance
    plant: Plant
    wanted: SetpointFields
    limits: LimitsOnAc
    answers_import: bool = False
    asks_meter: bool = False
    disturbed: bool = False
    on_ramp: bool = False
    displaced_watts: float = 0.0
    phases_known: bool | None = None
    phase_help_watts: Mapping[int, float] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def envelope(self) -> OperatingEnvelope:
        """What is asked for, with its sources."""
        return self.limits.envelope

    @property
    def available_watts(self) -> float:
        """What is left for battery and export, hidden PV too; negative is a deficit."""
        return self.balance.available_watts(self.plant.battery_watts)

    @property
    def is_off(self) -> bool:
        """Whether nothing may give power: energize or connect is false."""
        return self.envelope.fields.energize is False or self.envelope.fields.connect is False


class LimitsOnAc(Struct, frozen=True):
    """What holds AC power down, in W; None is unlimited. `room_watts` is what both limits leave for AC.

    `export_limit_watts` is the one that counts: raised to the charge buffer, or, with a `meter_fault`, lowered to that
    of the failsafe. `generation_limit_watts` is less what inverters may be making that do not answer.
    """

    envelope: OperatingEnvelope
    room_watts: float | None = None
    export_limit_watts: float | None = None
    generation_limit_watts: float | None = None
    meter_fault: MeterFault | None = None

    def binding(self) -> str:
        """`export` or `generation`: the limit that leaves less."""
        generation, room = self.generation_limit_watts, self.room_watts
        is_lower = generation is not None and room is not None and generation <= room + 0.5
        return "generation" if is_lower or self.export_limit_watts is None else "export"


class Inputs(Struct, frozen=True):
    """What every part of one step looks at.

    `state` is that of the step before, `dt_s` ago; `trust` is the meter's as of now, `wanted` what the envelope asks
    for, its generation limit less what inverters that are away may make. `limits_stay` says that AC limits outlive the
    orchestrator. `made_watts` is what inverters are counted on to make again, in W by name (`plant.made`).
    `unseen_export_watts` is what silent sites of a portfolio may export, which no meter shows.
    """

    config: SiteConfig
    state: ControlState
    snapshot: SiteSnapshot
    envelope: OperatingEnvelope
    plant: Plant
    trust: MeterTrust
    started_at_s: float
    now_s: float
    dt_s: float
    wanted: SetpointFields
    limits_stay: bool
    made_watts: Mapping[str, float]
    unseen_export_watts: float = 0.0


class Limiting(Struct, frozen=True):
    """The room for AC power in W (None: unlimited), its shares by inverter, and whether a limit is exceeded now.

    `phases` is what the limits of the phases leave, None where limits hold for the sum alone.
    `expected_watts` is the AC power that each inverter makes with its new battery target, `rates_watts_per_s` how fast
    the limit of each may rise, `export_limit_watts` and `generation_limit_watts` the limits that count (None:
    unlimited).
    """

    room_watts: float | None
    limits_watts: Mapping[str, float]
    expected_watts: Mapping[str, float]
    rates_watts_per_s: Mapping[str, float]
    exceeded: bool
    excess_steps: int = 0
    export_limit_watts: float | None = None
    generation_limit_watts: float | None = None
    phases: PhaseCaps | None = None


class SiteDecision(Struct, frozen=True):
    """What one step decided for the site. `facts` are None where it was decided without a meter.

    `windows_watts` is the most that each battery may be charged with then. `may_open`: with a meter, own PV behind an
    AC limit of nothing may charge its battery beyond its share.
    """

    facts: SiteFacts | None
    allocation: Allocation
    limiting: Limiting
    memory: SiteMemory
    totals: SiteTotals
    meter_fault: MeterFault | None = None
    windows_watts: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    may_open: bool = False

    @property
    def mode(self) -> Mode:
        """ "failsafe" while the meter cannot be believed."""
        return "normal" if self.meter_fault is None else "failsafe"


class InverterDecision(Struct, frozen=True):
    """What one step decided for one inverter, and what is remembered of it.

    `limit_wanted_watts` is its part of the room for AC (None: no limit is wanted), towards which its AC limit rises by
    `limit_rate_watts_per_s` at most. `asks_meter`: AC power is lowered for a moment to see whether the meter shows it.
    `not_following`: its battery has not followed for long; `gives_too_much`: it goes on giving more than asked.
    `above_limit`: the inverter goes on making more than its AC limit.
    """

    unit: Unit
    command: InverterCommand
    memory: InverterMemory
    limit_wanted_watts: float | None
    limit_rate_watts_per_s: float
    asks_meter: bool
    not_following: bool
    gives_too_much: bool
    above_limit: bool = False


class CycleResult(Struct, frozen=True):
    """Everything about one cycle: what was seen, what was decided, and why. MQTT, metrics, log and table all read it.

    `commands` holds one command for every inverter that answers and may be controlled, also in shadow mode
    (`control.enabled: false`), where they are shown and not sent. `reasons` says what decided for the site as a whole.
    `state` goes into the next step. `cycle` counts the cycles since the start of the site. `not_following` names the
    batteries that have not followed their command for 30 s. `mode` is "failsafe" while there is a `meter_fault`,
    "waiting" until the first samples are there (no commands then). `above_limit` names the inverters that make more
    than their AC limits although they were told anew, and says how much.
    """

    snapshot: SiteSnapshot
    envelope: OperatingEnvelope
    flow: BatteryPowerFlow | None
    commands: tuple[InverterCommand, ...]
    reasons: tuple[Reason, ...] = ()
    totals: SiteTotals = field(default_factory=SiteTotals)
    mode: Mode = "normal"
    meter_fault: MeterFault | None = None
    not_following: tuple[str, ...] = ()
    live: LiveNumbers = field(default_factory=LiveNumbers)
    state: ControlState = field(default_factory=ControlState)
    cycle: int = 0
    above_limit: Mapping[str, Reason] = field(default_factory=lambda: MappingProxyType({}))

    def command(self, inverter: str) -> InverterCommand | None:
        """The command for one inverter, or None where there is none."""
        return next((command for command in self.commands if command.inverter == inverter), None)


def limits_on_ac(envelope: OperatingEnvelope, limiting: Limiting, fault: MeterFault | None) -> LimitsOnAc:
    """What holds AC power down, with whose limits these are."""
    return LimitsOnAc(
        envelope, limiting.room_watts, limiting.export_limit_watts, limiting.generation_limit_watts, fault
    )
