"""The API described for programs (OpenAPI 3.1), from the records that are sent and the table of its ways in."""

from __future__ import annotations

from typing import Any, Final

from msgspec.json import schema_components

from orchestrator.telemetry.api.answers import REFERENCE, InverterHistory, Problem, SiteHistory
from orchestrator.telemetry.api.endpoints import API, ENDPOINTS, JSON, Endpoint, Query
from orchestrator.telemetry.records import AwayRecord, InverterRecord

REFUSALS: Final = {
    "401": "A token is needed, or this one is wrong.",
    "403": "Read-only, or the request comes from another site's page.",
    "404": "There is no such thing.",
    "409": "It cannot be done as things stand; the plant goes on as before.",
    "413": "The body is too long.",
    "415": "The body must be application/json.",
    "421": "The server is not called by this name.",
    "422": "A value is wrong; `field` says which.",
    "429": "Too many requests, or too many wrong tokens.",
    "503": "It cannot be answered now.",
}

CHOICES: Final = (InverterRecord, AwayRecord, SiteHistory, InverterHistory)
"""Records that are sent where one of several may come."""


def description(version: str) -> dict[str, Any]:
    """The whole document; `version` is that of the program."""
    types = [
        Problem,
        *CHOICES,
        *(each.answers for each in ENDPOINTS if each.answers),
        *(e.asks for e in ENDPOINTS if e.asks),
    ]
    shown, components = schema_components(types, ref_template=REFERENCE + "{name}")
    schemas = dict(zip(map(str, types), shown, strict=True))
    paths: dict[str, Any] = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(API + endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "orchestrator",
            "version": version,
            "description": "One plant of many inverters. Powers in W: import and charging are positive.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(endpoint: Endpoint, schemas: dict[str, Any]) -> dict[str, Any]:
    media = "text/event-stream" if endpoint.answers is None else JSON
    schema = {"type": "string"} if endpoint.answers is None else schemas[str(endpoint.answers)]
    told = {"200": {"description": endpoint.says, "content": {media: {"schema": schema}}}}
    problem = {JSON: {"schema": schemas[str(Problem)]}}
    refused = {code: {"description": says, "content": problem} for code, says in REFUSALS.items()}
    operation: dict[str, Any] = {"operationId": endpoint.name, "summary": endpoint.says, "responses": told | refused}
    names = [part[1:-1] for part in endpoint.path.split("/") if part.startswith("{")]
    parameters = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]
    parameters += [_parameter(query) for query in endpoint.queries]
    if parameters:
        operation["parameters"] = parameters
    if endpoint.asks is not None:
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": schemas[str(endpoint.asks)]}}}
    operation["security"] = [{"token": []}] if endpoint.changes else [{}, {"token": []}]
    return operation


def _parameter(query: Query) -> dict[str, Any]:
    number = {"type": "integer", "minimum": query.least, "maximum": query.most, "default": query.default}
    schema = number if query.most else {"type": "string"}
    return {"name": query.name, "in": "query", "description": query.says, "required": False, "schema": schema}
