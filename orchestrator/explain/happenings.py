"""What each event is called, and what to do about it: one table for the page and for messages to people.

The English texts of the page are made of it by `python -m tools.reasons_page`; other languages are files beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Happening:
    """An event by its `title`, without a point at its end; `todo` are sentences, first things first."""

    title: str
    todo: tuple[str, ...] = ()


_ITSELF: Final = "It is tried again by itself."
_POWER: Final = "Has it power, and is its network or cable in order?"
_ADDRESS: Final = "Is its address in site.yaml still right?"
_ALLOWED: Final = "Is control by Modbus allowed in its own settings?"
_OTHER: Final = "Does something else command it: the maker's own manager or portal, a time plan, an EV charger?"
_RELOAD: Final = "Then: orchestrator check, and orchestrator reload."

HAPPENINGS: Final[Mapping[str, Happening]] = {
    "mode_normal": Happening("The plant runs normally"),
    "mode_failsafe": Happening(
        "The meter is not to be relied on: failsafe",
        (
            f"Look at the meter. {_POWER}",
            "Does another program use it? Some meters take only one connection.",
            "After work on the wiring: does it still count in the same direction (meter.sign)?",
            "The failsafe ends by itself when the meter is right again.",
        ),
    ),
    "mode_waiting": Happening(
        "Waiting for the first readings",
        ("Wait a moment. If it lasts, check meter and inverters as the page of the site says.",),
    ),
    "inverter_away": Happening(
        "An inverter does not answer",
        (
            "Has it power? At night many inverters without a battery switch off.",
            f"Is its network or cable in order? {_ADDRESS}",
            _ITSELF,
        ),
    ),
    "inverter_trouble": Happening(
        "An inverter still does not answer", ("The detail says what has changed.", f"{_POWER} {_ADDRESS}")
    ),
    "inverter_back": Happening("An inverter answers again"),
    "meter_trouble": Happening("The meter does not answer", (_POWER, _ADDRESS)),
    "meter_silent": Happening(
        "The meter is silent", (_POWER, _ADDRESS, "Until it is back, only what is safe without it is allowed.")
    ),
    "meter_frozen": Happening(
        "The meter shows the same all the time",
        ("Restart the meter or its gateway.", "If it comes back often, replace it."),
    ),
    "meter_reversed": Happening(
        "The meter counts the wrong way round",
        ("Do what the detail says: swap the transformers' direction, or write meter.sign into site.yaml.", _RELOAD),
    ),
    "meter_contradicts": Happening(
        "The meter contradicts what it showed before",
        ("Has somebody worked at the meter?", "Write meter.sign into site.yaml, as the detail says.", _RELOAD),
    ),
    "battery_not_following": Happening(
        "A battery does not do what it is told",
        ("Is it cold, nearly full or being calibrated? Then wait: it protects itself.", _OTHER, _ALLOWED),
    ),
    "inverter_not_following": Happening("An inverter makes more than its AC limit", (_OTHER, _ALLOWED)),
    "command_refused": Happening("A device refuses a command", (_ALLOWED, "The detail names the register.")),
    "command_ignored": Happening("A device takes a command and does not keep it", (_OTHER, _ALLOWED)),
    "command_lost": Happening(
        "A device has lost a command",
        ("It is written again by itself.", f"If it happens often: does the device restart? {_OTHER}"),
    ),
    "command_failed": Happening(
        "A command could not be carried out", (_ITSELF, "If it lasts, check the connection to the device.")
    ),
    "flash_budget_spent": Happening(
        "No more writes to the memory of a device today",
        (
            "Nothing at once: limits are still written.",
            "Is another controller changing the same settings? Else ask for fewer changes a day.",
            "The budget is flash_writes_per_day in site.yaml.",
        ),
    ),
    "flash_overspent": Happening(
        "A limit was written although the memory of the device wears",
        ("Ask for fewer changes of limits a day, or control this device less finely.",),
    ),
    "derating_found": Happening(
        "An inverter is set to less than its rating",
        ("If that is not meant, raise the limit in the settings of the device.",),
    ),
    "state_not_kept": Happening(
        "What must outlive a restart cannot be written", ("Check space and rights of the folder control.state_dir.",)
    ),
    "state_refused": Happening(
        "A device sends what cannot be read",
        ("Look at what publishes the values of this device; the detail says what is wrong.",),
    ),
    "clock_jumped": Happening(
        "The clock of this machine has jumped",
        ("Let the machine set its clock by NTP. Ends of setpoints depend on it.",),
    ),
    "setpoint": Happening("A setpoint has changed"),
    "reason": Happening("The reason has changed"),
    "status": Happening("State of the plant"),
    "rejected": Happening(
        "A setpoint was refused",
        ("Tell whoever sends it what is wrong, as the detail says.", "The former setpoint still holds."),
    ),
    "setpoint_by_hand": Happening("A setpoint was set by hand"),
    "setpoint_by_hand_withdrawn": Happening("The setpoint by hand was withdrawn"),
    "paused": Happening("Somebody has paused the batteries"),
    "pause_ended": Happening("The pause was ended"),
    "released": Happening("Somebody has released the plant", ("Resume on the page Change when the work is done.",)),
    "resumed": Happening("Control was resumed"),
    "reloaded": Happening("site.yaml was read again"),
    "reload_refused": Happening(
        "site.yaml has mistakes and was not taken",
        ("Mend what the detail names.", "The former configuration still holds."),
    ),
}
"""By the name of the event. `rejected` is that of a message of a source of setpoints."""
