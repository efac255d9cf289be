"""The setpoints that outlive a restart, as the text of a file: of each source its message and what it superseded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from orchestrator.setpoints.intake import KeptSource


def to_json(sources: Mapping[str, KeptSource]) -> str:
    """What `from_json` reads again."""
    return json.dumps(
        {
            name: {
                "origin": kept.origin,
                "message": kept.message,
                "received": kept.received.isoformat(),
                "superseded": list(kept.superseded),
            }
            for name, kept in sources.items()
        },
        indent=1,
    )


def from_json(text: str) -> dict[str, KeptSource]:
    """The sources by name. Raises ValueError where the text is anything else than `to_json` wrote."""
    sources = json.loads(text)
    if not isinstance(sources, dict):
        raise ValueError("not a JSON object")
    return {name: _source(values) for name, values in sources.items()}


def _source(values: Any) -> KeptSource:
    if not isinstance(values, dict) or set(values) != {"origin", "message", "received", "superseded"}:
        raise ValueError("other fields than expected")
    message, superseded = values["message"], values["superseded"]
    if not (message is None or isinstance(message, str)) or not isinstance(superseded, list):
        raise ValueError("a value has the wrong type")
    received = datetime.fromisoformat(str(values["received"]))
    if received.tzinfo is None:
        raise ValueError("a time without its zone")
    return KeptSource(str(values["origin"]), message, received, tuple(str(each) for each in superseded))
