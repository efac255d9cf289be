"""Values of arguments, and the files that are asked for by them."""

from __future__ import annotations

import argparse
from pathlib import Path

from orchestrator.commissioning.scan_targets import BAUD_RANGE
from orchestrator.errors import OrchestratorError, UsageError


class NotWritten(OrchestratorError):
    """A file that was asked for cannot be written."""


def write_new(path: str, text: str) -> None:
    """Write a file that is not there yet. Raises NotWritten."""
    try:
        with Path(path).open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as trouble:
        raise NotWritten(f"{path} cannot be written: {trouble.strerror or trouble}") from trouble


def require_new(path: str | None) -> None:
    """Before anything takes its time: never overwrite a file. Raises UsageError."""
    if path is not None and Path(path).exists():
        raise UsageError(f"{path} exists; it is not overwritten")


def text_of(values: tuple[int, ...]) -> str:
    """Numbers as a list to type."""
    return ",".join(map(str, values))


def seconds(text: str) -> float:
    """A time of 0.05 to 60 s."""
    return _within(float(text), 0.05, 60.0)


def revert(text: str) -> float:
    """A revert time of 2 to 600 s."""
    return _within(float(text), 2.0, 600.0)


def count(text: str) -> int:
    """A number of 1 to 200: more connections than that run into limits of the system."""
    return int(_within(int(text), 1, 200))


def unit(text: str) -> int:
    """A Modbus unit, 0 to 255."""
    return int(_within(int(text), 0, 255))


def baud(text: str) -> int:
    """A speed of 300 to 1000000 baud."""
    return int(_within(int(text), BAUD_RANGE[0], BAUD_RANGE[-1]))


def port(text: str) -> int:
    """A port to listen at, 0 to 65535."""
    return int(_within(int(text), 0, 65535))


def _within(value: float, low: float, high: float) -> float:
    if not low <= value <= high:
        raise argparse.ArgumentTypeError(f"must be from {low:g} to {high:g}")
    return value
