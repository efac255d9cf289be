"""What the loop remembers from one step to the next: frozen, handed in and out by `control.step`."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from statistics import median
from types import MappingProxyType
from typing import Literal

from msgspec import Struct, field

from orchestrator.decide.allocation.base import BatteryUse
from orchestrator.decide.following import Following

MeterFault = Literal["silent", "frozen", "reversed"]

UNKNOWN_LONGEST_GAP_S = 100.0
"""Until a meter has shown its pace it may rest for long without a doubt."""

AFTERMATH_S = 3.0
"""So long AC power needs to be back where it was before the question."""


class Question(Struct, frozen=True):
    """Asked at `asked_at_s` by making `step_watts` less, with `against` votes against the meter, over at `ended_at_s`.

    While it `is_open`, no inverter makes more than it was left then.
    """

    is_open: bool = False
    asked_at_s: float = -inf
    ended_at_s: float = -inf
    step_watts: float = 0.0
    against: float = 0.0

    def disturbs(self, now_s: float) -> bool:
        """Whether AC limits hold the plant back for the question's sake, or have just begun to rise again."""
        return self.is_open or now_s - self.ended_at_s < AFTERMATH_S


class SignVotes(Struct, frozen=True):
    """The evidence so far. `count` is 1 after a vote for the meter, negative after votes against it, 0 without any.

    `moved_watts` is the last move of AC power, `against_watts` the last that spoke against the meter, `rests` the
    number of values since AC power moved by much. `unrest_watts` are what the last values showed beside the moves.
    """

    count: float = 0
    accused: bool = False
    moved_watts: float = 0.0
    against_watts: float = 0.0
    rests: int = 0
    unrest_watts: tuple[float, ...] = ()

    @property
    def against(self) -> float:
        """How many votes stand against the meter."""
        return max(-self.count, 0)


class MeterTrust(Struct, frozen=True):
    """The evidence. It starts anew when the meter is turned round.

    `ac_watts` (by inverter) and `site_watts` are of the last new value of the meter, which came at `changed_at_s`.
    Since then AC power was away from there for `away_s` in all, as of `looked_at_s`; `frozen` says that the meter
    should have shown it. `gaps_s` are the last times between new values, `longest_gap_s` is the longest lately.
    """

    changed_at_s: float | None = None
    looked_at_s: float = 0.0
    ac_watts: Mapping[str, float] = field(default_factory=dict)
    site_watts: float = 0.0
    away_s: float = 0.0
    frozen: bool = False
    gaps_s: tuple[float, ...] = ()
    longest_gap_s: float = UNKNOWN_LONGEST_GAP_S
    sign: SignVotes = field(default_factory=SignVotes)
    question: Question = field(default_factory=Question)
    orientation: int = 1

    @property
    def is_doubted(self) -> bool:
        """Whether AC power has moved since the newest value of the meter, so that the next one is due."""
        return self.away_s > 0

    @property
    def fault(self) -> MeterFault | None:
        """What is wrong with the meter, as far as its answers show."""
        if self.sign.accused:
            return "reversed"
        return "frozen" if self.frozen else None


class LoadEstimate(Struct, frozen=True):
    """The load as last seen, in W, while `inverters` answered.

    `raw_watts` is before smoothing; `meter_changed_at_s` is the meter sample it came from.
    """

    load_watts: float
    raw_watts: float
    ac_watts: float
    meter_changed_at_s: float
    inverters: frozenset[str] = frozenset()


class Probe(Struct, frozen=True):
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


class Pending(Struct, frozen=True):
    """A change too small to write, wanted since `since_s` in one direction; `total_watts` over `count` wishes."""

    since_s: float
    total_watts: float
    count: int
    rising: bool


class LimitMemory(Struct, frozen=True):
    """The AC limit in W that was last commanded (None: no limit), and a change of it too small to be written yet.

    It is in force since `changed_at_s` (None: since long ago).
    """

    watts: float | None = None
    pending: Pending | None = None
    changed_at_s: float | None = None


USUAL_DRAWS_PART = 1.05
"""An inverter that was not seen yet while it charges from AC may draw so much for each watt that is stored; most draw
less."""


class BatteryMemory(Struct, frozen=True):
    """What was last commanded of one battery: `target_watts`, charging +, since `changed_at_s`.

    `direction` (+1 charging, -1 discharging) was the last that was commanded, and in force until `direction_at_s`.
    `hold_watts` is the charging at the moment the meter fell silent. While `easing`, its inverter has just come back
    and gets its share step by step. Own PV may charge it beyond its target, up to `open_to_watts` (None: it may not).
    For each watt that it takes beyond own PV its inverter draws `draws_part` watts from AC, as far as was seen.
    """

    target_watts: float | None = None
    changed_at_s: float | None = None
    direction: int = 0
    direction_at_s: float = 0.0
    grid_charging: bool | None = None
    grid_unneeded_since_s: float | None = None
    hold_watts: float | None = None
    easing: bool = False
    open_to_watts: float | None = None
    draws_part: float = USUAL_DRAWS_PART


