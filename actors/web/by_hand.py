"""What people ask for over page and API: a setpoint, a pause, the release of the plant. It outlives a restart.

Each is kept as the message of a source of setpoints is, in a file beside theirs. Any thread may use it.
"""

from __future__ import annotations

import threading
from datetime import datetime
from pathlib import Path
from typing import Final

from actors.address import Recipient
from actors.clock import Clock
from actors.files.setpoint_store import SetpointStore
from actors.messages import Event, SetpointReceived, SetpointWithdrawn
from orchestrator.loop.in_force import MANUAL, PAUSE
from orchestrator.loop.messages import ReleaseAsked, ResumeAsked
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.intake import Arrival, Intake
from orchestrator.setpoints.merge import Setpoint
from orchestrator.setpoints.payload import message_of

FILE_NAME: Final = "by_hand.json"
ORIGIN: Final = "page"
RELEASED: Final = "released"
_SET: Final = b"{}"
_WITHDRAWN: Final = b""


class ByHand:
    """Tells `site` what holds. A change is kept after the site was told: a limit is obeyed before it is kept."""

    def __init__(self, state_dir: Path, site: Recipient, clock: Clock, *, can_be_resumed: bool) -> None:
        """`can_be_resumed`: without somebody who may, a release that was kept does not hold."""
        self._site, self._clock = site, clock
        self._store = SetpointStore(state_dir, FILE_NAME)
        self._lock = threading.Lock()
        now_s, wall = clock.now_s(), clock.wall()
        self._intakes = {
            name: Intake.restored(name, None, ORIGIN, self._store.sources.get(name), now_s=now_s, wall=wall)
            for name in (MANUAL, PAUSE, RELEASED)
        }
        self._can_be_resumed = can_be_resumed

    @property
    def manual(self) -> Setpoint | None:
        """The setpoint by hand, while it holds."""
        return self._valid(MANUAL)

    @property
    def pause(self) -> Setpoint | None:
        """The pause, while it lasts."""
        return self._valid(PAUSE)

    @property
    def is_released(self) -> bool:
        """Whether the plant is out of control until it is resumed."""
        return self._can_be_resumed and self._valid(RELEASED) is not None

    @property
    def setpoints(self) -> dict[str, Setpoint]:
        """What holds, by source: for a site that starts."""
        return {each.source: each for each in (self.manual, self.pause) if each is not None}

    def set(self, fields: SetpointFields, until: datetime) -> Setpoint:
        """A setpoint by hand, in place of the former one."""
        return self._take(MANUAL, message_of(fields, until))

    def pause_until(self, until: datetime) -> Setpoint:
        """Leave the batteries to themselves until then."""
        return self._take(PAUSE, message_of(SetpointFields(battery_storage_mode=0), until))

    def withdraw(self, source: str) -> None:
        """`MANUAL` or `PAUSE` asks for nothing any more."""
        self._put(source, _WITHDRAWN)
        self._site.tell(SetpointWithdrawn(source))
        self._keep(source)

    def release(self) -> None:
        """Take the plant out of control."""
        self._put(RELEASED, _SET)
        self._site.tell(ReleaseAsked())
        self._keep(RELEASED)

    def resume(self) -> None:
        """Control it again."""
        self._put(RELEASED, _WITHDRAWN)
        self._site.tell(ResumeAsked())
        self._keep(RELEASED)

    def expect(self, *, can_be_resumed: bool) -> None:
        """Another configuration: where nobody may resume the plant any more, it is not released any more."""
        self._can_be_resumed = can_be_resumed
        if not can_be_resumed and self._valid(RELEASED) is not None:
            self.resume()

    def tell(self, event: Event) -> None:
        """Have everybody hear of a change."""
        self._site.tell(event)

    def remind(self) -> None:
        """Tell the site what holds: it may have been started anew, or have missed it."""
        for setpoint in self.setpoints.values():
            self._site.tell(SetpointReceived(setpoint))
        self._site.tell(ReleaseAsked() if self.is_released else ResumeAsked())

    def close(self) -> None:
        """Write what still waits."""
        self._store.close()

    def _take(self, source: str, message: bytes) -> Setpoint:
        self._put(source, message)
        setpoint = self._intakes[source].setpoint
        if setpoint is None:  # it was made by us, and from fields that were read
            raise ValueError(f"{source} does not take its own message")
        self._site.tell(SetpointReceived(setpoint))
        self._keep(source)
        return setpoint

    def _put(self, source: str, message: bytes) -> None:
        with self._lock:
            arrival = Arrival(message, redelivered=False, at_s=self._clock.now_s(), wall=self._clock.wall())
            self._intakes[source].take([arrival])

    def _keep(self, source: str) -> None:
        with self._lock:
            kept = self._intakes[source].kept()
            if kept is not None:
                self._store.keep(source, kept)

    def _valid(self, source: str) -> Setpoint | None:
        setpoint = self._intakes[source].setpoint
        now_s, wall_s = self._clock.now_s(), self._clock.wall().timestamp()
        return setpoint if setpoint is not None and setpoint.is_valid(now_s, wall_s) else None
