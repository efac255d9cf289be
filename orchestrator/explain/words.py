"""The words of reasons: one table with a row for each code, and `say`, which fills them with facts.

Each reason is one thing that decided, in few words. Codes never change their meaning; words may. A new row goes into
docs/reasons.md by `python -m tools.reasons_page`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from orchestrator.explain.template import Row, fill
from orchestrator.reason import Fact, Reason

# fmt: off
TABLE: Final[Mapping[str, tuple[Row, ...]]] = {
    "What is asked, of a battery or of all together, and of AC": (
        Row("charge", "charge {watts:.0f} W: {why}", "so much is to go into the battery, or into all together",
            cause="why", cause_means=True, repeats=True),
        Row("discharge", "discharge {watts:.0f} W: {why}", "so much is to come from the battery, or from all together",
            cause="why", cause_means=True, repeats=True),
        Row("idle", "idle: {why}", "the battery, or all together, neither charge nor discharge",
            cause="why", cause_means=True, repeats=True),
        Row("battery_idle", "battery idle: {why}", "the battery neither charges nor discharges, a switch wants it so",
            cause="why", cause_means=True, repeats=True),
        Row("hold", "hold: {why}, charge at most {watts:.0f} W from own PV",
            "no discharge, and no more charging than before", cause="why", repeats=True),
        Row("battery_released", "battery released: {field} ({source})", "it does what its own settings say"),
        Row("part_of_all", "all batteries together: {why}", "its own share is a part of this",
            passes=True, cause="why"),
        Row("ac_limit", "AC limit {watts:.0f} W: {why}", "its AC power is held to so much",
            cause="why", cause_means=True, repeats=True),
        Row("no_ac_limit", "no AC limit: {why}", "it may make all it can", cause="why", repeats=True),
    ),
    "Switches": (
        Row("energize_off", "energize false ({source}): AC 0 W, batteries idle",
            "somebody wants no power from the inverters"),
        Row("connect_off", "connect false ({source}): all inverters disconnected, or at AC 0 W where one does not",
            "somebody wants the inverters off the grid"),
        Row("energize_false", "energize false ({source})", "somebody wants no power from the inverters"),
        Row("connect_false", "connect false ({source})", "somebody wants the inverters off the grid"),
        Row("not_disconnected", "does not disconnect: AC limit 0 W in its place, connect false ({source})",
            "the device has no switch to take it off the grid"),
        Row("disconnected", "disconnected: connect false ({source})", "somebody wants the inverters off the grid"),
        Row("connected", "connected: connect true ({source})", "somebody wants the inverters on the grid"),
        Row("connected_again", "connected again: nobody wants it off any more",
            "they were off the grid because somebody wanted that"),
        Row("batteries_released", "batteries released: battery_storage_mode 0 ({source})",
            "they do what their own settings say"),
        Row("side_left_to_device", "{side} is left to the device: battery_storage_mode {mode} ({source})",
            "that side of the command is not given to it"),
    ),
    "The meter": (
        Row("failsafe", "{why}: failsafe",
            "without a meter to believe in only what is safe at zero load is allowed", cause="why"),
        Row("meter_silent", "meter silent", "nothing has come from it for too long"),
        Row("meter_frozen", "meter frozen", "it shows the same whatever the inverters do"),
        Row("meter_reversed", "meter with the wrong sign", "it shows import where there is export"),
        Row("asks_meter", "less AC for a moment: does the meter see it?",
            "a meter that shows no change for long may be broken; this asks it"),
        Row("held_down_to_ask_meter", "held down for a moment: does the meter see it?",
            "a meter that shows no change for long may be broken; this asks it", passes=True),
        Row("waiting_for_meter", "waiting for the meter", "nothing is decided before it has been read once"),
        Row("waiting_for_devices", "waiting for the devices", "nothing is decided before they have been read once"),
    ),
    "Why all batteries together charge": (
        Row("surplus", "surplus, batteries first[ ({source})][, {bound}]",
            "what the load leaves goes where priority says", cause="bound"),
        Row("surplus_after_export", "surplus that export leaves, export first ({source})[, {bound}]",
            "export comes before the batteries; they take what its limit refuses", cause="bound"),
        Row("surplus_refused", "surplus that the export limit of {watts:.0f} W ({source}) refuses, "
            "above the target[, {bound}]", "above the target only what export refuses is stored", cause="bound"),
        Row("from_grid", "charges from the grid ({source})[, {bound}]", "the site may import to charge",
            cause="bound"),
        Row("on_site_ramp", "no faster than its ramp (site.yaml)",
            "site.yaml says how many watts a second it may rise; what falls, falls at once", passes=True),
        Row("charge_cap", "at most {watts:.0f} W ({source})", "somebody limits the charging of all together"),
        Row("charge_rate", "at the rate of {percent:g} % ({source})",
            "somebody limits each battery to a part of its power"),
        Row("batteries_take_all", "all that the batteries take", "there is more, and they can do no more"),
        Row("grid_charging_cap", "from there at most {watts:.0f} W ({source})",
            "somebody limits what is taken from the grid to charge"),
        Row("import_target", "up to the import target of {watts:.0f} W ({source})",
            "somebody wants so much import, no more"),
        Row("import_limit", "up to the import limit of {watts:.0f} W ({source})", "somebody limits import"),
    ),
    "Why all batteries together discharge": (
        Row("covers_load", "covers the load[, at most {bound}]", "the load is more than what comes from the sun",
            cause="bound"),
        Row("import_above_limit", "import above its limit ({source})[, at most {bound}]",
            "batteries give only what is above the limit", cause="bound"),
        Row("export_target", "for the export target of {watts:.0f} W ({source})[, at most {bound}]",
            "batteries give what PV leaves open of the wanted export", cause="bound"),
        Row("battery_powers", "what the power limits of the batteries allow", "they can do no more"),
        Row("discharge_cap", "the discharge limit of {watts:.0f} W ({source})",
            "somebody limits the discharging of all together"),
        Row("discharge_rate", "the rate of {percent:g} % ({source})",
            "somebody limits each battery to a part of its power"),
        Row("generation_leaves", "what the generation limit of {watts:.0f} W ({source}) leaves",
            "PV and batteries together may make no more"),
        Row("above_asked_minimum", "what is above the minimum of {percent:g} % ({source}), which is nothing",
            "somebody wants so much kept in the batteries"),
        Row("above_minimum", "what is above the minimum state of charge, which is nothing",
            "each battery keeps what its minimum says"),
        Row("storage_mode_releases", "nothing, battery_storage_mode 0 ({source}) releases the batteries",
            "they do what their own settings say"),
        Row("no_battery_to_command", "nothing, there is no battery to command", "none is there, or none is ours"),
    ),
    "Why all batteries together idle": (
        Row("nothing_to_do", "nothing to charge with and no load to cover", "batteries rest"),
        Row("nothing_seen_to_charge_with", "nothing seen to charge with", "batteries rest"),
        Row("load_not_covered", "no battery can cover the load[, at most {bound}]",
            "each is empty, away or not ours, or the inverter has no room for it", cause="bound"),
        Row("all_full", "no battery takes more: full",
            "there is more than is used; it is exported, or PV is held back"),
        Row("no_battery_may_charge", "no battery may charge, {bound}",
            "there is more than is used; it is exported, or PV is held back", cause="bound"),
        Row("exported_first", "the surplus is exported, export first ({source})",
            "export comes before the batteries; they take what its limit refuses"),
        Row("exported_at_target", "the surplus is exported, batteries are at their target ({source})",
            "above it only what export refuses is stored"),
        Row("no_charge_needed", "grid charging enabled ({source}), no charge needed",
            "and while it is enabled, batteries do not discharge for the load"),
        Row("nothing_held_back", "nothing is held back, and there is no battery to command",
            "there is nothing to decide but the AC limits"),
    ),
    "What the site waits for or tries": (
        Row("import_left_to_ac_limits", "leaves an import of {watts:.0f} W to the AC limits",
            "limits that rise end it sooner than batteries that give way", passes=True),
        Row("tries_hidden_pv", "tries for {watts:.0f} W of PV that a limit may hide",
            "an inverter stands at its limit; charging is raised step by step to see what its PV could do",
            passes=True),
        Row("tries_less_discharge", "discharges {watts:.0f} W less for a moment: is PV held back for it?",
            "some hybrids cut their own PV where it does not fit beside the discharge; PV that is there fills the gap",
            passes=True),
        Row("held", "held at {watts:.0f} W: {why}", "the battery power of all together stays as it was",
            passes=True, cause="why", cause_means=True),
        Row("not_for_a_question", "batteries do not make up for a question to the meter",
            "what is taken away for a moment comes back by itself"),
        Row("too_little_to_turn", "too little to turn for",
            "so little is not worth changing between charging and discharging"),
        Row("small_change", "change under 1 %", "so small a change is not worth a register write"),
    ),
    "What cannot be kept or served": (
        Row("import_limit_not_kept",
            "import limit {limit_watts:.0f} W ({source}) cannot be kept, exceeded by {watts:.0f} W: {why}",
            "nothing that may be commanded keeps it; what can be served is served", cause="why"),
        Row("ac_limit_not_kept", "{limit} cannot be kept, exceeded by {watts:.0f} W: {names} cannot be limited",
            "nothing that may be commanded keeps it; what can be served is served", cause="limit"),
        Row("not_served", "{watts:.0f} W not served: {why}", "more is wanted than all batteries together can do",
            cause="why"),
        Row("batteries_give", "batteries give at most {bound}", "and the rest comes from the grid", cause="bound"),
        Row("of_battery", "{name} {why}", "what holds one battery back", cause="why", cause_means=True),
        Row("no_battery", "no battery", "there is none that could do it"),
    ),
    "The share of a battery": (
        Row("share_by_capacity", "share by capacity", "all states of charge move by the same percent"),
        Row("share_to_equal_soc", "share towards a common state of charge[, stands at {percent:.0f} %]",
            "the emptier charge more, the fuller discharge more"),
        Row("waits_for_emptier", "waits for the emptier ones[, stands at {percent:.0f} %]",
            "its turn comes when the others have reached its state of charge"),
        Row("waits_for_fuller", "waits for the fuller ones[, stands at {percent:.0f} %]",
            "its turn comes when the others have reached its state of charge"),
        Row("runs_for_all", "runs for all, few batteries suffice",
            "inverters waste power at low load; they take turns"),
        Row("rests_few_suffice", "rests, few batteries suffice",
            "inverters waste power at low load; they take turns"),
        Row("all_run", "all batteries run", "less would not suffice"),
        Row("nothing_asked", "nothing asked", "the site wants nothing of the batteries"),
        Row("full", "full at {percent:g} %[, maximum {maximum_percent:g} % ({source})]", "it takes no more charge"),
        Row("empty", "empty at {percent:g} %[, minimum {minimum_percent:g} % ({source})]", "it gives no more"),
        Row("at_target", "charged to its target of {percent:g} %[ ({source})]",
            "above it only what export refuses"),
        Row("rests_before_turn", "rests before it turns",
            "some makes need a pause between charging and discharging"),
        Row("not_reachable", "not reachable", "it takes no part now"),
        Row("load_limit", "load limit {watts:.0f} W[ ({source})]", "no more may be drawn from AC for charging"),
        Row("at_power_limit", "at its power limit of {watts:.0f} W[, {detail}]",
            "it does all it can; the others take the rest", cause="detail"),
        Row("cap_of_site_yaml", "{field} (site.yaml)", "site.yaml says so for this battery"),
        Row("rate_of_battery", "rate {percent:g} % ({source})", "somebody limits each battery to a part of its power"),
        Row("rest_of_rating", "the rest of its inverter's rating", "more does not fit through its inverter"),
        Row("rating_less_pv", "what PV leaves of its inverter's rating", "more does not fit through its inverter"),
        Row("near_full", "takes no more near full", "it was asked for more and took less"),
        Row("takes_no_more", "takes no more than that", "it was asked for more and took less"),
        Row("gives_no_more", "gives no more than that", "it was asked for more and gave less"),
        Row("on_battery_ramp", "rises at most {watts_per_s:.0f} W a second",
            "site.yaml says how many watts a second it may rise; what falls, falls at once", passes=True),
        Row("just_back", "has just come back, its share rises step by step",
            "its inverter was away; a jump would be felt", passes=True),
    ),
    "What else is said of a battery": (
        Row("charges_from_ac", "may charge from AC: own PV does not suffice",
            "PV of other inverters, or the grid where that is allowed, feeds it"),
        Row("permission_left", "may still charge from AC: the permission is seldom worth a write",
            "it does not need to now", passes=True),
        Row("not_following", "its battery has not followed for 30 s",
            "it is asked for little more than it gives, so that the others take the rest"),
        Row("ac_limit_holds_discharge", "discharges less than asked: its AC limit was {watts:.0f} W",
            "PV and discharge share what the AC limit of their inverter lets through; the battery could give more"),
        Row("gives_too_much", "its battery goes on giving more than asked, the others give less",
            "what it really gives is counted, not what it was asked for"),
    ),
    "Limits on AC": (
        Row("ac_held_down", "AC held down: {why}", "more could be made than the limits leave room for", cause="why"),
        Row("leaves_room", "{limit} leaves {watts:.0f} W for AC[, {other} would leave more]",
            "all inverters share this room, those that are not held back first", cause="limit"),
        Row("leaves_room_unseen", "{fault}, {limit} leaves {watts:.0f} W for AC[, {other} would leave more]",
            "safe even if nothing is consumed, because nobody knows what is", cause="limit"),
        Row("export_limit", "export limit {watts:.0f} W ({source})", "somebody limits what flows to the grid"),
        Row("export_limit_with_buffer", "export limit {limit_watts:.0f} W ({source}), "
            "raised to the charge buffer of {watts:.0f} W (site.yaml),",
            "batteries are to take what is above the limit"),
        Row("export_limit_of_failsafe", "failsafe export limit {watts:.0f} W (site.yaml)",
            "safe even if nothing is consumed, because nobody knows what is"),
        Row("generation_limit", "generation limit {watts:.0f} W ({source})", "somebody limits what all make together"),
        Row("generation_limit_less_away", "generation limit {watts:.0f} W ({source}), "
            "of which {away_watts:.0f} W are for inverters that are away,",
            "they do not answer, and may be making power"),
        Row("rating_unknown", "its rating is unknown; ac_max_watts in site.yaml would say it",
            "a limit in percent needs to know of what"),
        Row("takes_no_limit", "it takes none", "the device has no AC limit to set"),
        Row("only_battery", "it has no PV, the command for its battery says it all", "it may make all it can"),
        Row("nothing_limits_ac", "nothing limits AC", "it may make all it can"),
        Row("rising_to_no_limit", "rising step by step to no limit",
            "nothing limits AC any more; the last limit goes up second by second"),
        Row("throttled", "throttled", "it makes what its limit allows; its PV may be able to do more", passes=True),
        Row("limit_rises", "rises at most {watts_per_s:.0f} W a second",
            "a limit falls at once and rises slowly, because nobody knows what PV is behind it", passes=True),
        Row("limit_held", "held: change under 1 %", "so small a change is not worth a register write", passes=True),
    ),
    "Outside of the usual cycle": (
        Row("stop_safe_limit", "stop: limit that is safe at zero load", "it holds until the orchestrator is back"),
        Row("stop_released", "stop: released", "every inverter is as it was without the orchestrator"),
        Row("released_by_hand", "released by hand", "`orchestrator release` hands the device back"),
        Row("battery_no_longer_ours", "the battery is left to itself from now on", "site.yaml no longer commands it"),
        Row("commissioning", "commissioning", "a trial that is watched by hand"),
        Row("the_same_for_all", "the same for all", "a way to control that rehearsals compare with"),
    ),
}
"""By what they are about. Everything that is known of a code stands in its row, and nowhere else."""
# fmt: on

ROWS: Final[Mapping[str, Row]] = {row.code: row for rows in TABLE.values() for row in rows}


def say(reason: Reason) -> str:
    """The words of a reason, with its facts. A code without a row (of another version) is said as it is."""
    row = ROWS.get(reason.code)
    return fill(row.words, {name: _said(fact) for name, fact in reason.values.items()}) if row else reason.code


def say_all(reasons: Iterable[Reason]) -> tuple[str, ...]:
    """The words of each."""
    return tuple(map(say, reasons))


def _said(fact: Fact) -> object:
    if isinstance(fact, Reason):
        return say(fact)
    return "; ".join(map(say, fact)) if isinstance(fact, tuple) else fact
