"""Writes what a command means into one device, no more often than needed, and looks whether the device took it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from actors.clock import Clock
from actors.device.flash import FlashKeeper
from actors.device.session import DeviceSession
from actors.messages import Event
from actors.observer import Observer
from orchestrator.commands import InverterCommand
from orchestrator.devices.base import RegisterWrite, WriteGroup
from orchestrator.devices.write_policy import WriteMemory, due, forget, observe, remember
from orchestrator.errors import RequestRefused

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
        self._controls: dict[int, int] | None = None
        self._controls_again_at_s = 0.0
        self._unchecked: dict[str, WriteGroup] = {}
        self._mismatches: dict[str, int] = {}
        self._refused: set[str] = set()

    def forget(self) -> None:
        """The device was away and may have been off: everything is read, written and checked anew."""
        self._memory = forget(self._memory)
        self._read, self._written, self._controls = {}, {}, None
        self._unchecked.clear()

    def with_controls(self, words: dict[int, int]) -> dict[int, int]:
        """The words of a cycle and, where its plan leaves them out, those that can be written, as last read.

        These are read at first, after each change, and now and then, because others may change them too. Raises
        LinkError.
        """
        now_s = self._clock.now_s()
        if self._controls is None or now_s >= self._controls_again_at_s:
            self._controls = self._read_controls(words)
            every_s = self._session.driver.readback_every_s
            self._controls_again_at_s = inf if every_s is None else now_s + every_s
        elif self._unchecked:
            changed = {address for group in self._unchecked.values() for address in _addresses(group)}
            self._controls = self._controls | self._read_controls(words, changed)
        return self._controls | words

    def take(self, words: dict[int, int]) -> None:
        """What `with_controls` gave, once it has proved to be sound: from now on it says what the device does.

        Checks what was written before.
        """
        self._read, self._written = words, {}
        if self._unchecked:
            self._check()

    def _check(self) -> None:
        names = self._session.driver.verify(self._session.device, tuple(self._unchecked.values()), self._read)
        self._note_mismatches(names)
        if all(self._mismatches[name] >= MISMATCHES_TO_SAY for name in names):
            self._unchecked.clear()

    def carry_out(self, command: InverterCommand, *, everything: bool = False) -> Outcome:
        """Write what is due, or `everything`. Raises LinkError.

        A group of which the device refuses a part ends there; the groups after it are written all the same.
        """
        # What was written since the last read counts as done; but only what was read can contradict it.
        groups = self._session.driver.encode(self._session.device, command, self._read | self._written)
        if everything:
            return self._write(groups)
        fresh = {} if self._written else self._read
        self._memory = observe(self._memory, groups, fresh)
        return self._write_within_budget(due(groups, self._memory, self._clock.now_s(), fresh))

    def _write_within_budget(self, groups: tuple[WriteGroup, ...]) -> Outcome:
        flash = self._session.driver.capabilities(self._session.device).flash
        allowed = tuple(group for group in groups if self._flash.allows(group, flash))
        held = tuple(group for group in groups if group not in allowed and not group.asks_for_more)
        for group in held:
            self._say_spent(group)
        return self._write(allowed) + Outcome(refused=tuple(group.writes[0].register for group in held))

    def _write(self, groups: tuple[WriteGroup, ...]) -> Outcome:
        return sum((self._write_group(group) for group in groups), Outcome())

    def _write_group(self, group: WriteGroup) -> Outcome:
        needed = tuple(write for write in group.writes if not (write.flash and self._shows(write)))
        for count, write in enumerate(needed):
            self._flash.note(write)
            try:
                self._session.write(write)
            except RequestRefused as refusal:
                self._say_refused(write, refusal)
                return Outcome(count, (write.register,))
            self._note(write)
        before = self._memory
        self._memory = remember(before, group, self._clock.now_s())
        if _words(self._memory, group) != _words(before, group):
            self._unchecked[group.name] = group
        return Outcome(len(needed))

    def _shows(self, write: RegisterWrite) -> bool:
        """Whether the device is known to have these values already."""
        known = self._read | self._written
        return all(known.get(at) == word for at, word in enumerate(write.values, write.address))

    def _note(self, write: RegisterWrite) -> None:
        self._observer.register_written(self._session.name, write.register)
        self._refused.discard(write.register)
        self._written |= dict(enumerate(write.values, write.address))

    def _read_controls(self, words: dict[int, int], wanted: set[int] | None = None) -> dict[int, int]:
        """The readable controls that are not in `words`; of these the reads that show one of `wanted` (None: all)."""
        found: dict[int, int] = {}
        for request in self._session.driver.plan_readback(self._session.device):
            shown = set(range(request.address, request.address + request.count))
            if not shown <= words.keys() and (wanted is None or shown & wanted):
                found |= self._session.read_more(request)
        return found

    def _note_mismatches(self, names: tuple[str, ...]) -> None:
        self._mismatches = {name: self._mismatches.get(name, 0) + 1 for name in names}
        for name in (name for name, count in self._mismatches.items() if count == MISMATCHES_TO_SAY):
            self._say(Event("command_ignored", self._session.name, f"{name} shows another value than was written"))

    def _say_spent(self, group: WriteGroup) -> None:
        register = group.writes[0].register
        if register not in self._refused:
            self._refused.add(register)
            detail = f"{register} is kept in flash, and today's budget of writes to it is used up"
            self._say(Event("flash_budget_spent", self._session.name, detail))

    def _say_refused(self, write: RegisterWrite, refusal: RequestRefused) -> None:
        if write.register in self._refused:
            return
        self._refused.add(write.register)
        values = " ".join(map(str, write.values))
        detail = f"{write.register} = {values} is refused with exception {refusal.code}"
        self._say(Event("command_refused", self._session.name, detail))


def _words(memory: WriteMemory, group: WriteGroup) -> object:
    past = memory.groups.get(group.name)
    return past and past.words


def _addresses(group: WriteGroup) -> set[int]:
    return {at for write in group.writes for at in range(write.address, write.address + len(write.values))}
