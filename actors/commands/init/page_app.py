"""What the set-up page asks and changes. It never writes to a device; it writes one file, when it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from msgspec import to_builtins
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from actors.commands.init.page_search import Searches
from actors.commands.init.site_file import NotWritten, checked_text, is_no_site_yet, kept_as, write_site
from actors.commands.init.surroundings import meter_watts
from actors.web.app import PAGE_PATH, Files, app_of
from actors.web.bounds import LONG_S, Bounds
from actors.web.changing import read_body
from actors.web.gate import problem
from actors.web.reading import as_json
from orchestrator.commissioning.drafts.answered import (
    Around,
    WrongAnswer,
    chosen_meter,
    chosen_site,
    inverters_among,
    key_of,
    read_answers,
    read_meter,
    read_target,
)
from orchestrator.commissioning.drafts.chosen_site import has_battery
from orchestrator.commissioning.drafts.device_lines import unique_names
from orchestrator.commissioning.drafts.meters import is_behind_an_inverter, meters_among
from orchestrator.commissioning.scan_report import FoundDevice
from orchestrator.commissioning.scan_targets import LARGE_FROM, addresses, endpoints, is_line
from orchestrator.config.file import parse_config
from orchestrator.config.warnings import cautions
from orchestrator.devices.makes.choice import SUNSPEC
from orchestrator.devices.makes.library import meter_profile_names
from orchestrator.documents.json_values import Payload
from orchestrator.errors import ConfigError, UsageError
from orchestrator.reason import because
from orchestrator.reason.cautions import say_caution
from orchestrator.telemetry.api.endpoints import API

INDEX: Final = "new_site.html"
SETUP: Final = f"{API}/setup"
MOST_REMARKS: Final = 20


@dataclass(frozen=True, slots=True)
class SetUpPlace:
    """What is known before anybody is asked."""

    file: Path
    network: str
    timezone: str
    around: Around


class SetUp:
    """The handlers. Whether who asks may ask was decided before, by the gate."""

    def __init__(self, place: SetUpPlace, searches: Searches, bounds: Bounds, start: Callable[[], None]) -> None:
        self._place, self._searches, self._bounds, self._start = place, searches, bounds, start
        self._reading_meter = asyncio.Lock()
        self._written: Payload | None = None

    async def state(self, _request: Request) -> Response:
        """What is known so far."""
        return as_json(self._state())

    async def search(self, request: Request) -> Response:
        """Begin to look for devices."""
        target = _target(await read_body(request))
        if not self._searches.begin(target):
            return problem(409, because("search_under_way"))
        return as_json(self._state(), 202)

    async def stop_search(self, _request: Request) -> Response:
        """End the search."""
        await asyncio.to_thread(self._searches.stop)
        return as_json(self._state())

    async def meter(self, request: Request) -> Response:
        """What a meter shows now, in its own sign."""
        given = read_meter(await read_body(request))
        device = chosen_meter(given, self._searches.devices).device
        if self._searches.is_running or self._reading_meter.locked():
            return problem(409, because("other_device_read"))
        self._may_take_long(request)
        async with self._reading_meter:  # some meters take one connection
            watts = await asyncio.to_thread(meter_watts, device)
        return as_json({"watts": watts})

    async def draft(self, request: Request) -> Response:
        """The file that these answers make, and what to know about it."""
        text = self._text(await read_body(request))
        config = parse_config(text, self._place.file.name, {})
        found = cautions(config)
        return as_json({"text": text, "warnings": [say_caution(each) for each in found], "why": to_builtins(found)})

    async def write(self, request: Request) -> Response:
        """Write it. A file that says something is replaced only where `?replace=yes` says so, and kept."""
        body, file = await read_body(request), self._place.file
        text = self._text(body)
        if not is_no_site_yet(file) and request.query_params.get("replace") != "yes":
            return problem(409, because("file_exists", file=str(file)), "replace")
        try:
            kept = await asyncio.to_thread(write_site, file, text)
        except NotWritten as trouble:
            return problem(503, trouble.why)
        self._written = {"shadow": read_answers(body).shadow, "kept": None if kept is None else str(kept)}
        return as_json(self._state())

    async def start(self, _request: Request) -> Response:
        """End the set-up and run the site that was written, in shadow mode."""
        if self._written is None:
            return problem(409, because("nothing_written"))
        if not self._written["shadow"]:
            return problem(409, because("would_command"))
        self._start()
        return as_json({}, 202)

    def _text(self, body: bytes) -> str:
        """Raises WrongAnswer, and ConfigError where the whole is wrong."""
        site = chosen_site(read_answers(body), self._searches.devices, self._place.around)
        return checked_text(site, self._place.file, date.today())

    def _may_take_long(self, request: Request) -> None:
        if request.client is not None:
            self._bounds.let_stay((request.client.host, request.client.port), LONG_S)

    def _state(self) -> Payload:
        place, searches = self._place, self._searches
        inverters, latest = inverters_among(searches.devices), searches.latest
        names = unique_names(inverters)
        return {
            "file": str(place.file),
            "file_is_there": not is_no_site_yet(place.file),
            "would_be_kept_as": kept_as(place.file).name,
            "network": place.network,
            "timezone": place.timezone,
            "search": None
            if latest is None
            else {
                "target": latest.target,
                "done": latest.done,
                "steps": latest.steps,
                "found": latest.found,
                "running": latest.is_running,
                "trouble": latest.trouble,
                "trouble_why": to_builtins(latest.why),
            },
            "inverters": [{**_device(each), "name": name} for each, name in zip(inverters, names, strict=True)],
            "meters": [_device(each) for each in meters_among(searches.devices)],
            "remarks": [{"text": str(each), "why": to_builtins(each.why)} for each in searches.remarks[-MOST_REMARKS:]],
            "meter_drivers": [SUNSPEC, *meter_profile_names()],
            "written": self._written,
        }


def set_up_app(set_up: SetUp, files: Files) -> Starlette:
    """The page and what it asks."""
    routes = [
        Route(SETUP, set_up.state),
        Route(f"{SETUP}/search", set_up.search, methods=["POST"]),
        Route(f"{SETUP}/search", set_up.stop_search, methods=["DELETE"]),
        Route(f"{SETUP}/meter", set_up.meter, methods=["POST"]),
        Route(f"{SETUP}/draft", set_up.draft, methods=["POST"]),
        Route(f"{SETUP}/file", set_up.write, methods=["POST"]),
        Route(f"{SETUP}/start", set_up.start, methods=["POST"]),
        Route("/", files.serve),
        Route(PAGE_PATH + "{path:path}", files.serve),
    ]
    app = app_of(routes)
    app.add_exception_handler(WrongAnswer, _on_wrong)
    app.add_exception_handler(ConfigError, _on_config)
    return app


def _device(device: FoundDevice) -> Payload:
    plate = device.nameplate
    return {
        "key": key_of(device),
        "title": device.title,
        "address": device.address,
        "serial": plate.serial,
        "kind": device.kind.value,
        "driver": device.driver,
        "has_battery": has_battery(device),
        "is_behind": is_behind_an_inverter(device),
        "rating_watts": plate.ac_max_watts,
        "capacity_wh": plate.capacity_wh,
    }


def _target(body: bytes) -> str:
    """Where to look. Raises WrongAnswer."""
    target = read_target(body)
    try:
        if not is_line(target):
            count = addresses(target)
            if count > LARGE_FROM:
                raise UsageError(f"{target} has {count} addresses; say a smaller network, or one address")
            endpoints(target, (1,))
    except UsageError as wrong:
        raise WrongAnswer(str(wrong), "target") from None
    return target


async def _on_wrong(_request: Request, error: Any) -> Response:
    return problem(422, str(error), error.field)


async def _on_config(_request: Request, error: Exception) -> Response:
    return problem(422, str(error), "file")
