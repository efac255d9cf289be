"""Why a device does not answer, in plain words with what to do about it. `where` is its host and port.

The same trouble has the same words at each try, so that it is told once.
"""

from __future__ import annotations

import errno


def not_reached(where: str, code: int | None, words: str) -> str:
    """There is no connection. `code`: the number of the system's error, `words`: what the system calls it."""
    if code == errno.ECONNREFUSED:
        return f"{where} refuses the connection: is `port` right, and is Modbus TCP switched on in the device?"
    if code in (None, 0, errno.ETIMEDOUT, errno.EAGAIN, errno.EINPROGRESS):
        return f"{where}: no connection in time: is `host` right, and is the device on, in this network?"
    if code in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN):
        return f"{where}: there is no way to this host: is `host` right, and is the device on, in this network?"
    return f"{where}: no connection ({words})"


def name_not_known(where: str, words: str) -> str:
    """The host has a name that no address is known of."""
    return f"{where}: {words}: is `host` written right? An IP address needs no name server"


def hung_up(where: str, words: str) -> str:
    """The connection was ended in place of an answer."""
    return f"{where}: no connection ({words}): is this a Modbus port, and does nobody else hold the connection?"


def silent(where: str, unit_id: int) -> str:
    """The connection stands, and nothing came over it."""
    return f"{where}: no answer in time: it is connected, so is `unit_id` {unit_id} right?"


def behind_gateway(where: str, unit_id: int, code: int) -> str:
    """A gateway says that the device behind it is silent."""
    said = f"the gateway gets no answer from the device (exception {code})"
    return f"{where}: {said}: is `unit_id` {unit_id} right, and is the device on and wired?"


def no_modbus(where: str, words: str) -> str:
    """What came over the connection is something else."""
    return f"{where}: this is no Modbus TCP ({words}): is `port` right?"
