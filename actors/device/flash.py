"""Keeps the budget of writes to a device's flash, across restarts too."""

from __future__ import annotations

import logging

from actors.clock import Clock
from actors.files.state_store import StateStore
from orchestrator.devices.base import RegisterWrite, WriteGroup
from orchestrator.devices.capabilities import KeepInFlash
from orchestrator.devices.flash_budget import after_writing, budgets, is_nearly_spent, is_of_battery, may_write

log = logging.getLogger(__name__)


class FlashKeeper:
    """Belongs to one inverter actor. A write is on record before it is sent: a kill forgets nothing.

    Where the record cannot be kept, which is logged, it goes on counting without it: a limit must still be set.
    """

    def __init__(self, name: str, store: StateStore, clock: Clock, per_day: int | None = None) -> None:
        """`per_day` is the budget that site.yaml says, None: that of the make."""
        self._name = name
        self._store = store
        self._clock = clock
        self._per_day = per_day
        self._use = store.load_flash_use(name)

    def budget(self, flash: KeepInFlash | None) -> KeepInFlash | None:
        """The budget of the make, or what site.yaml says in place of it."""
        if flash is None or self._per_day is None:
            return flash
        limit, battery = bool(flash.limit_per_day), bool(flash.battery_per_day)
        return KeepInFlash(*budgets(self._per_day, limit=limit, battery=battery))

    def allows(self, group: WriteGroup, count: int, flash: KeepInFlash | None) -> bool:
        """Whether `count` writes of `group` to flash are within the day's budget (None: there is none to keep)."""
        if not count or flash is None:
            return True
        of_battery = is_of_battery(group)
        per_day = flash.battery_per_day if of_battery else flash.limit_per_day
        use = self._use
        if flash.limit_per_day and flash.battery_per_day:  # else all writes were for the one that is kept in flash
            use = use.of_battery() if of_battery else use.of_limit()
        return may_write(use, count, per_day, self._clock.wall(), for_more=group.asks_for_more)

    def is_nearly_spent(self, flash: KeepInFlash | None) -> bool:
        """Whether hardly a write of the AC limit is left today."""
        if flash is None or not flash.limit_per_day:
            return False
        return is_nearly_spent(self._use, flash.limit_per_day, self._clock.wall())

    def note(self, write: RegisterWrite, *, battery: bool = False) -> None:
        """Count one write that is about to be sent: for the battery, or else for the AC limit."""
        if not write.flash:
            return
        self._use = after_writing(self._use, 1, self._clock.wall(), battery=battery)
        try:
            self._store.save_flash_use(self._name, self._use)
        except OSError as trouble:
            log.warning("%s: writes to flash cannot be put on record (%s)", self._name, trouble)
