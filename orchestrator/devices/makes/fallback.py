"""What a device of a make goes back to when nobody speaks to it any more, in words for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchestrator.devices.makes.command_schema import Revert
from orchestrator.devices.makes.schema import Profile
from orchestrator.devices.profiles.device import register_value, revert_of

NEVER = "never by itself: it stays as it was told last"
OF_MODEL = "after the revert time of the model, where the device has one"
OWN_DEFAULT = "its own default"


def fallbacks(profile: Profile, fixed: Mapping[int, int] | None = None) -> Iterator[str]:
    """One text for the AC limit and one for the battery, as far as they can be commanded.

    `fixed` are the words that one device said when it was found; without them it is what is known of the make.
    """
    limit, battery, use = profile.commands.ac_limit, profile.commands.battery, profile.sunspec
    if limit is not None:
        yield f"AC limit: {_words(profile, limit.revert, fixed)}"
    elif use is not None and use.ac_limit:
        yield f"AC limit: {OF_MODEL}"
    if battery is not None:
        yield f"battery: {_words(profile, battery.revert, fixed)}"
    elif use is not None and use.battery:
        yield f"battery: {OF_MODEL}"


def _words(profile: Profile, revert: Revert, fixed: Mapping[int, int] | None) -> str:
    goal = OWN_DEFAULT if revert.falls_to is None else f"what `{revert.falls_to}` says"
    if fixed is None and revert.only_while is not None:
        time = f"the time in `{revert.told_by}`" if revert.told_by else f"{revert.after_s:g} s"
        return (
            f"as it is set: to {goal} after {time} while `{revert.only_while.register_}` says so, and else not at all"
        )
    if fixed is not None:
        said = None if revert.falls_to is None else register_value(profile, revert.falls_to, fixed)
        goal = goal if said is None else f"{said:g} %"
        revert = revert_of(profile, revert, fixed)
    if revert.after_s is not None:
        return f"to {goal} {revert.after_s:g} s after the last write"
    if revert.register_ is not None:
        return f"to {goal} after the time that `{revert.register_}` was told"
    return NEVER
