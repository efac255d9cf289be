"""Sections of site.yaml for those who look on: the page, Home Assistant, a portfolio, messages to people."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, SecretStr

from orchestrator.config.sources.setpoint_values import SetpointValues
from orchestrator.documents.section import Host, Section, Text
from orchestrator.setpoints.fields import SetpointFields

HOME_ASSISTANT: Final = "home_assistant"
"""The source of setpoints that are entered in Home Assistant, and the topic below which they come and are shown."""

PORTFOLIO: Final = "portfolio"
"""The source of setpoints that are commands of the portfolio above this site. It comes before all others, so that where
the order decides the site's own win."""

AGGREGATE: Final = "aggregate"
"""The topic, below the one that a site publishes under, at which it and its portfolio speak."""

Prefix = Annotated[
    str,
    Field(
        max_length=64,
        pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$",
        description="a topic of letters, digits, '_', '-' and '/'",
    ),
]


class HomeAssistantConfig(Section):
    """`publish.mqtt.home_assistant:` what is published for Home Assistant to find the plant by itself."""

    prefix: Prefix = "homeassistant"


class PortfolioConfig(Section):
    """`publish.mqtt.portfolio:` this site is one of a portfolio. `default` holds while no command does.

    `grid_charging`: the portfolio may have the batteries charged from the grid.
    """

    default: SetpointValues = SetpointFields()
    grid_charging: bool = False


SHORTEST_TOKEN: Final = 12
SHORTEST_PASSWORD: Final = 8
"""Characters. A token is copied and not typed; a password is guessed slowly, see docs/threat-model.md."""


class PageSection(Section):
    """`page:` the page and the API. They are on the server of `metrics:`; without that one at `host` and `port`."""

    enabled: bool = True
    host: Host = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 9464
    change_token: SecretStr | None = None
    change_token_file: Text | None = None
    change_password: SecretStr | None = None
    change_password_file: Text | None = None
    history_days: Annotated[int, Field(ge=1, le=366)] = 31
    language: Literal["auto", "en", "de"] = "auto"

    @property
    def can_be_changed(self) -> bool:
        """Whether anybody may change something over HTTP."""
        return self.enabled and (self.change_token is not None or self.change_password is not None)


NoticeKind = Literal[
    "failsafe",
    "limit_exceeded",
    "meter_sign",
    "inverter_away",
    "battery_not_following",
    "command_ignored",
    "flash",
    "setpoint_refused",
]
"""What people may be written to about."""


class NotifySection(Section):
    """`notify:` who is written to when something needs a person, by Apprise."""

    urls: Annotated[tuple[SecretStr, ...], Field(min_length=1, max_length=20, strict=False)]
    events: Annotated[tuple[NoticeKind, ...], Field(min_length=1, strict=False)] | None = None
    after_s: Annotated[float, Field(ge=0, le=86400)] = 60.0
    repeat_after_s: Annotated[float, Field(ge=60, le=604800)] = 21600.0
    most_per_hour: Annotated[int, Field(ge=1, le=1000)] = 12
