"""What a running plant says when it is asked how it is, and what that means for whoever asked.

Running and deciding is not enough: a plant whose meter is away, or of which nothing is known, needs somebody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.decide.records import CycleResult
from orchestrator.documents.json_values import Payload
from orchestrator.explain.words import say
from orchestrator.samples import METER


@dataclass(frozen=True, slots=True)
class Health:
    """Whether all is well, and lines for people that say what is not."""

    is_well: bool
    lines: tuple[str, ...]


def health_payload(result: CycleResult | None, site: str, token: str) -> Payload:
    """What is said of the newest cycle. `token` is the word by which the process is known."""
    payload: Payload = {"site": site, "token": token, "mode": None}
    if result is not None:
        snapshot = result.snapshot
        payload |= {
            "mode": result.mode,
            "meter": snapshot.meter is not None,
            "inverters": [sample.name for sample in snapshot.inverters],
            "away": list(snapshot.away),
            "troubles": {name: say(why) for name, why in snapshot.troubles.items()},
        }
    return payload


def judge(said: Mapping[str, Any]) -> Health:
    """What `health_payload` means. Not well: nothing was decided, the meter is away, or no inverter answers."""
    mode, troubles = said.get("mode"), said.get("troubles")
    troubles = troubles if isinstance(troubles, Mapping) else {}
    away = [str(name) for name in said.get("away") or ()]
    faults = [f"{name} does not answer: {troubles.get(name, 'nobody knows why')}" for name in away]
    if said.get("meter") is False:
        faults.insert(0, f"the meter does not answer: {troubles.get(METER, 'nobody knows why')}")
    if mode is None or mode == "waiting":
        return Health(False, ("it runs and has decided nothing yet", *faults))
    if said.get("meter") is False or not said.get("inverters"):
        return Health(False, ("it runs, and not everything that it needs is known", *faults))
    if mode == "failsafe":
        return Health(False, ("it runs in its failsafe: the meter cannot be believed", *faults))
    return Health(True, ("it runs and decides", *faults))
