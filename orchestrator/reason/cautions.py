"""The words of cautions: what is allowed in a site.yaml, and worth a second thought. Each begins with its key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from orchestrator.reason import Reason
from orchestrator.reason.template import Row, by_code, say_by

_OFTEN: Final = "because load and sun are seen only that often"

# fmt: off
CAUTIONS: Final[Mapping[str, tuple[Row, ...]]] = {
    "What `check` warns of": (
        Row("buffer_ignored",
            "control.battery_charge_buffer_watts: ignored, because control.battery_power_flow is true",
            "the two ways to charge exclude each other"),
        Row("batteries_not_chosen",
            "control.battery_power_flow: not written, so batteries are not commanded, also where one is found",
            "commanding batteries has to be chosen"),
        Row("batteries_not_commanded",
            "control.battery_power_flow: false, so batteries are not commanded; only PV is limited",
            "site.yaml says so, and there are batteries"),
        Row("less_than_a_percent", "{where}: less than one percent; are percents from 0 to 100 meant?",
            "0.9 is a valid percentage, and hardly ever the one that is meant"),
        Row("time_out_long",
            "timeout_s: above {patient_s:g} s at {where}, which several devices share; while others answer, one that "
            "is looked for must answer within {patient_s:g} s", "one who is waited for keeps the others waiting"),
        Row("line_slow",
            "serial: {lines}; a cycle has {interval_s:g} s, so inverters are read less often than that (the meter and "
            "commands go first): a higher baud_rate, or a second line, helps", "limits are followed more slowly"),
        Row("line_takes",
            "{where} ({settings}): to read all that is on it takes about {cycle_s:.2g} s[, with the meter read every "
            "{meter_every_s:.2g} s]", "how busy a serial line is"),
        Row("line_too_slow",
            "control.sample_window_s: {window_s:g} s, but while commands are written it may take {longest_s:.0f} s "
            "until an inverter on {where} is read again, and until then it may count as away: a quicker line is "
            "better, {least_s} s here is the least", "inverters would be away by turns"),
        Row("server_open", "metrics.host: {host} can be read from other machines: OPEN, {how}",
            "whoever reaches the machine can read it"),
        Row("without_password", "without a password (metrics.token)", "no token is asked for"),
        Row("unencrypted", "unencrypted (metrics.certificate_file)", "others in the network can read along"),
        Row("without_password_and_unencrypted",
            "without a password (metrics.token) and unencrypted (metrics.certificate_file)", "both are missing"),
        Row("page_place_ignored", "{keys}: ignored, the page is where metrics.host and metrics.port say",
            "there is one server"),
        Row("page_open",
            "page.host: {host} can be read from other machines: OPEN, without a password and unencrypted; a "
            "section metrics with host, token_file, certificate_file and key_file closes it",
            "whoever reaches the machine can read it"),
        Row("changes_unencrypted",
            "page.change_token: tokens and passwords go unencrypted to {host}; write metrics.certificate_file, or have "
            "a proxy encrypt", "others in the network can read along"),
        Row("sign_not_written",
            "meter.sign: not written, so import counts as positive until proven otherwise; write it once it is known",
            "many meters count the other way"),
        Row("meter_read_seldom", f"meter.interval_s: {{seconds:g}} s: limits are followed up to {{seconds:g}} s late, "
            f"{_OFTEN}", "a limit is kept as well as the meter is quick"),
        Row("meter_read_very_seldom",
            f"meter.interval_s: {{seconds:g}} s: limits are followed up to {{seconds:g}} s late, {_OFTEN}, and a meter "
            "that falls silent is noticed after {silent_s:g} s, not within {most_s:g} s",
            "a limit is kept as well as the meter is quick"),
        Row("meter_renewed_seldom",
            f"meter.driver: {{driver}} has a new value every {{seconds:g}} s: limits are followed up to {{seconds:g}} "
            f"s late, {_OFTEN}", "reading it more often shows nothing new"),
        Row("meter_state_old",
            "meter.max_age_s: {seconds:g} s: a meter that falls silent is noticed after {seconds:g} s, not within "
            "{most_s:g} s, and until then limits are followed by its last value", "an old state is believed"),
        Row("meter_behind_inverter",
            "meter.unit_id: the address of {inverter}, so the meter is looked for in the registers of that inverter",
            "some makes show the meter there"),
        Row("revert_short",
            "control.revert_s: {seconds} s is less than {cycles} cycles of {interval_s:g} s; a short pause would make "
            "devices fall back to their own default", "a command ends before the next one comes"),
        Row("limits_stay",
            "control.failsafe.when_lost: after a kill the AC limits stay, and batteries go back to their own default "
            "{seconds} s later; a limit that counted charging from AC then lets the site export that much",
            "a battery's command ends by itself, an AC limit does not"),
        Row("limits_end",
            "control.failsafe.when_lost: release: {seconds} s after a kill the AC limits have ended, and the site may "
            "export without any limit until the orchestrator is back", "site.yaml says so"),
        Row("no_ac_limit_known",
            "inverters: no AC limit is known of the make of {inverters}: an export limit is kept by what batteries "
            "take and by the other inverters only; leave the export limit in the device itself on",
            "their PV is fed in whatever is asked for"),
        Row("no_default",
            "setpoints.mqtt: no default for {sources}: while such a source was never heard, the AC limits found in the "
            "devices hold; when its setpoint ends, it asks for nothing (an empty `default` says that this is meant)",
            "a source that is silent asks for nothing"),
        Row("phases_may_be_unknown",
            "control.limits_per_phase: should the meter not show the power of its three phases, each counts at its "
            "worst: an export limit then holds as if nothing were consumed", "not every meter shows its phases"),
    ),
}
# fmt: on

_ROWS: Final[Mapping[str, Row]] = by_code(CAUTIONS)


def say_caution(why: Reason) -> str:
    """The words of a caution, with its facts."""
    return say_by(_ROWS, why)
