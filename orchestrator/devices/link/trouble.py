"""Why a device does not answer over TCP. `where` is its host and port; the words are in `reason.troubles`.

`why` is what `words` say as a value; None where the system says it.
"""

from __future__ import annotations

import errno

from orchestrator.reason import Reason, because


def not_reached(where: str, code: int | None, words: str) -> Reason:
    """There is no connection. `code`: the number of the system's error, `words`: what the system calls it."""
    if code == errno.ECONNREFUSED:
        return because("refuses_connection", where=where)
    if code in (None, 0, errno.ETIMEDOUT, errno.EAGAIN, errno.EINPROGRESS):
        return because("no_connection_in_time", where=where)
    if code in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN):
        return because("no_way_to_host", where=where)
    return because("no_connection", where=where, words=words)


def name_not_known(where: str, words: str, why: Reason | None) -> Reason:
    """The host has a name that no address is known of."""
    return because("host_not_known", where=where, words=words, words_why=why)


def hung_up(where: str, words: str, why: Reason | None) -> Reason:
    """The connection was ended in place of an answer."""
    return because("hung_up", where=where, words=words, words_why=why)


def silent(where: str, unit_id: int) -> Reason:
    """The connection stands, and nothing came over it."""
    return because("no_answer", where=where, unit_id=unit_id)


def behind_gateway(where: str, unit_id: int, code: int) -> Reason:
    """A gateway says that the device behind it is silent."""
    return because("gateway_no_answer", where=where, unit_id=unit_id, exception=code)


def no_modbus(where: str, words: str, why: Reason | None) -> Reason:
    """What came over the connection is something else."""
    return because("no_modbus", where=where, words=words, words_why=why)
