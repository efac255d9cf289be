"""Whether the meter is to be believed: its silence, its votes, and the question that it is asked.

Everything the plant decides rests on one meter, so a meter that lies is worse than one that is silent. Nobody else
can say whether it lies; but the plant moves its own AC power, and knows by how much. What the inverters make more,
an honest meter must show less. Three faults follow, and each of them is a failsafe:

- Silent (`silence`): no answer for too long, or nothing but nonsense.
- Frozen (`trust`): AC power has moved away from where it was at the meter's last new value, and for three of the
  meter's own periods the value has stayed the same. The period is learned from the gaps between values; before four
  of them are known it counts as 1 s, or as site.yaml says. A frozen meter stays frozen until it shows another value.
- Reversed (`votes`): each new value is held against the move of AC power since the value before. A move larger than
  the unrest of the load is a witness. The meter moved the other way: one vote for it, which wipes out all votes
  against it. It moved the same way by the same amount: a vote against it (three quarters of one where it was read
  between two moves). Three such votes that are not alike accuse it; two votes for it acquit it. Load that happens to
  move twice as far as AC power looks exactly like a reversed meter: hence three votes, from moves of different size.

A plant at rest moves nothing, so it proves nothing, and a frozen meter could hide an export for ever. Then the plant
asks (`question`): it lowers its AC limits by 2 % of all ratings (more for each vote against the meter), for at most six
seconds at a time, and looks whether the meter sees it. It asks only where an export limit could be exceeded unseen,
never by raising anything, and rarely: soon where there is a vote against the meter or where a value that never used to
rest now does, else after `control.failsafe.ask_meter_after_s`.

When the set of inverters that answer changes, that new value is no evidence for either side, but what was known still
holds. A value that stays the same goes on being held against those that still answer.
The evidence is one frozen record (`decide.memory.MeterTrust`), made anew by each step.
"""
