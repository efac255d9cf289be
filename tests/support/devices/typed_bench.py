"""The bench for makes whose registers hold floats and long values: numbers are written and read by their types."""

from __future__ import annotations

from orchestrator.simulation.devices.plain.words import U16, Plain, from_words, to_words
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from tests.support.devices.make_bench import MakeBench


class TypedBench(MakeBench):
    """A bench with raw values of the types that the make's document names."""

    def set(self, address: int, *values: tuple[Plain, float]) -> ExceptionCode | None:
        """Write these values one after the other from `address` on, in one request."""
        return self.write(
            address, *(word for kind, value in values for word in to_words(kind, value, little=self._little))
        )

    def get(self, address: int, kind: Plain = U16) -> float:
        """The value at an address."""
        words = self.device.read(address, kind.words)
        assert isinstance(words, tuple), f"{address} is refused with {words!r}"
        return from_words(kind, words, little=self._little)

    def run(self, seconds: float) -> TypedBench:
        """Let time pass."""
        super().run(seconds)
        return self
