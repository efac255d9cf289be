"""Pages from templates: one HTML file that needs nothing else, neither a network nor a script."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from jinja2 import Environment, PackageLoader, StrictUndefined


@dataclass(frozen=True, slots=True)
class Imprint:
    """What stands at the foot of a page. `made_at` is in the time zone of the site."""

    version: str
    made_at: datetime
    timezone: str


def render(template: str, title: str, imprint: Imprint, values: Mapping[str, object]) -> str:
    """The page of one template; every value is escaped."""
    environment = Environment(
        loader=PackageLoader("orchestrator.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(
        title=title,
        version=imprint.version,
        made_at=f"{imprint.made_at:%Y-%m-%d %H:%M}",
        timezone=imprint.timezone,
        **values,
    )
