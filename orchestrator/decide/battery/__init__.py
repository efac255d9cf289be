"""Battery power: the target of the site, the share of each battery, its command, and whether it obeys.

One decision for all, then many commands. `target` adds the batteries up to one (limits summed over those that can do
it, state of charge weighted by capacity over those that matter for the direction), and has `decide.power_flow` say how
much it should charge or discharge. The target is settled: a change under 1 % of the limit waits, and a change of
direction that small goes through idle.

`sharing` spreads the target with the strategy of `decide.allocation`. Around it stand the rules that no strategy needs
to know: charging towards the target state of charge goes to batteries below it, and to the others only as far as the
export limit would refuse that power; a battery that has to rest before it turns takes no part; what one gives beyond
its share, the others give less; the load limit cuts what is drawn from AC, with the losses on the way (`drawing`).

`command` pins both sides of the battery's window to its share: a hybrid with a meter and ideas of its own could
otherwise work against the site (`batteryStorageMode` may leave one side free). Charging beyond its own PV needs
permission to charge from AC. It is given when needed, and taken back once own PV has sufficed for ten seconds.

Behind an AC limit of next to nothing, PV can only charge its own battery (`own_pv`). Nobody sees how much of it there
is, so the window is open for all that the battery takes, from PV only: that neither exports nor imports, and needs no
guess. While the meter says nothing the same holds behind every limit (`holding`). Under `equal_soc` it gives up what is
beyond its share once the others take that from AC (`ac/levelled`).

Where limits hold on each phase (`phase_help`), shares are changed for a phase that would exceed its own: by batteries
that are on it alone, whatever the sum asks for.

Whether a battery does what it is told is decided in one place, `decide.following`. Here it has consequences: for one
that has stalled nobody counts on its own curtailed PV to follow, so it may get permission to charge from AC; one that
is short is asked for little more than it gives; the others are shared around a stubborn one.
"""
