"""What the trials of one inverter say of the meter: what AC power gains must be missing there (import +).

A load moves when it likes. So a step says something only where both its edges do, down and back up, and both moves are
of about the same size; and two steps at least must say the same. A meter that is called wrong is turned round by
somebody, so that is never said of less.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from statistics import fmean
from typing import Final

from orchestrator.commissioning.trial import Observation, Trial
from orchestrator.commissioning.verdicts import Check, Verdict

NAME: Final = "meter"
MOVE_MIN_WATTS: Final = 100.0
"""A smaller move of AC power proves nothing at the meter."""
SHARE_LEAST: Final = 0.6
SHARE_MOST: Final = 1.4
"""So much of what AC power moved by must have moved at the meter; more is a load as well."""
STEPS_THAT_AGREE: Final = 2
REACHED_SHARE: Final = 0.63


class Opinion(Enum):
    """What one step says of the meter."""

    RIGHT = "right"
    WRONG = "wrong"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Edge:
    """How far AC power (into the site +) and the meter (import +) moved, in W."""

    ac_watts: float
    site_watts: float

    @property
    def share(self) -> float:
        """1 where the meter shows all of it, -1 where it shows it the wrong way round."""
        return -self.site_watts / self.ac_watts

    def __str__(self) -> str:
        return f"AC {self.ac_watts:+.0f} W and meter {self.site_watts:+.0f} W"


def edges(trial: Trial) -> tuple[Edge, ...]:
    """The edges of a step that are large enough to say something."""
    found = [_edge(before, after) for before, after in _moments(trial)]
    return tuple(edge for edge in found if edge is not None and abs(edge.ac_watts) >= MOVE_MIN_WATTS)


def opinion(trial: Trial) -> Opinion:
    """What a step says. A device that is known not to go back by itself has one edge only."""
    shares = [edge.share for edge in edges(trial)]
    if len(shares) < (2 if trial.timing.has_timer else 1):
        return Opinion.NONE
    if all(SHARE_LEAST <= share <= SHARE_MOST for share in shares):
        return Opinion.RIGHT
    if all(SHARE_LEAST <= -share <= SHARE_MOST for share in shares):
        return Opinion.WRONG
    return Opinion.NONE


def is_decided(trials: Sequence[Trial]) -> bool:
    """Whether another step would tell no more."""
    return _agreed(trials) is not Opinion.NONE


def meter_check(inverter: str, trials: Sequence[Trial]) -> Check:
    """The line of the report, with the evidence in numbers."""
    evidence = "; ".join(", back ".join(map(str, found)) for trial in trials if (found := edges(trial)))
    if not evidence:
        said = f"AC power moved by less than {MOVE_MIN_WATTS:.0f} W, or the meter is silent"
        return Check(inverter, NAME, Verdict.UNCLEAR, said)
    match _agreed(trials):
        case Opinion.RIGHT:
            return Check(inverter, NAME, Verdict.PASSED, f"{evidence}{_delay(trials)}")
        case Opinion.WRONG:
            said = f"the sign of the meter is wrong: {evidence} (import +); change meter.sign in site.yaml"
            return Check(inverter, NAME, Verdict.UNSAFE, said)
    said = f"{evidence}: the load moved, or the inverter is not behind this meter; try again"
    return Check(inverter, NAME, Verdict.UNCLEAR, said)


def _agreed(trials: Sequence[Trial]) -> Opinion:
    """What at least two steps say and none contradicts."""
    opinions = [each for trial in trials if (each := opinion(trial)) is not Opinion.NONE]
    agree = len(opinions) >= STEPS_THAT_AGREE and len(set(opinions)) == 1
    return opinions[0] if agree else Opinion.NONE


def _moments(trial: Trial) -> Iterator[tuple[Sequence[Observation], Sequence[Observation]]]:
    """What was seen before and after each move. A meter may be slow: the first `settle_s` after a move do not count."""
    settle_s, waiting = trial.timing.settle_s, trial.waiting
    if waiting:
        yield trial.before, tuple(each for each in waiting if each.at_s <= waiting[0].at_s + settle_s)
    elif trial.answer:
        yield trial.before, trial.last(trial.answer)
    if trial.after and trial.returned_at_s is not None:
        end_s = trial.returned_at_s - settle_s
        yield tuple(each for each in waiting if end_s - settle_s <= each.at_s <= end_s), trial.last(trial.after)


def _edge(before: Sequence[Observation], after: Sequence[Observation]) -> Edge | None:
    pairs = [
        [(each.ac_watts, each.site_watts) for each in part if each.ac_watts is not None and each.site_watts is not None]
        for part in (before, after)
    ]
    if not all(pairs):
        return None
    (ac_before, site_before), (ac_after, site_after) = (
        (fmean(ac for ac, _ in part), fmean(site for _, site in part)) for part in pairs
    )
    return Edge(ac_after - ac_before, site_after - site_before)


def _delay(trials: Sequence[Trial]) -> str:
    """How long the meter took for most of the first move that it has shown."""
    trial = next(trial for trial in trials if edges(trial))
    before, after = next(_moments(trial))
    start, end = _mean_site(before), _mean_site(after)
    for each in (*trial.answer, *trial.waiting):
        if each.site_watts is not None and end != start and (each.site_watts - start) / (end - start) >= REACHED_SHARE:
            return f"; after {each.at_s - (trial.written_at_s or 0.0):.1f} s"
    return ""


def _mean_site(observations: Sequence[Observation]) -> float:
    return fmean(each.site_watts for each in observations if each.site_watts is not None)
