"""SunSpec maps of tests as Modbus TCP devices on loopback."""

from __future__ import annotations

from collections.abc import Mapping

from actors.commands.image_server import ImageServer
from orchestrator.commissioning.register_image import Chain, RegisterImage
from tests.support.servers.required import free_port


def served(words: Mapping[int, int]) -> ImageServer:
    """A device with these words by address, for any unit; it keeps what is written. Use it with `with`."""
    first, last = min(words), max(words)
    image = RegisterImage(Chain(first, (), 0), tuple(words.get(at) for at in range(first, last + 1)))
    return ImageServer(image, host="127.0.0.1", port=free_port(), writable=True)
