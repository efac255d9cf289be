"""The words of troubles: why a device does not answer, or is not believed, with what to do about it.

The same trouble has the same words at each try, so that it is told once. `where` is a host and port, or a serial port;
`device` is the profile of a make, or a SunSpec model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from orchestrator.reason import Reason, because
from orchestrator.reason.template import Row, by_code, say_by

# fmt: off
TROUBLES: Final[Mapping[str, tuple[Row, ...]]] = {
    "Why a device does not answer": (
        Row("refuses_connection",
            "{where} refuses the connection: is `port` right, and is Modbus TCP switched on in the device?",
            "the host is there, and nothing listens at this port"),
        Row("no_connection_in_time",
            "{where}: no connection in time: is `host` right, and is the device on, in this network?",
            "nobody has this address, or a firewall drops what is sent"),
        Row("no_way_to_host",
            "{where}: there is no way to this host: is `host` right, and is the device on, in this network?",
            "the network knows nobody with this address"),
        Row("no_connection", "{where}: no connection ({words})", "the system says why"),
        Row("host_not_known", "{where}: {words}: is `host` written right? An IP address needs no name server",
            "no address is known of this name"),
        Row("hung_up",
            "{where}: no connection ({words}): is this a Modbus port, and does nobody else hold the connection?",
            "the connection was ended in place of an answer"),
        Row("closed_by_device", "closed by the device", "it has ended the connection"),
        Row("closed_by_gateway", "closed by the gateway", "it has ended the connection"),
        Row("nothing_sent", "nothing can be sent", "the port takes nothing"),
        Row("name_not_known", "the host name '{host}' is not known ({words})", "the name server says so"),
        Row("no_name_server", "the host name '{host}' is not known: no name server has answered",
            "the network, or its name server, is away"),
        Row("other_frame", "a frame of protocol {protocol} with {bytes} bytes", "another protocol is spoken there"),
        Row("other_function", "function {answered} answers function {asked}", "it answers what was not asked"),
        Row("no_answer", "{where}: no answer in time: it is connected, so is `unit_id` {unit_id} right?",
            "the connection stands, and nothing came over it"),
        Row("gateway_no_answer",
            "{where}: the gateway gets no answer from the device (exception {exception}): is `unit_id` {unit_id} "
            "right, and is the device on and wired?", "the gateway is there, and the device behind it is silent"),
        Row("no_modbus", "{where}: this is no Modbus TCP ({words}): is `port` right?",
            "what came over the connection is something else"),
        Row("refused", "{where}: refused with exception {exception}", "the device does not allow it now"),
        Row("busy", "the device refuses to be read for now (Modbus exception {exception})", "it is tried again"),
        Row("wrong_length", "{where}: {got} words instead of {wanted}", "the answer is not one to what was asked"),
        Row("others_first", "it has not been looked for yet: others behind the same host and port come first",
            "its turn comes"),
        Row("not_heard_yet", "nothing has been heard of it yet", "it has not been read so far"),
        Row("silent_for", "nothing has been heard of it for more than {seconds:g} s", "it does not report any more"),
        Row("meter_not_heard", "nothing has been heard of it in time", "its last reading is too old"),
        Row("reading_failed", "its last reading failed ({kind})", "the device gave no more to know"),
        Row("reading_too_old", "its last reading is too old: others on its serial line take the time",
            "the line is too slow for all that is on it"),
        Row("state_too_old", "no state on {topic} that is young enough",
            "whatever publishes the state of this device is silent"),
        Row("site_not_heard", "nothing has been heard of this site yet", "the site has not told anything so far"),
        Row("site_silent_for", "nothing has been heard of this site for more than {seconds:g} s",
            "the site, or the way to it, is away"),
        Row("meter_of_site_silent", "the meter of this site is silent", "the site itself does not hear its meter"),
        Row("no_meter_of_sites", "no site says what its meter shows", "the sum has nothing to add up"),
        Row("as_said", "{words}", "what a device or another program says, in its own words"),
    ),
    "Why a serial line does not answer": (
        Row("no_such_port",
            "no such port {where}: is the adapter plugged in, and passed on to a container? there is {ports}",
            "other serial ports are there, this one is not"),
        Row("no_port_at_all",
            "no such port {where}: is the adapter plugged in, and passed on to a container? no serial port is there "
            "at all", "the system has no serial port"),
        Row("port_not_allowed",
            "no permission for {where}: add the user to the group dialout (sudo usermod -aG dialout USER), and start "
            "anew", "the port belongs to others"),
        Row("port_held",
            "{where} is held by another program, or is in site.yaml by a second name: a line has one master only",
            "somebody else has it open"),
        Row("nothing_behind_port", "{where} is there, but nothing is behind it: has the adapter been pulled? ({words})",
            "the name of the port is left over"),
        Row("no_serial_port", "{where} is no serial port", "it is a file of another kind"),
        Row("port_not_opened", "{where} cannot be opened ({words})", "the system says why"),
        Row("port_gone", "{where} is gone ({words}): has the adapter been pulled? It is looked for again",
            "it was open until now"),
        Row("no_answer_on_line",
            "{where}: no answer in time from unit {unit_id} at {settings}: are `unit_id`, speed and parity those of "
            "the device, and A and B not swapped?", "the port is open, and nothing came over it"),
        Row("wrong_checksum",
            "{where}: what unit {unit_id} answers has a wrong checksum: do two devices have this unit, and is the line "
            "terminated at both ends, with its shield and ground?", "the line is disturbed, twice in a row"),
        Row("breaks_off",
            "{where}: the answer of unit {unit_id} breaks off: is the line terminated, and does nobody else send on "
            "it?", "half an answer came, twice in a row"),
        Row("never_silent", "{where}: the line is never silent: is there another master on it? A line has one only",
            "others send without a pause"),
    ),
    "Why a device is not believed": (
        Row("other_serial", "{device}: serial number {found} answers, site.yaml expects {expected}",
            "another device has this address; it is never written to"),
        Row("other_make", "not a device of {make} ({device}): {shown}", "`driver` in site.yaml is of another make"),
        Row("setting_wrong", "{device}: {shown}: {because}", "the meter counts in another way than is relied on"),
        Row("other_generation", "{device}: its SunSpec models are not those of the generation {generation}",
            "another driver of this make fits"),
        Row("says", "{register} says {reading}", "what a register holds"),
        Row("cannot_be_read", "{register} cannot be read", "the device has no such register"),
        Row("no_meter_of_make", "{device}: no meter is known of this make", "another driver reads the meter"),
        Row("meter_at_rest", "{device}: the meter does not measure ({shown})", "it says of itself that it does not"),
        Row("meter_without_power", "{device}: the meter shows no power", "the value that matters is not there"),
        Row("power_beyond_reason", "{device}: the meter says {watts:g} W", "no grid connection has so much"),
        Row("meter_asleep", "{device}: the meter says 0 W at 0 Hz: it is asleep",
            "a live connection never shows that"),
        Row("no_grid_frequency", "{device}: the meter says {hertz:g} Hz; is it of this make?",
            "no grid has this frequency, so the registers mean something else"),
        Row("nothing_read", "{device}: nothing of it was read", "all that was asked for was refused"),
        Row("all_zero", "{device}: all registers are zero", "some devices answer zeros for a moment"),
        Row("no_sunspec_map", "no SunSpec map at {bases}: this is not a SunSpec device, or it is off there",
            "SunSpec can be switched on in many devices; others need the driver of their make"),
        Row("chain_without_end", "the chain of models has no end: more than {most} models before {address}",
            "the map of this device is broken"),
        Row("common_model_broken", "model 1 at {address} says that it has {words} words, but it has 65 or 66: "
            "the map of this device cannot be followed", "the map of this device is broken"),
        Row("no_usable_model", "the SunSpec map has no inverter model (101 to 103, 111 to 113, 701) and no meter model "
            "(201 to 204, 211 to 214)[; models found: {models}]", "it is a device of another kind"),
        Row("no_meter_model", "the SunSpec map has no meter model (201 to 204, 211 to 214)[; models found: {models}]",
            "it is no meter"),
        Row("meter_not_inverter", "the SunSpec map is that of a meter, not of an inverter[; models found: {models}]",
            "meter and inverter have different unit ids"),
    ),
    "What a scan says of what it cannot use": (
        Row("at_endpoint", "{where}: {what}", "said of a host and port, or of a line"),
        Row("at_unit", "{where} unit {units}: {what}", "said of one unit"),
        Row("at_units", "{where} units {units}: {what}", "said of several units alike"),
        Row("no_unit_answers", "the port is open, but none of the units answers Modbus",
            "it is no Modbus, or its unit id is another"),
        Row("answers_unknown", "it answers, but nothing that is known: {what}", "no driver knows its registers"),
        Row("perhaps_a_meter",
            "it does not say what it is, and may be a meter: {likenesses}. Compare that with its display before you "
            "use it", "only its numbers speak for it"),
        Row("like_by_hertz", "read by driver {driver} it has {hertz:.2f} Hz and {watts:.0f} W", "a grid has these"),
        Row("like_by_counters", "read by driver {driver} it has {watts:.0f} W, and its counters add up to their total",
            "words of another map hardly ever do"),
        Row("like_by_direction", "read by driver {driver} it has {watts:.0f} W, and one of its two directions is 0",
            "words of another map hardly ever do"),
    ),
}
"""By what they are about."""
# fmt: on

_ROWS: Final[Mapping[str, Row]] = by_code(TROUBLES)


def say_trouble(why: Reason) -> str:
    """The words of a trouble, with its facts."""
    return say_by(_ROWS, why)


def as_said(words: str) -> Reason:
    """What a device or another program says of its trouble, as it is."""
    return because("as_said", words=words)
