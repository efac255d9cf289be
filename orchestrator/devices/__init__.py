"""Devices: how one kind of device is read and commanded. `base` says what a driver is.

A driver is pure: it plans reads, turns words into a sample in our signs and units, and turns a command into groups of
writes. Registers that are not on its list cannot be written. `actors.device` sends; `write_policy` says when, from what
was written, what was read, and the time.

A group of writes is due in four cases:

- It was never written in this connection. Its revert timer is unknown then, so it is written even where the registers
  already show the value; only a group without a timer is left alone when they do.
- It changed. A group that leaves out a register does not change it.
- Its time has come. With a revert timer that is after 0.4 of its time: before half of it, so that one lost write still
  leaves time for another. A limit without a timer is renewed too, after 0.8 of `control.revert_s`, because devices
  lose limits; not in flash, and not what is the device's own default anyway.
- The device shows another value than was written: SunSpec allows a device to ignore a write without a word, and a
  control board may restart behind a connection that stays. It is written again with the next two readings and then
  more and more rarely, at least every 30 s (in flash: every hour); it is never given up. A value that still differs in
  the second reading is said to people.

Order within a group is the driver's and matters: rates before the mode that puts them in force, a whole block where
registers written one by one would contradict each other for a moment. A refused write ends its group, not the others.
After a lost connection everything is forgotten and written anew, because the device may have been off.

Flash wears out. A write to it counts against a daily budget (`flash_budget`), which is on disk before the write is
sent. Asking for more power waits until the day is old enough, and leaves the last fifth alone; a lower AC limit is
written even beyond the budget. Settings without any timer (charging from AC, connection) are recorded as they were
found (`as_found`) before they are first changed, and put back at the end.
"""
