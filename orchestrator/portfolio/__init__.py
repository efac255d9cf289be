"""A portfolio is a site whose inverters are sites: what a site says of itself, what it is told, and what it took of it.

Upward a site publishes its aggregate, which reads like the state of one inverter. Downward comes one command at a time,
with a validity and a sequence number. The number, and not what a broker keeps, says which command is the newest: one
that is repeated is answered again and renews nothing, one with a lower number never counts. Every command is answered:
accepted, clipped (to what, by which bound) or refused (why). What nobody answered is sent again, the same bytes, as
long as it is the newest and valid.

A command is one source of setpoints among those of the site, the first of all: it can only narrow what they leave, and
where the order decides, the site's own come later and win.
"""
