"""What an inverter was like before it was commanded, and what of ours may still be in force there.

ChaGriSet and Conn have no timer on any device. So what was found is kept, across kills too, until it is put back.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

from msgspec import structs

from orchestrator.commands import BatteryCommand, InverterCommand
from orchestrator.samples import InverterSample


@dataclass(frozen=True, slots=True)
class Found:
    """One inverter. `serial` ties it to the device: another one at the same address has nothing of ours.

    `grid_charging` is ChaGriSet as found (True: may charge from AC; None: not known, so never changed by us).
    `limited` and `disconnected` say that an AC limit, or Conn 0, of ours may be in force. `derated_watts` is an AC
    limit that was in force before any of ours (None: there was none): the installer's, never lifted, and put back.
    `settings` are raw numbers of other settings as found, by register: a make says which of them a release puts back.
    """

    serial: str = ""
    grid_charging: bool | None = None
    limited: bool = False
    disconnected: bool = False
    derated_watts: float | None = None
    settings: tuple[tuple[str, int], ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to put back."""
        untouched = self.grid_charging is None and not self.limited and not self.disconnected
        return untouched and self.derated_watts is None and not self.settings


def before_command(found: Found, sample: InverterSample, command: InverterCommand) -> Found:
    """What must be on record before `command` is written to the device that `sample` was read from."""
    return replace(
        found,
        serial=sample.nameplate.serial,
        grid_charging=_found_grid_charging(found, sample, command),
        limited=found.limited or command.ac_limit_watts is not None,
        disconnected=found.disconnected or command.connect is False,
        derated_watts=sample.ac_limit_watts if is_untouched(found) else found.derated_watts,
        settings=_found_settings(found, sample, command),
    )


def is_untouched(found: Found) -> bool:
    """Whether an AC limit that the device shows cannot be ours."""
    return not found.limited and found.derated_watts is None


def within_derating(found: Found, sample: InverterSample) -> InverterSample:
    """The sample of a device that the installer has derated: it is as large as that limit lets it be."""
    rating_watts, derated_watts = sample.nameplate.ac_max_watts, found.derated_watts
    if derated_watts is None or (rating_watts is not None and rating_watts <= derated_watts):
        return sample
    return structs.replace(sample, nameplate=structs.replace(sample.nameplate, ac_max_watts=derated_watts))


def after_command(found: Found, command: InverterCommand) -> Found:
    """What remains on record once `command` was written: a connection that was made again is not ours to make."""
    return replace(found, disconnected=found.disconnected and command.connect is not True)


def after_release(found: Found, command: InverterCommand) -> Found:
    """What remains on record once the last `command` was written: what it left in force, and a Conn 0 of ours."""
    remaining = after_command(found, command)
    limited = command.ac_limit_watts is not None
    derated_watts = remaining.derated_watts if limited else None  # it is in the device again
    return replace(remaining, grid_charging=None, limited=limited, derated_watts=derated_watts, settings=())


def put_back(command: InverterCommand, found: Found) -> InverterCommand:
    """The command with "as found" made plain: ChaGriSet where it is left open, no AC limit above the installer's."""
    command = _not_above_derating(command, found)
    if found.settings:
        command = structs.replace(command, settings=found.settings)
    battery = command.battery
    if battery is None or battery.grid_charging is not None:
        return command
    return structs.replace(command, battery=structs.replace(battery, grid_charging=found.grid_charging))


def _not_above_derating(command: InverterCommand, found: Found) -> InverterCommand:
    derated_watts, asked_watts = found.derated_watts, command.ac_limit_watts
    if derated_watts is None or (asked_watts is not None and asked_watts < derated_watts):
        return command
    return structs.replace(command, ac_limit_watts=derated_watts, ac_limit_reverts=False)


def reconnected(command: InverterCommand, found: Found) -> InverterCommand:
    """The command with the connection made again where a Conn 0 of ours is left over and nobody asks for it."""
    return structs.replace(command, connect=True) if command.connect is None and found.disconnected else command


def without_grid_charging(command: InverterCommand) -> InverterCommand:
    """The command that leaves ChaGriSet alone: for when it cannot be put on record what was found."""
    if command.battery is None:
        return command
    return structs.replace(command, battery=structs.replace(command.battery, grid_charging=None))


def to_json(found: Found) -> str:
    """One line of JSON."""
    return json.dumps(asdict(found))


def from_json(text: str) -> Found:
    """The record that `to_json` wrote. Raises ValueError when it is anything else."""
    values = json.loads(text)
    if not isinstance(values, dict):
        raise ValueError("not a JSON object")
    values["settings"] = _settings_of(values.get("settings", []))
    try:
        found = Found(**values)
    except TypeError as error:
        raise ValueError(f"other fields than expected: {sorted(values)}") from error
    _check(found)
    return found


def _found_grid_charging(found: Found, sample: InverterSample, command: InverterCommand) -> bool | None:
    if found.grid_charging is not None or not _changes_grid_charging(command.battery, sample):
        return found.grid_charging
    assert sample.battery is not None
    return sample.battery.grid_charging_allowed


def _found_settings(found: Found, sample: InverterSample, command: InverterCommand) -> tuple[tuple[str, int], ...]:
    """A sample shows only what is not ours, so it is newer than the record: somebody has set it since."""
    if command.battery is None and command.ac_limit_watts is None:
        return found.settings
    return tuple((dict(found.settings) | dict(sample.settings)).items())


def _settings_of(pairs: object) -> tuple[tuple[str, int], ...]:
    """Raises ValueError."""
    if not isinstance(pairs, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        raise ValueError("the settings are no list of pairs")
    if not all(isinstance(name, str) and type(raw) is int for name, raw in pairs):
        raise ValueError("a setting has the wrong type")
    return tuple((name, raw) for name, raw in pairs)


def _changes_grid_charging(command: BatteryCommand | None, sample: InverterSample) -> bool:
    if command is None or command.grid_charging is None or sample.battery is None:
        return False
    return sample.battery.grid_charging_allowed not in (None, command.grid_charging)


def _check(found: Found) -> None:
    if not isinstance(found.serial, str) or found.grid_charging not in (None, True, False):
        raise ValueError("a value has the wrong type")
    if found.derated_watts is not None and not isinstance(found.derated_watts, int | float):
        raise ValueError("a value has the wrong type")
    if not isinstance(found.limited, bool) or not isinstance(found.disconnected, bool):
        raise ValueError("a value has the wrong type")
