"""The room for AC power: how much there is, who may use it, and the AC limits that follow.

A limit on export is a limit on AC: `sum(ac_watts) <= load_watts + export_limit_watts`. The right-hand side is the room
(`room`), less a hair for noise, plus what batteries draw from AC. A generation limit caps the same sum.

Handing it out. One percentage for all would leave the share of a shaded inverter unused. So the room goes, in this
order, to commanded discharge, to what unthrottled inverters make anyway, to throttled inverters without a battery, to
throttled hybrids (their PV can still charge their own battery; what they make is taken from them step by step), and
then to everybody, by nameplate within each tier. Throttled ones take at first only what their limit can rise into
before the next step; the rest is for those who can use it now. What hybrids make is only tried on PV that has used up
its limit, by little at first. Unthrottled inverters get a little headroom beside the room, all together at most 2 % of
nameplate, and beside hybrids so does PV that the sun holds: without it the limits hunt each passing cloud.

Curtailed PV cannot be seen (`curtailment`). An inverter at its limit shows the limit, not what its panels could do. So
while a battery could take more, the plant probes: it raises the battery target by a step and, in the same step, the AC
limit of the PV that must feed it. A step counts once the batteries have taken half of it. Steps grow with success and
shrink with failure, none is larger than what the sun may have risen by since it was seen without a limit, less what has
shown since (`plant.sun`), and after failures the next one waits for up to a minute. A step that the grid had to serve
has failed. A small import while PV is throttled is for the throttled PV to cover: batteries that discharged for it
would take its room, step by step, for good. A large one is left to it for two steps, and for longer while each step
leaves clearly less.

Under a generation limit the same is asked of discharge (`displaced`): a hybrid may cut its own PV where that does not
fit beside the discharge under its AC limit, and other PV may be held back for it too. So discharge is lowered by a step
while AC limits stay, and PV that fills the gap keeps it.

From room to command (`limit`). A limit falls at once and rises by the ramp, 20 % of rating a second where site.yaml
says nothing, and up to all of it while more is imported than the export limit and 2 % of nameplate: that is no export
that a wrong sign of the meter shows as import, so there is room. It jumps only to what the inverter is known to be
about to make. Changes under 1 % of rating wait, some seconds or for ever, except a reduction while a limit is being
exceeded. `device_steps` makes up for devices that take whole percents only.

Where limits hold on each phase (`phase_caps`), each phase hands out its room in the same way, and what the narrowest
leaves to an inverter is a cap on its share of the room of the site.

A limit never rises because something is unknown. After two steps above a limit, charging that is merely expected makes
no more room. An inverter that stays above its own limit (for 5 s, or for 2 s without coming nearer to it) is taken at
its word: the others get what it leaves of the room.
"""
