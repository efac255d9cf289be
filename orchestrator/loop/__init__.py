"""When a step is made, and with what: the loop of the site without threads.

A decision is only as good as its readings are simultaneous. Load is meter plus AC power; if the two were read half a
second apart, the load contains whatever the inverters moved in between, the plant answers a load that does not exist,
and never settles. So the meter sets the pace (`cadence`): a new value begins a cycle, all inverters are told to read at
that moment, and the decision waits for them, but for 0.3 s at most. A value that comes too soon after the last cycle
waits, and where the meter's next poll is near that one is taken instead. A value that the last decision leads one to
expect (where the meter was, where the batteries are sent, and all between) is no news: it begins a cycle after a whole
interval, any other after half of one. A meter with nothing new only delays the cycle: a watchdog begins it after one
and a quarter intervals.

Nobody slow or dead holds up the others (`presence`). Only inverters that were in time the last time are waited for; the
sample of a late one is used when it comes. One that failed, has said nothing for two intervals (or for one reply, if it
is known to be slow), or whose sample is too old is away: it is left out, never replaced by its last value. The picture
is then frozen, and everything is computed from it anew; so a lost message costs one period and nothing more. At the
start the first decision waits up to 3 s for every device, because before that it would rest on guesses.

Who obeys is not told the same again. Each report of an inverter says which command it was last seen to obey, and until
when that needs no renewal (`devices.told`); only then a command that asks the same is not sent. So nothing can be lost:
what did not arrive, or is not in force any more, is not reported, and is sent with each decision until it is.

A limit that falls does not wait for the next cycle (`in_force.is_stricter`): it is obeyed at once from the newest
samples, at most five times a second, however fast messages come. A wish, or a limit that rises, is in time with the
next cycle. A setpoint that ends is looked at when it ends.

A changed configuration (`reconfiguration`) touches only what changed: devices that are no longer ours are handed back,
those that are new are not waited for, and what is known of all others stays known.
"""
