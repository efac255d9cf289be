"""Writes what a command means into one device, no more often than needed, and looks whether the device took it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from msgspec import structs

from actors.clock import Clock
from actors.device.controls import ControlReader
from actors.device.flash import FlashKeeper
from actors.device.session import DeviceSession
from actors.messages import Event
from actors.observer import Observer
from orchestrator.commands import InverterCommand
from orchestrator.devices.base import Registers, RegisterWrite, WriteGroup
from orchestrator.devices.capabilities import KeepInFlash
from orchestrator.devices.flash_budget import is_of_battery
from orchestrator.devices.told import Looked, Told, told
from orchestrator.devices.write_policy import WriteMemory, contradicts, due, forget, lost, observe, remember
from orchestrator.errors import RequestRefused
from orchestrator.reason import because

MISMATCHES_TO_SAY = 2
"""A device may take a moment to show what it took: this many reads in a row must show another value."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many writes a device took, and the names of those that it refused."""

    writes: int = 0
    refused: tuple[str, ...] = ()

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(self.writes + other.writes, self.refused + other.refused)


class CommandWriter:
    """Belongs to one inverter actor. `say` takes events; each refused or ignored register is named once."""

    def __init__(
        self,
        session: DeviceSession,
        clock: Clock,
        observer: Observer,
        *,
        flash: FlashKeeper,
        say: Callable[[Event], None],
    ) -> None:
        self._session = session
        self._flash = flash
        self._clock = clock
        self._observer = observer
        self._say = say
        self._memory = WriteMemory()
        self._read: dict[int, int] = {}
        self._written: dict[int, int] = {}
        self._controls = ControlReader(session, clock)
        self._unchecked: dict[str, WriteGroup] = {}
        self._mismatches: dict[str, dict[str, int]] = {}
        self._refused: set[str] = set()
        self._told: Told | None = None
        self._insists = 0

    @property
    def obeyed_until_s(self) -> float | None:
        """Until when the last command needs no renewal, in monotonic seconds.

        None where it was not carried out as a whole, is not in force any more, or would mean something else by now.
        """
        return None if self._told is None else self._told.until_s

    def forget(self) -> None:
        """The device was away and may have been off: everything is read, written and checked anew."""
        self._memory = forget(self._memory)
        self._read, self._written = {}, {}
        self._controls.forget()
        self._unchecked.clear()
        self._told = None

    def with_controls(self, words: dict[int, int]) -> tuple[dict[int, int], float | None]:
        """The words of a cycle and, where its plan leaves them out, those that can be written.

        With them comes when the oldest of the latter were read, None where the cycle has read them all. Others may
        change them too, and a device may lose them: so they are read after each write, and every few seconds. Raises
        LinkError.
        """
        for group in self._unchecked.values():
            self._controls.touch(_addresses(group))
        controls, read_at_s = self._controls.look(words)
        return controls | words, read_at_s

    def take(self, words: dict[int, int]) -> None:
        """What `with_controls` gave, once it has proved to be sound: from now on it says what the device does.

        Checks what was written before.
        """
        self._read, self._written = words, {}
        last = self._told
        if last is not None and not last.holds(self._session.device, words, self._differs):
            self._told = last = None
        if self._unchecked:
            self._check()
            if last is not None:  # nobody commands it again only to have it noted that it shows what was written
                self._memory = observe(self._memory, last.groups, words, self._differs)

    def _check(self) -> None:
        for name, group in tuple(self._unchecked.items()):
            before = self._mismatches.get(name, {})
            names = self._session.driver.verify(self._session.device, (group,), self._read)
            self._mismatches[name] = counts = {each: before.get(each, 0) + 1 for each in names}
            for each in (each for each, count in counts.items() if count == MISMATCHES_TO_SAY):
                self._say(Event.of("command_ignored", self._session.name, because("register_ignored", register=each)))
            if all(count >= MISMATCHES_TO_SAY for count in counts.values()):
                del self._unchecked[name]

    def carry_out(self, command: InverterCommand, *, everything: bool = False) -> Outcome:
        """Write what is due, or `everything`, as the last command to the device. Raises LinkError.

        A group of which the device refuses a part ends there; the groups after it are written all the same.
        """
        self._told = None
        # What was written since the last read counts as done; but only what was read can contradict it.
        asked = structs.replace(command, final=True) if everything else self._frugal(command)
        looked = Looked(self._read | self._written)
        groups = self._session.driver.encode(self._session.device, asked, looked)
        if everything:
            return self._write(groups)
        self._insist(command)
        fresh = {} if self._written else self._read
        self._say_lost(lost(groups, self._memory, fresh, self._differs))
        self._memory = observe(self._memory, groups, fresh, self._differs)
        before = self._memory.groups
        wanted = due(groups, self._memory, self._clock.now_s(), fresh, self._differs)
        outcome = self._write_within_budget(wanted)
        if asked is command and all(self._memory.groups.get(each.name) is not before.get(each.name) for each in wanted):
            self._told = told(self._session.device, looked, groups, self._memory)
        return outcome

    def _insist(self, command: InverterCommand) -> None:
        """It shows what it was told and does something else: write all of it anew, but nothing that wears its flash."""
        if command.insists > self._insists:
            self._memory = forget(self._memory)
        self._insists = command.insists

    def _differs(self, group: WriteGroup, registers: Registers) -> bool:
        """Whether the device shows something else than `group` wrote; the driver knows what may count down."""
        return contradicts(group, registers) and bool(
            self._session.driver.verify(self._session.device, (group,), registers)
        )

    def _frugal(self, command: InverterCommand) -> InverterCommand:
        """Where hardly a write to flash is left today, the AC limit goes where no other will have to follow it."""
        limit, safe = command.ac_limit_watts, command.ac_limit_after_watts
        if limit is None or safe is None or safe >= limit or not self._flash.is_nearly_spent(self._budget()):
            return command
        return structs.replace(command, ac_limit_watts=safe)

    def _budget(self) -> KeepInFlash | None:
        return self._flash.budget(self._session.driver.capabilities(self._session.device).flash)

    def _write_within_budget(self, groups: tuple[WriteGroup, ...]) -> Outcome:
        return sum((self._write_allowed(group) for group in groups), Outcome())

    def _write_allowed(self, group: WriteGroup) -> Outcome:
        """A reduction of the AC limit is written even where its budget is used up, and said each time."""
        count = sum(write.flash and not self._shows(write) for write in group.writes)
        if self._flash.allows(group, count, self._budget()):
            return self._write_group(group)
        if group.asks_for_more:
            return Outcome()
        if not is_of_battery(group):
            self._say_overspent(group)
            return self._write_group(group)
        self._say_spent(group)
        spent = tuple(write.register for write in group.writes if write.flash)
        others = replace(group, writes=tuple(write for write in group.writes if not write.flash))
        return Outcome(refused=spent) + (self._write_group(others) if others.writes else Outcome())

    def _write(self, groups: tuple[WriteGroup, ...]) -> Outcome:
        return sum((self._write_group(group) for group in groups), Outcome())

    def _write_group(self, group: WriteGroup) -> Outcome:
        needed = tuple(write for write in group.writes if not self._wears_for_nothing(write))
        for count, write in enumerate(needed):
            if write.flash and not self._shows(write):
                self._flash.note(write, battery=is_of_battery(group))
            try:
                self._session.write(write)
            except RequestRefused as refusal:
                self._say_refused(write, refusal)
                return Outcome(count, (write.register,))
            self._note(write)
        in_vain = self._differs(group, self._read)
        self._memory = remember(self._memory, group, self._clock.now_s(), in_vain=in_vain)
        self._unchecked[group.name] = group
        return Outcome(len(needed))

    def _wears_for_nothing(self, write: RegisterWrite) -> bool:
        return write.flash and not write.renews and self._shows(write)

    def _shows(self, write: RegisterWrite) -> bool:
        """Whether the device is known to have these values already."""
        read, written = self._read, self._written
        return all(written.get(at, read.get(at)) == word for at, word in enumerate(write.values, write.address))

    def _note(self, write: RegisterWrite) -> None:
        self._observer.register_written(self._session.name, write.register)
        self._refused.discard(write.register)
        self._written |= dict(enumerate(write.values, write.address))
        self._controls.touch(range(write.address, write.address + len(write.values)))

    def _say_lost(self, groups: tuple[WriteGroup, ...]) -> None:
        for group in groups:
            names = self._session.driver.verify(self._session.device, (group,), self._read)
            self._say(Event.of("command_lost", self._session.name, because("register_lost", registers=" ".join(names))))

    def _say_overspent(self, group: WriteGroup) -> None:
        register = next(write.register for write in group.writes if write.flash)
        self._say(Event.of("flash_overspent", self._session.name, because("flash_beyond_budget", register=register)))

    def _say_spent(self, group: WriteGroup) -> None:
        register = next(write.register for write in group.writes if write.flash)
        if register not in self._refused:
            self._refused.add(register)
            self._say(Event.of("flash_budget_spent", self._session.name, because("flash_used_up", register=register)))

    def _say_refused(self, write: RegisterWrite, refusal: RequestRefused) -> None:
        if write.register in self._refused:
            return
        self._refused.add(write.register)
        words = " ".join(map(str, write.values))
        refused = because("register_refused", register=write.register, words=words, exception=refusal.code)
        self._say(Event.of("command_refused", self._session.name, refused))


def _addresses(group: WriteGroup) -> set[int]:
    return {at for write in group.writes for at in range(write.address, write.address + len(write.values))}
