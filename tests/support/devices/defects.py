"""Virtual inverters that do not do what the standard says: wrapped around one that does, over the same registers."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.simulation.devices.sunspec.register_map import Device, ExceptionCode, RegisterMap, WriteRecord
from orchestrator.simulation.devices.sunspec.words import Words, signed

OUT, IN, MODE = "124.OutWRte", "124.InWRte", "124.StorCtl_Mod"
POINTS = ("123.WMaxLimPct", OUT, IN, MODE)
FULL = 10000


class Wrapped:
    """Passes everything on to the device inside."""

    def __init__(self, inside: Device) -> None:
        self.inside = inside

    @property
    def reads(self) -> int:
        return self.inside.reads

    @property
    def writes(self) -> list[WriteRecord]:
        return self.inside.writes

    @property
    def registers(self) -> RegisterMap:
        return self.inside.registers

    def read(self, address: int, count: int) -> Words | ExceptionCode:
        return self.inside.read(address, count)

    def write(self, address: int, words: Words, now_s: float) -> ExceptionCode | None:
        return self.inside.write(address, words, now_s)

    def advance(self, dt_s: float) -> None:
        self.inside.advance(dt_s)


class NeverReverts(Wrapped):
    """Its revert timers do not run."""

    def advance(self, dt_s: float) -> None:
        """Time does not pass for it."""


class RevertsEarly(Wrapped):
    """Its revert timers run three times too fast."""

    def advance(self, dt_s: float) -> None:
        self.inside.advance(3 * dt_s)


class Deaf(Wrapped):
    """Accepts every write, and does nothing."""

    def write(self, address: int, words: Words, now_s: float) -> ExceptionCode | None:
        return None


class DeafAtFirst(Wrapped):
    """Accepts every write, and does nothing with the first `count` of them."""

    def __init__(self, inside: Device, count: int) -> None:
        super().__init__(inside)
        self.ignores = count

    def write(self, address: int, words: Words, now_s: float) -> ExceptionCode | None:
        if self.ignores > 0:
            self.ignores -= 1
            return None
        return self.inside.write(address, words, now_s)


class ShowsLate(Wrapped):
    """Does what it is told at once, and shows it when `LATE_S` have passed."""

    LATE_S = 0.8

    def __init__(self, inside: Device) -> None:
        super().__init__(inside)
        self._shown: dict[int, int] = {}
        self._passed_s = 0.0

    def read(self, address: int, count: int) -> Words | ExceptionCode:
        words = self.inside.read(address, count)
        if isinstance(words, ExceptionCode):
            return words
        return tuple(self._shown.get(at, word) for at, word in enumerate(words, address))

    def write(self, address: int, words: Words, now_s: float) -> ExceptionCode | None:
        shown = self.read(address, len(words))
        if not isinstance(shown, ExceptionCode):
            self._shown |= dict(enumerate(shown, address))
            self._passed_s = 0.0
        return self.inside.write(address, words, now_s)

    def advance(self, dt_s: float) -> None:
        self.inside.advance(dt_s)
        self._passed_s += dt_s
        if self._passed_s > self.LATE_S:
            self._shown.clear()


class Mistaken(Wrapped):
    """Takes other words than were written, and shows what was written."""

    def __init__(self, inside: Device) -> None:
        super().__init__(inside)
        self._shown: dict[int, int] = {}

    def mistake(self, written: dict[str, int]) -> dict[str, int]:
        """What it takes for the words that were written, by the names of their points."""
        raise NotImplementedError

    def read(self, address: int, count: int) -> Words | ExceptionCode:
        words = self.inside.read(address, count)
        if isinstance(words, ExceptionCode):
            return words
        return tuple(self._shown.get(at, word) for at, word in enumerate(words, address))

    def write(self, address: int, words: Words, now_s: float) -> ExceptionCode | None:
        named = {name: at for name, at in self._points() if address <= at < address + len(words)}
        written = {name: words[at - address] for name, at in named.items()}
        taken = list(words)
        for name, word in self.mistake(written).items():
            taken[named[name] - address] = word
        refusal = self.inside.write(address, tuple(taken), now_s)
        if refusal is None:
            self._shown |= {at: written[name] for name, at in named.items()}
        return refusal

    def _points(self) -> Iterator[tuple[str, int]]:
        for block in self.registers.blocks:
            for point in block.model.points:
                if (name := f"{block.model.model_id}.{point.name}") in POINTS:
                    yield name, block.address + point.offset


class Misscaled(Mistaken):
    """Takes percents for `factor` times what they are."""

    def __init__(self, inside: Device, factor: float) -> None:
        super().__init__(inside)
        self._factor = factor

    def mistake(self, written: dict[str, int]) -> dict[str, int]:
        return {name: word if name == MODE else self._scaled(word) for name, word in written.items()}

    def _scaled(self, word: int) -> int:
        return max(-FULL, min(round(signed(word) * self._factor), FULL)) & 0xFFFF


class Reversed(Mistaken):
    """Takes charging for discharging."""

    OTHER = {OUT: IN, IN: OUT}  # noqa: RUF012 - never changed

    def mistake(self, written: dict[str, int]) -> dict[str, int]:
        taken = {name: written[self.OTHER.get(name, name)] for name in written}
        return taken | ({MODE: written[MODE] >> 1 | (written[MODE] & 1) << 1} if MODE in written else {})
