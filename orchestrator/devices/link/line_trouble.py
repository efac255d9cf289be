"""Why a device on a serial line does not answer, in plain words with what to do about it. `where` is its port.

The same trouble has the same words at each try, so that it is told once.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence


def no_such_port(where: str, others: Sequence[str]) -> str:
    """The port is not there. `others`: the serial ports that are."""
    there = f"there is {', '.join(others)}" if others else "no serial port is there at all"
    return f"no such port {where}: is the adapter plugged in, and passed on to a container? {there}"


def not_opened(where: str, code: int | None, words: str) -> str:
    """The port is there and cannot be had. `code`: the number of the system's error, `words`: what it says."""
    if code in (errno.EACCES, errno.EPERM):
        return (
            f"no permission for {where}: add the user to the group dialout (sudo usermod -aG dialout USER), "
            "and start anew"
        )
    if code in (errno.EAGAIN, errno.EBUSY):
        return f"{where} is held by another program, or is in site.yaml by a second name: a line has one master only"
    if code in (errno.EIO, errno.ENXIO, errno.ENODEV):
        return f"{where} is there, but nothing is behind it: has the adapter been pulled? ({words})"
    if code == errno.ENOTTY:
        return f"{where} is no serial port"
    return f"{where} cannot be opened ({words})"


def pulled(where: str, words: str) -> str:
    """The port was open, and is gone."""
    return f"{where} is gone ({words}): has the adapter been pulled? It is looked for again"


def silent(where: str, unit_id: int, settings: str) -> str:
    """The port is open, and nothing came over it. `settings`: how the line is set, such as 9600 8N1."""
    return (
        f"{where}: no answer in time from unit {unit_id} at {settings}: are `unit_id`, speed and parity those of the "
        "device, and A and B not swapped?"
    )


def corrupt(where: str, unit_id: int) -> str:
    """The answer came with a wrong checksum, twice."""
    return (
        f"{where}: what unit {unit_id} answers has a wrong checksum: do two devices have this unit, and is the line "
        "terminated at both ends, with its shield and ground?"
    )


def half(where: str, unit_id: int) -> str:
    """The answer broke off, twice."""
    return f"{where}: the answer of unit {unit_id} breaks off: is the line terminated, and does nobody else send on it?"


def restless(where: str) -> str:
    """Others send without a pause."""
    return f"{where}: the line is never silent: is there another master on it? A line has one only"
