"""The app: which path leads to which handler, and the files of the page, which are read once and kept in memory."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from actors.web.changing import Changing, TooLong
from actors.web.gate import problem
from actors.web.reading import Reading
from actors.web.stream import Streams
from orchestrator.telemetry.api.asked import Invalid
from orchestrator.telemetry.api.endpoints import API, ENDPOINTS, HEALTH_PATH, METRICS_PATH, READY_PATH

PAGE_FOLDER: Final = Path(__file__).parents[2] / "orchestrator" / "page"
PAGE_PATH: Final = "/page/"
INDEX: Final = "index.html"
SERVED: Final = (".html", ".css", ".js", ".json", ".svg", ".png", ".ico", ".txt", ".woff2", ".webmanifest")
MOST_FILES: Final = 500
TYPES: Final = {".js": "text/javascript", ".webmanifest": "application/manifest+json", ".woff2": "font/woff2"}


class Files:
    """The files of a folder by the path that they are served at. Nothing else of the disk can be asked for."""

    def __init__(self, folder: Path = PAGE_FOLDER, index: str = INDEX) -> None:
        """`index` is the one that is served at `/`."""
        self._by_path = dict(_read(folder, index)) if folder.is_dir() else {}

    def __contains__(self, path: str) -> bool:
        return path in self._by_path

    async def serve(self, request: Request) -> Response:
        """One file; that it has not changed, where who asks has it already."""
        found = self._by_path.get(request.url.path)
        if found is None:
            raise HTTPException(404, "there is no such file")
        content, kind, tag = found
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type=kind)


def make_app(
    reading: Reading, changing: Changing, streams: Streams, files: Files | None, *, with_metrics: bool
) -> Starlette:
    """`files` None: there is no page and no API, and the root is that of the metrics."""
    routes: list[BaseRoute] = [Route(HEALTH_PATH, reading.health), Route(READY_PATH, reading.ready)]
    if with_metrics:
        routes.append(Route(METRICS_PATH, reading.metrics))
    if files is not None:
        routes += [*_api(reading, changing, streams), Route("/", files.serve)]
        routes.append(Route(PAGE_PATH + "{path:path}", files.serve))
    elif with_metrics:
        routes.append(Route("/", reading.metrics))
    return app_of(routes)


def app_of(routes: Sequence[BaseRoute]) -> Starlette:
    """These routes, and what is said where a request is wrong."""
    handlers = {Invalid: _on_invalid, TooLong: _on_too_long, HTTPException: _on_http}
    return Starlette(routes=routes, exception_handlers=handlers)  # type: ignore[arg-type] # each takes its own kind


def _api(reading: Reading, changing: Changing, streams: Streams) -> Iterator[BaseRoute]:
    yield Route(f"{API}/openapi.json", reading.openapi)
    handlers = {"stream": streams.open}
    for each in ENDPOINTS:
        handler = handlers.get(each.name) or getattr(reading if each.method == "GET" else changing, each.name)
        yield Route(API + each.path, handler, methods=[each.method])


def _read(folder: Path, index: str) -> Iterator[tuple[str, tuple[bytes, str, str]]]:
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix in SERVED and path.is_file()]
    for path in paths[:MOST_FILES]:
        content = path.read_bytes()
        kind = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        file = (content, kind, f'"{sha256(content).hexdigest()[:32]}"')
        yield PAGE_PATH + path.relative_to(folder).as_posix(), file
        if path == folder / index:
            yield "/", file


async def _on_invalid(_request: Request, error: Invalid) -> Response:
    return problem(422, error.why or str(error), error.field, text=str(error))


async def _on_too_long(_request: Request, error: TooLong) -> Response:
    return problem(413, error.why)


async def _on_http(request: Request, error: HTTPException) -> Response:
    headers: Mapping[str, str] | None = error.headers
    if request.url.path.startswith(f"{API}/"):
        return problem(error.status_code, error.detail, headers=headers)
    return Response(f"{error.detail}\n", error.status_code, headers, media_type="text/plain")
