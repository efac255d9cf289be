"""What is asked about a site once its devices are found: which of them, their names, the meter and its sign, limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, get_args

from rich.table import Table

from actors.commands.init.dialogue import Dialogue
from actors.commands.init.surroundings import meter_watts
from orchestrator.commissioning.drafts import answers
from orchestrator.commissioning.drafts.chosen_site import ChosenInverter, ChosenMeter, Limits, Sign, has_battery
from orchestrator.commissioning.drafts.device_lines import NAME_MAX, unique_names
from orchestrator.commissioning.drafts.meters import (
    Doing,
    is_behind_an_inverter,
    meters_among,
    sign_of,
    sign_seen,
    typed_meter,
)
from orchestrator.commissioning.scan_report import FoundDevice, plain
from orchestrator.errors import UsageError

SAFE_EXPORT: Final = "0"
USUAL_SOC_MIN: Final = "10"


@dataclass(frozen=True, slots=True)
class Given:
    """The answers of the command line; None is "not given". `names` are in the order of the inverters chosen."""

    only: str | None = None
    names: tuple[str, ...] = ()
    ratings: dict[str, str] = field(default_factory=dict)
    capacities: dict[str, str] = field(default_factory=dict)
    meter: str | None = None
    sign: str | None = None
    export_limit: str | None = None
    import_limit: str | None = None
    soc_min: str | None = None
    batteries: bool | None = None
    controls: bool | None = None


def choose_inverters(found: Sequence[FoundDevice], given: Given, dialogue: Dialogue) -> tuple[ChosenInverter, ...]:
    """Which of them belong to the site, and what each is called."""
    dialogue.show(_numbered(found))
    question = "Which of them belong to this site? (all, or numbers such as 1,3)"
    chosen = dialogue.ask(question, "all", partial(answers.choice, count=len(found)), given.only)
    devices = [found[index] for index in chosen]
    if given.names and len(given.names) != len(devices):
        raise UsageError(f"--names has {len(given.names)} names for {len(devices)} inverters")
    inverters: list[ChosenInverter] = []
    proposed = unique_names(devices)
    for index, device in enumerate(devices):
        check = partial(answers.name, taken=[each.name for each in inverters])
        own = given.names[index] if given.names else None
        where = f"Name of {device.title} at {device.address}"
        name = dialogue.ask(where, _free(proposed[index], inverters), check, own)
        inverters.append(_completed(ChosenInverter(name, device), given, dialogue))
    return tuple(inverters)


def _free(name: str, taken: Sequence[ChosenInverter]) -> str:
    """The proposed name, or one that no earlier answer has taken."""
    names, number, free = {each.name for each in taken}, 1, name
    while free in names:
        number += 1
        free = f"{name[: NAME_MAX - 4]}-{number}"
    return free


def _completed(inverter: ChosenInverter, given: Given, dialogue: Dialogue) -> ChosenInverter:
    """What it does not say of itself is asked for."""
    plate, name = inverter.device.nameplate, inverter.name
    if plate.ac_max_watts is None:
        question = f"{name} does not say its AC rating. What is on its type plate, in W? (none: not known)"
        watts = dialogue.ask(question, answers.NONE, answers.positive, given.ratings.get(name))
        inverter = replace(inverter, ac_max_watts=watts)
    if has_battery(inverter.device) and plate.capacity_wh is None:
        question = f"{name} does not say the capacity of its battery. How many Wh, or kWh? (none: not known)"
        capacity = dialogue.ask(question, answers.NONE, answers.positive, given.capacities.get(name))
        inverter = replace(inverter, capacity_wh=capacity)
    return inverter


def choose_meter(found: Sequence[FoundDevice], given: Given, dialogue: Dialogue) -> ChosenMeter | None:
    """The meter at the grid connection, and its sign; None where it is not known yet."""
    meters = meters_among(found)
    if meters:
        dialogue.show(_numbered(meters))
    else:
        dialogue.say("No meter was found. Some do not say what they are: then its address and its driver are needed.")
        dialogue.say("The drivers of meters are on the page docs/meters.md.")
    question = "Which one is at the grid connection? (its number, HOST[:PORT][/UNIT] DRIVER, or none)"
    default = "1" if meters else answers.NONE
    device = dialogue.ask(question, default, partial(_meter_of, meters=meters), given.meter)
    if device is None:
        return None
    return ChosenMeter(device, _sign(device, given, dialogue))


def _meter_of(text: str, meters: Sequence[FoundDevice]) -> FoundDevice | None:
    if text.lower() == answers.NONE:
        return None
    if text.isdecimal():
        return meters[answers.choice(text, len(meters))[0]] if meters else _no_number(text)
    address, _, driver = text.partition(" ")
    return typed_meter(address, driver)


def _no_number(text: str) -> FoundDevice:
    raise UsageError(f"{text!r}: there is no list to choose from; say its address and its driver, or none")


def _sign(device: FoundDevice, given: Given, dialogue: Dialogue) -> Sign:
    """Which direction the meter counts as positive, found out by what it shows and what the site does."""
    watts = meter_watts(device) if dialogue.is_asked and given.sign is None else None
    if watts is None or round(watts) == 0:
        question = "Which power does it show as positive? (import_positive, export_positive, or auto: not known)"
        return dialogue.ask(question, "auto", sign_of, given.sign)
    dialogue.say(f"The meter shows {watts:+.0f} W now.")
    question = "Does the site draw from the grid now, or feed into it? (draw, feed, or auto: not known)"
    return sign_seen(watts, dialogue.ask(question, "auto", _doing))


def _doing(text: str) -> Doing:
    said = next((each for each in get_args(Doing) if text.lower() == each), None)
    if said is None:
        raise UsageError(f"{text!r}: say draw, feed or auto")
    doing: Doing = said
    return doing


def choose_limits(inverters: Sequence[ChosenInverter], given: Given, dialogue: Dialogue) -> Limits:
    """What always holds; nothing may be fed in until somebody says how much."""
    dialogue.say("How much may be fed into the grid is in the contract with its operator. 0 is always allowed.")
    export = dialogue.ask("Most export, in W? (none: no limit)", SAFE_EXPORT, answers.limit, given.export_limit)
    drawn = dialogue.ask("Most import, in W? (none: no limit)", answers.NONE, answers.limit, given.import_limit)
    if not any(has_battery(each.device) for each in inverters):
        return Limits(export, drawn)
    question = "Below which state of charge are batteries not discharged, in percent? (none: as they decide)"
    return Limits(export, drawn, dialogue.ask(question, USUAL_SOC_MIN, answers.percent, given.soc_min))


def _numbered(devices: Sequence[FoundDevice]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("", "what", "device", "at", "serial number"):
        table.add_column(column, overflow="fold", justify="right" if not column else "left")
    for number, device in enumerate(devices, start=1):
        what = "meter that it reads, if any" if is_behind_an_inverter(device) else device.kind.value
        said = (what, device.title, device.address, device.nameplate.serial)
        table.add_row(str(number), *map(plain, said))
    return table
