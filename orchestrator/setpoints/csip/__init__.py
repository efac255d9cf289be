"""CSIP-AUS (IEEE 2030.5): what a utility server asks of the site, without the sockets.

    server -> documents -> resources -> book -> targets -> ramps -> a setpoint with a plan

- `documents` reads and writes the XML, `resources` are the records in it.
- `walk` goes through the server: it yields requests and takes answers, so that whoever has a socket performs them.
- `book` remembers the events: which one is in force for which field, and which responses are owed. An event that was
  superseded, cancelled or completed never comes back.
- `ramps` turns what is asked for from moment to moment into limits that change no faster than they may.
- `client` puts these together. Times are handed in: `now_s` is monotonic, and the server's own time follows from it.

The plan reaches five minutes ahead and is told again and again. So the schedule goes on while a request hangs, and when
nothing renews the plan any more, the `default` of site.yaml holds.
"""
