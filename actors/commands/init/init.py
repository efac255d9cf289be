"""`orchestrator init`: finds the devices, asks what only people know, and writes a checked site.yaml. It only reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Final

from actors.commands.init.dialogue import Dialogue
from actors.commands.init.questions import Given, choose_inverters, choose_limits, choose_meter
from actors.commands.init.site_file import (
    checked_text,
    is_no_site_yet,
    kept_as,
    require_folder,
    state_dir_for,
    write_site,
)
from actors.commands.init.surroundings import own_network, own_timezone
from orchestrator.commissioning.drafts import answers
from orchestrator.commissioning.drafts.chosen_site import ChosenInverter, ChosenSite, Served, has_battery
from orchestrator.commissioning.scan_report import FoundDevice, Kind, ScanReport, report
from orchestrator.errors import OrchestratorError, UsageError

Search = Callable[[str, Dialogue], ScanReport]
"""Looks for devices at a target that somebody typed. Raises UsageError."""

_NOTHING: Final = """\
Nothing was found at {target}. What to look at:
- Is Modbus TCP switched on in the inverter? It seldom is when it is delivered: docs/makes.md says where, make by make.
- Is this machine in the same network as the devices? A guest network is another one.
- Has the device another port or unit? --ports and --units take others.
- Some devices speak to one program at a time: stop the others."""


_WHERE: Final = "Where are they? (a network, an address, HOST:PORT, or a serial port such as /dev/ttyUSB0; no: stop)"
_MORE: Final = "Are there more somewhere else? (an address or a network, or no)"
NO: Final = "no"


class NothingFound(OrchestratorError):
    """No inverter answers, and nobody can be asked for another address."""


@dataclass(frozen=True, slots=True)
class InitOptions:
    """Where the file goes, where devices are looked for, and the other answers that were given."""

    file: Path
    targets: tuple[str, ...] = ()
    name: str | None = None
    timezone: str | None = None
    state_dir: str | None = None
    served: Served = field(default_factory=Served)
    replaces: bool | None = None
    given: Given = field(default_factory=Given)


def init(options: InitOptions, dialogue: Dialogue, search: Search, today: date) -> bool:
    """Make the file; whether it was written. Raises UsageError, NothingFound and NotWritten."""
    if not _may_be_written(options, dialogue):
        dialogue.say(f"{options.file} is left as it is.")
        return False
    dialogue.heading("1. The devices")
    found = _found(options, dialogue, search)
    dialogue.heading("2. The inverters")
    inverters = choose_inverters([each for each in found if each.kind is not Kind.METER], options.given, dialogue)
    dialogue.heading("3. The meter")
    meter = choose_meter(found, options.given, dialogue)
    dialogue.heading("4. The limits")
    limits = choose_limits(inverters, options.given, dialogue)
    dialogue.heading("5. The site")
    site = _described(ChosenSite(name="", inverters=inverters, meter=meter, limits=limits), options, dialogue)
    text = checked_text(site, options.file, today)
    return _write(text, options, dialogue, is_complete=meter is not None)


def _described(site: ChosenSite, options: InitOptions, dialogue: Dialogue) -> ChosenSite:
    """The site with its name, its time zone, and what may be commanded."""
    given = options.given
    name = dialogue.ask("What is the site called?", "home", answers.title, options.name)
    timezone = dialogue.ask("In which time zone is it?", own_timezone(), answers.timezone, options.timezone)
    batteries = _batteries(site.inverters, given, dialogue)
    shadow = "Begin in shadow mode? Everything is computed and shown, and nothing is written to a device."
    shadowed = dialogue.agree(shadow, default=True, given=None if given.controls is None else not given.controls)
    return replace(
        site,
        name=name,
        timezone=timezone,
        commands_batteries=batteries,
        controls=not shadowed,
        state_dir=options.state_dir or state_dir_for(options.file),
        served=options.served,
    )


def _batteries(inverters: tuple[ChosenInverter, ...], given: Given, dialogue: Dialogue) -> bool:
    if not any(has_battery(each.device) for each in inverters):
        return bool(given.batteries)
    question = "Are the batteries to be commanded too? Without that only PV is limited."
    return dialogue.agree(question, default=True, given=given.batteries)


def _may_be_written(options: InitOptions, dialogue: Dialogue) -> bool:
    """Before anything takes its time: whether the file may be made. Raises UsageError where nobody can be asked."""
    require_folder(options.file)
    if is_no_site_yet(options.file):
        return True
    if not dialogue.is_asked and not options.replaces:
        raise UsageError(f"{options.file} exists; it is not overwritten without --replace")
    question = f"{options.file} exists. Make a new one? The old one is kept as {kept_as(options.file).name}."
    return dialogue.agree(question, default=False, given=options.replaces)


def _found(options: InitOptions, dialogue: Dialogue, search: Search) -> tuple[FoundDevice, ...]:
    """Everything that answers wherever somebody said that there are devices; an inverter is among them."""
    devices: tuple[FoundDevice, ...] = ()
    for target in options.targets:
        devices = _joined(devices, target, search(target, dialogue), dialogue)
    if not dialogue.is_asked and not options.targets:
        target = own_network()
        devices = _joined(devices, target, search(target, dialogue), dialogue)
    while dialogue.is_asked and not (_has_inverter(devices) and options.targets):
        question, default = (_MORE, NO) if _has_inverter(devices) else (_WHERE, own_network())
        target, found = dialogue.ask(question, default, lambda text: _searched(text, dialogue, search))
        if found is None:
            break
        devices = _joined(devices, target, found, dialogue)
    if not _has_inverter(devices):
        raise NothingFound("no inverter was found, so nothing is written")
    return devices


def _searched(text: str, dialogue: Dialogue, search: Search) -> tuple[str, ScanReport | None]:
    return (text, None) if text.lower() == NO else (text, search(text, dialogue))


def _joined(
    devices: tuple[FoundDevice, ...], target: str, found: ScanReport, dialogue: Dialogue
) -> tuple[FoundDevice, ...]:
    """What was found before and now, each device once; what to look at is said where nothing was found."""
    for remark in found.remarks:
        dialogue.say(str(remark))
    if not found.devices:
        dialogue.say(_NOTHING.format(target=target))
    elif not _has_inverter((*devices, *found.devices)):
        dialogue.say(f"There is a meter at {target}, and no inverter.")
    return report((*devices, *found.devices, *found.again), ()).devices


def _has_inverter(devices: tuple[FoundDevice, ...]) -> bool:
    return any(each.kind is not Kind.METER for each in devices)


def _write(text: str, options: InitOptions, dialogue: Dialogue, *, is_complete: bool) -> bool:
    dialogue.heading("6. The file")
    if dialogue.is_asked:
        dialogue.say(text)
    if not dialogue.agree(f"Write this to {options.file}?", default=True, given=None if dialogue.is_asked else True):
        dialogue.say("Nothing is written.")
        return False
    kept = write_site(options.file, text)
    dialogue.say(f"Written: {options.file}" + (f"; the old one is {kept}." if kept else "."))
    if not is_complete:
        dialogue.say(f"The meter is still missing: write its address into {options.file} before you go on.")
    return True