class Output(Struct, frozen=True):
    """The AC power of an inverter as it was seen last, in W, and whether an AC limit held it back then."""

    ac_watts: float
    at_s: float
    throttled: bool


class Sun(Struct, frozen=True):
    """What PV made at `at_s`, in W, when no AC limit held it back, and by how much a second it grew then (>= 0)."""

    watts: float
    at_s: float
    grows_watts_per_s: float = 0.0


class Made(Struct, frozen=True):
    """The AC power in W that the PV of an inverter made at `at_s`, when the meter fell silent; the meter is back since
    `back_at_s`, None while it is silent.
    """

    watts: float
    at_s: float
    back_at_s: float | None = None


class Insistence(Struct, frozen=True):
    """How often an inverter that makes more than its AC limit was told anew on end, and when last."""

    times: int = 0
    at_s: float = -inf


class InverterMemory(Struct, frozen=True):
    """What the loop remembers of one inverter while it answers.

    `output` is what it made when it was looked at last, None before the first look. `disconnected` says that we
    disconnected it; of one that is `away` only that and its limit are known. It answers again since `back_at_s`, None
    where it was there from the start.
    `sun` is what its PV made when no limit held it back last, None before it was seen so.
    `made` is what it made when the meter fell silent, until it makes that again, or the meter is back for a while.
    `above_limit_since_s` is since when it has made clearly more than its AC limit, None while it does not, and
    `unmoved_since_s` since when it has not come nearer to it either.
    `insistence` is how often it was told anew meanwhile.
    `says_throttled`: it was seen to say so when a limit held it back, so that its silence tells as much.
    """

    limit: LimitMemory = field(default_factory=LimitMemory)
    battery: BatteryMemory = field(default_factory=BatteryMemory)
    following: Following = field(default_factory=Following)
    output: Output | None = None
    made: Made | None = None
    sun: Sun | None = None
    disconnected: bool = False
    away: bool = False
    above_limit_since_s: float | None = None
    unmoved_since_s: float | None = None
    back_at_s: float | None = None
    says_throttled: bool = False
    insistence: Insistence = field(default_factory=Insistence)


class PhaseMemory(Struct, frozen=True):
    """What is remembered of one phase, where limits hold on each: its load, what the meter showed there last, in W and
    since when, and the steps above its limit.

    Its batteries are asked for a step more than what is seen since `tried_at_s` (None: they are not), when they were at
    `tried_from_watts`; after one that came to nothing none is tried before `wait_until_s`.
    """

    load: LoadEstimate | None = None
    watts: float | None = None
    changed_at_s: float = -inf
    excess_steps: int = 0
    tried_at_s: float | None = None
    tried_from_watts: float = 0.0
    wait_until_s: float = -inf


class SiteMemory(Struct, frozen=True):
    """What the decision for the site remembers: the load, the battery target (charging +), and what it is trying.

    The target holds since `changed_at_s`. `excess_steps` counts the steps above a limit, `import_steps` those in
    which an import was left to the AC limits, `import_watts` in the last of them. `displaced` is the probe for PV
    behind the discharge of its own hybrid: its watts are those of PV.
    `uses` is what the strategy `fewest_units` remembers of each battery, also while it is away. `phases` is empty where
    limits hold for the sum alone.
    """

    load: LoadEstimate | None = None
    target_watts: float = 0.0
    changed_at_s: float | None = None
    target_pending: Pending | None = None
    import_steps: int = 0
    import_watts: float = 0.0
    excess_steps: int = 0
    probe: Probe = field(default_factory=Probe)
    displaced: Probe = field(default_factory=Probe)
    uses: Mapping[str, BatteryUse] = field(default_factory=lambda: MappingProxyType({}))
    phases: tuple[PhaseMemory, ...] = ()


class ControlState(Struct, frozen=True):
    """The memory of the loop between two steps. A new plant starts with `ControlState()`.

    `responses` is what was learned of each inverter, also while it is away; `found_limits_watts` the AC limit that it
    had when it was first seen (inf: none).
    """

    started_at_s: float | None = None
    decided_at_s: float | None = None
    site: SiteMemory = field(default_factory=SiteMemory)
    trust: MeterTrust = field(default_factory=MeterTrust)
    inverters: Mapping[str, InverterMemory] = field(default_factory=lambda: MappingProxyType({}))
    responses: Mapping[str, Response] = field(default_factory=lambda: MappingProxyType({}))
    found_limits_watts: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))


class Step(Struct, frozen=True):
    """A change of the command under way, in W. `part` of it was done at `seen_at_s`; times are monotonic."""

    from_watts: float
    to_watts: float
    at_s: float
    part: float
    seen_at_s: float


class Response(Struct, frozen=True):
    """What is known of one inverter. `target_watts` is what it was told last, `times_s` the newest response times."""

    times_s: tuple[float, ...] = ()
    target_watts: float | None = None
    step: Step | None = None

    @property
    def learned_s(self) -> float | None:
        """The response time in seconds, None until one was seen."""
        return median(self.times_s) if self.times_s else None
