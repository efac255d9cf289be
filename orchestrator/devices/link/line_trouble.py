"""Why a device on a serial line does not answer. `where` is its port; the words are in `reason.troubles`."""

from __future__ import annotations

import errno
from collections.abc import Sequence

from orchestrator.reason import Reason, because


def no_such_port(where: str, others: Sequence[str]) -> Reason:
    """The port is not there. `others`: the serial ports that are."""
    if not others:
        return because("no_port_at_all", where=where)
    return because("no_such_port", where=where, ports=", ".join(others))


def not_opened(where: str, code: int | None, words: str) -> Reason:
    """The port is there and cannot be had. `code`: the number of the system's error, `words`: what it says."""
    if code in (errno.EACCES, errno.EPERM):
        return because("port_not_allowed", where=where)
    if code in (errno.EAGAIN, errno.EBUSY):
        return because("port_held", where=where)
    if code in (errno.EIO, errno.ENXIO, errno.ENODEV):
        return because("nothing_behind_port", where=where, words=words)
    if code == errno.ENOTTY:
        return because("no_serial_port", where=where)
    return because("port_not_opened", where=where, words=words)


def pulled(where: str, words: str, why: Reason | None) -> Reason:
    """The port was open, and is gone. `why` is what `words` say as a value; None where the system says it."""
    return because("port_gone", where=where, words=words, words_why=why)


def silent(where: str, unit_id: int, settings: str) -> Reason:
    """The port is open, and nothing came over it. `settings`: how the line is set, such as 9600 8N1."""
    return because("no_answer_on_line", where=where, unit_id=unit_id, settings=settings)


def corrupt(where: str, unit_id: int) -> Reason:
    """The answer came with a wrong checksum, twice."""
    return because("wrong_checksum", where=where, unit_id=unit_id)


def half(where: str, unit_id: int) -> Reason:
    """The answer broke off, twice."""
    return because("breaks_off", where=where, unit_id=unit_id)


def restless(where: str) -> Reason:
    """Others send without a pause."""
    return because("never_silent", where=where)
