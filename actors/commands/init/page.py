"""`orchestrator init --page`: the same questions as `orchestrator init`, in a browser on this machine."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from actors.commands.init.page_app import INDEX, SetUp, SetUpPlace, set_up_app
from actors.commands.init.page_search import Look, Searches
from actors.commands.init.site_file import require_folder, state_dir_for
from actors.commands.init.surroundings import own_network, own_timezone
from actors.commands.run.run import wait_for_signal_or
from actors.web.app import Files
from actors.web.bounds import Bounds
from actors.web.gate import Gate
from actors.web.keys import Keys
from actors.web.server import WebServer
from orchestrator.commissioning.drafts.answered import Around
from orchestrator.commissioning.drafts.chosen_site import Served
from orchestrator.config.warnings import is_loopback
from orchestrator.errors import OrchestratorError
from orchestrator.telemetry.api.http_guard import Rules

TOKEN_BYTES: Final = 18


class NotServed(OrchestratorError):
    """The address of the page cannot be had."""


@dataclass(frozen=True, slots=True)
class PageOptions:
    """Which file is made, and where the page is served meanwhile, and later by the site."""

    file: Path
    served: Served = field(default_factory=Served)
    state_dir: str | None = None


def set_up_by_page(options: PageOptions, look: Look, say: Callable[[str], None]) -> bool:
    """Serve the page until its reader starts the site that was written: True; a signal ends it before: False.

    Only who knows the token in the address that is said to `say` may ask anything. Raises UsageError and NotServed.
    """
    require_folder(options.file)
    token, started, bounds = secrets.token_urlsafe(TOKEN_BYTES), threading.Event(), Bounds()
    served = options.served
    keys = Keys(read=token, change=token)
    rules = Rules(frozenset({served.host.lower()}), token)
    files, searches = Files(index=INDEX), Searches(look)
    set_up = SetUp(_place(options), searches, bounds, started.set)
    gate = Gate(set_up_app(set_up, files), rules, keys, is_file=lambda path: path in files)
    try:
        server = WebServer(served.host, served.port, gate, bounds=bounds)
    except OSError as trouble:
        raise NotServed(f"cannot listen on {served.host}:{served.port}: {trouble.strerror or trouble}") from trouble
    server.start()
    try:
        say(f"Set up {options.file} in a browser on this machine: {_url(served.host, server.port)}#token={token}")
        say("Whoever has this address may set up the site. Ctrl-C ends it; nothing is written before you say so.")
        if not is_loopback(served.host):
            say("It is open to the network, and not encrypted: a tunnel of SSH to 127.0.0.1 is safer (docs/tools.md).")
        return wait_for_signal_or(started)
    finally:
        searches.stop()
        server.stop()


def _place(options: PageOptions) -> SetUpPlace:
    served = options.served
    return SetUpPlace(
        file=options.file.absolute(),
        network=own_network(),
        timezone=own_timezone(),
        around=Around(options.state_dir or state_dir_for(options.file), served),
    )


def _url(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"
