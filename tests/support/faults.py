"""Faults by name, and a way to make one for as long as a block lasts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from orchestrator.simulation.network.faults import Fault, FaultKind
from orchestrator.simulation.server import RunningSite

SILENT = Fault(FaultKind.SILENT)
RESET = Fault(FaultKind.RESET)
GARBAGE = Fault(FaultKind.GARBAGE)
ZEROS = Fault(FaultKind.ZEROS)
FROZEN = Fault(FaultKind.FROZEN)
BUSY = Fault(FaultKind.EXCEPTION, code=ExceptionCode.BUSY)
BROKEN = Fault(FaultKind.EXCEPTION, code=ExceptionCode.DEVICE_FAILURE)
REFUSES_WRITES = Fault(FaultKind.EXCEPTION, code=ExceptionCode.ILLEGAL_VALUE, only_writes=True)


def slow(latency_s: float) -> Fault:
    """Every reply comes this much later."""
    return Fault(FaultKind.SLOW, latency_s=latency_s)


@contextlib.contextmanager
def fault(running: RunningSite, name: str, made: Fault) -> Iterator[None]:
    """Make a fault of one device while the block runs, and heal it behind."""
    running.set_fault(name, made)
    try:
        yield
    finally:
        running.set_fault(name, None)


@contextlib.contextmanager
def stopped(running: RunningSite, name: str) -> Iterator[None]:
    """Take one device off the network while the block runs."""
    running.stop_device(name)
    try:
        yield
    finally:
        running.start_device(name)
