"""The words of refusals: why a request of page or API is not carried out, and why a message cannot be read.

Each is what `error` of an answer says. What a value may be is a reason of its own, behind the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from orchestrator.reason import Reason
from orchestrator.reason.template import Row, by_code, say_by

# fmt: off
REFUSALS: Final[Mapping[str, tuple[Row, ...]]] = {
    "Why a request is refused": (
        Row("too_many_wrong_tokens", "too many wrong tokens", "who guesses has to wait"),
        Row("too_many_requests", "at most {per_s:.0f} requests a second", "a loop that asks without a pause"),
        Row("page_of_another_site", "this request comes from the page of another site",
            "a browser was led here by somebody else's page"),
        Row("page_read_only",
            "this page is read-only: to change something over it, write a token or a password into site.yaml, such as "
            "{example}, and reload; docs/api.md tells how", "nobody may change anything before that"),
        Row("change_needs_token", "a change needs the change token, or a session of the password",
            "looking needs less than changing"),
        Row("no_token_of_site", "this is no token of this site, or the session is over", "sign in again"),
        Row("token_needed", "a bearer token is needed", "site.yaml has `metrics.token`"),
        Row("name_not_allowed", "this name is not in metrics.allowed_hosts", "the server is not called by this name"),
        Row("only_methods", "only {methods}", "this path takes no other method of HTTP"),
        Row("body_of_other_type", "the body must be {content_type}", "its head says another one"),
        Row("body_too_long", "at most {bytes:.0f} bytes", "nothing that is asked here is so long"),
        Row("no_body_here", "a request has no body here", "this path only tells"),
        Row("no_password_set", "no page.change_password is configured; sign in with the change token",
            "there is no password that could be right"),
        Row("passwords_spent", "too many wrong passwords; wait a minute", "who guesses has to wait"),
        Row("wrong_password", "this is not the password", "it is that of `page.change_password`"),
        Row("pause_lifts_limits", "a pause would lift {asked}, which only commanded batteries keep",
            "somebody asks for what only batteries can keep"),
        Row("release_lifts_limits", "a release would lift {asked}, which only commanded batteries keep",
            "somebody asks for what only batteries can keep"),
        Row("asked_by", "{field} ({source})", "who asks for what"),
        Row("no_file_to_reload", "this plant was not started with a site.yaml that could be read again",
            "it was started by a test or a simulation"),
        Row("reloads_waiting", "other reloads are waiting already", "one after the other"),
        Row("streams_taken", "there are {most:.0f} streams already", "many pages are open"),
        Row("no_such_inverter", "there is no inverter of this name", "site.yaml has none"),
        Row("no_curves_kept", "no curves are kept, because page.enabled is false", "site.yaml says so"),
        Row("disk_busy", "the disk is busy; ask again", "others read from it"),
        Row("disk_silent", "the disk does not answer", "it may be broken, or far too slow"),
        Row("file_not_read", "it cannot be read: {trouble}", "the system, or the file itself, says why"),
    ),
    "Why a setting up by page does not go on": (
        Row("search_under_way", "another search is under way", "one after the other"),
        Row("other_device_read", "another device is being read", "some devices talk to one program only"),
        Row("file_exists", "{file} exists; it is not replaced without being told", "what is in it would be lost"),
        Row("file_not_written", "{file} cannot be written: {trouble}", "the system says why"),
        Row("nothing_written", "nothing is written yet", "there is no site to be started"),
        Row("would_command", "this site would command its devices: start it yourself, with orchestrator run",
            "a page starts a site in shadow mode only"),
    ),
    "What is wrong with a body or a message": (
        Row("asks_for_nothing", "it asks for nothing: name at least one field, such as {example}", "it is empty"),
        Row("field_unknown", "unknown field {name}[; did you mean {nearest}?]",
            "no setpoint has such a field"),
        Row("field_not_wanted", "unknown field {name}; {wanted} is wanted, and nothing else",
            "nothing else can be asked here"),
        Row("value_wrong", "{field} must be {allowed}", "the field takes no such value"),
        Row("body_wanted", "a body such as {example} is wanted, and nothing else", "it says something else"),
        Row("whole_number_wanted", "{name} must be a whole number from {least:.0f} to {most:.0f}",
            "a part of the address is wrong"),
        Row("end_needed", "an end is needed: either {time} (a time) or {length} (seconds)",
            "nothing is set by hand for ever"),
        Row("length_wrong", "{name} must be a number from 1 to {most:.0f} (seconds)", "so long may it hold"),
        Row("end_out_of_range", "{name} must be after now ({now}), and no more than 31 days ahead",
            "so long may it hold"),
        Row("switch_wanted", "true or false", "what a switch may be"),
        Row("number_wanted", "a number from {lowest:.0f} to {highest:.0f} ({unit})", "what a number may be"),
        Row("choice_wanted", "{names} or {last}", "what a choice may be"),
        Row("message_too_long", "the message is longer than {bytes:.0f} bytes", "no sender means that"),
        Row("message_not_text", "the message is not UTF-8 (byte {byte:.0f})", "it is no text"),
        Row("message_not_json", "the message is not JSON: {words} (line {line:.0f}, column {column:.0f})",
            "it is no text of this kind"),
        Row("message_too_deep", "the message is nested too deeply; an object of plain values is wanted",
            "no sender means that"),
        Row("message_no_object", "the message must be a JSON object such as {example}, not {shown}",
            "it is something else"),
        Row("member_twice", "{name} is given twice", "nobody knows which one is meant"),
        Row("time_wrong", "{name} must be a time with its offset such as {example}, not {shown}",
            "a time without offset may be any"),
        Row("list_given", "a list", "what was given"),
        Row("object_given", "an object", "what was given"),
        Row("null_given", "null (leave the field out to ask for nothing)", "what was given"),
        Row("retained_without_time", "a retained message needs time: nobody knows how old it is",
            "a broker keeps messages for ever"),
        Row("time_ahead", "time is {seconds:.0f} s in the future; here it is {now}", "one of the two clocks is wrong"),
        Row("member_wrong", "{name}: {what}", "one value of the message"),
        Row("member_unknown", "unknown field", "the message has a field that nobody knows"),
        Row("member_missing", "missing", "the message lacks a field"),
        Row("several_wrong", "{what}", "more than one value of the message"),
    ),
}
"""By what they are about."""
# fmt: on

_ROWS: Final[Mapping[str, Row]] = by_code(REFUSALS)


def say_refusal(why: Reason) -> str:
    """The words of a refusal, with its facts."""
    return say_by(_ROWS, why)
