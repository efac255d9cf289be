"""The words of reasons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from orchestrator.decide.memory import MeterFault

_ASKED = ("charge", "discharge", "idle", "hold", "battery idle", "AC limit", "no AC limit")
"""How reasons begin that repeat what is asked."""

PART_OF = "all batteries together:"
"""How the reason begins that each battery has in common with the site."""

PASSING: Final = ("held", "rises at most", "throttled", "tries for", "leaves an import", "may still charge", PART_OF)
"""How reasons begin that pass, or that are said of the site already."""

FAULT_WORDS: Mapping[MeterFault, str] = {
    "silent": "meter silent",
    "frozen": "meter frozen",
    "reversed": "meter with the wrong sign",
}

PLAIN = (
    ("all batteries together", "its own share is a part of this"),
    ("no faster than its ramp", "site.yaml says how many watts a second it may rise; what falls, falls at once"),
    ("cannot be kept", "nothing that may be commanded keeps it; what can be served is served"),
    ("not served", "more is wanted than all batteries together can do"),
    ("energize false", "somebody wants no power from the inverters"),
    ("connect false", "somebody wants the inverters off the grid"),
    ("connect true", "somebody wants the inverters on the grid"),
    ("connected again", "they were off the grid because somebody wanted that"),
    ("less AC for a moment", "a meter that shows no change for long may be broken; this asks it"),
    ("held down for a moment", "a meter that shows no change for long may be broken; this asks it"),
    ("AC held down", "more could be made than the limits leave room for"),
    ("refuses", "above the target only what export refuses is stored"),
    ("export first", "export comes before the batteries; they take what its limit refuses"),
    ("surplus", "what the load leaves goes where priority says"),
    ("at their target", "above it only what export refuses is stored"),
    ("covers the load", "the load is more than what comes from the sun"),
    ("for the export target", "batteries give what PV leaves open of the wanted export"),
    ("import above its limit", "batteries give only what is above the limit"),
    ("charges from the grid", "the site may import to charge"),
    ("no charge needed", "and while it is enabled, batteries do not discharge for the load"),
    ("no battery can cover", "each is empty, away or not ours, or the inverter has no room for it"),
    ("no battery takes more", "there is more than is used; it is exported, or PV is held back"),
    ("no battery may charge", "there is more than is used; it is exported, or PV is held back"),
    ("nothing to charge with", "batteries rest"),
    ("no battery to command", "there is nothing to decide but the AC limits"),
    ("battery released", "it does what its own settings say"),
    ("batteries released", "they do what their own settings say"),
    ("tries for", "an inverter stands at its limit; charging is raised step by step to see what its PV could do"),
    ("leaves an import", "limits that rise end it sooner than batteries that give way"),
    ("too little to turn for", "so little is not worth changing between charging and discharging"),
    ("do not make up for", "what is taken away for a moment comes back by itself"),
    ("change under 1 %", "so small a change is not worth a register write"),
    ("share by capacity", "all states of charge move by the same percent"),
    ("share towards", "the emptier charge more, the fuller discharge more"),
    ("waits for the", "its turn comes when the others have reached its state of charge"),
    ("few batteries suffice", "inverters waste power at low load; they take turns"),
    ("all batteries run", "less would not suffice"),
    ("at its power limit", "it does all it can; the others take the rest"),
    ("load limit", "no more may be drawn from AC for charging"),
    ("full at", "it takes no more charge"),
    ("empty at", "it gives no more"),
    ("charged to its target", "above it only what export refuses"),
    ("rests before it turns", "some makes need a pause between charging and discharging"),
    ("not reachable", "it takes no part now"),
    ("nothing asked", "the site wants nothing of the batteries"),
    ("may charge from AC", "PV of other inverters, or the grid where that is allowed, feeds it"),
    ("may still charge from AC", "it does not need to now"),
    ("is not held to it", "that side is left to the device"),
    ("has not followed", "it is asked for little more than it gives, so that the others take the rest"),
    ("giving more than asked", "what it does is reckoned with as it is"),
    ("hold: ", "no discharge, and no more charging than before"),
    ("failsafe export limit", "safe even if nothing is consumed, because nobody knows what is"),
    (": failsafe", "without a meter to believe in only what is safe at zero load is allowed"),
    ("no AC limit", "it may make all it can"),
    ("rising step by step", "nothing limits AC any more; the last limit goes up second by second"),
    ("leaves", "all inverters share this room, those that are not held back first"),
    ("throttled", "it makes what its limit allows; its PV may be able to do more"),
    ("rises at most", "a limit falls at once and rises slowly, because nobody knows what PV is behind it"),
)
"""Words of a reason, and what they mean to somebody who has not read the docs. The first that fit count."""
