"""What every section of a YAML file is made of: the base record and the value ranges that several sections share.

A `description` says in a message what a value may be; ranges of numbers describe themselves.
"""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.documents.yaml_text import Finding

Name = Annotated[
    str, Field(pattern=r"^[a-z0-9_-]{1,32}$", description="a name of 1 to 32 characters out of a-z, 0-9, '_' and '-'")
]
Title = Annotated[
    str,
    Field(pattern=r"^[^\x00-\x1f\x7f]{1,64}$", description="text of 1 to 64 characters on one line"),
]
Text = Annotated[str, Field(min_length=1, description="text that is not empty, in quotes where it looks like a number")]
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
"""What is all digits and dots must be an address: 192.168.1.333 is no name of anybody."""
Host = Annotated[
    str,
    Field(
        pattern=rf"^(?:{_IPV4}|[A-Za-z0-9_.-]*[A-Za-z_-][A-Za-z0-9_.-]*|[0-9A-Fa-f.]*:[0-9A-Fa-f.]*:[0-9A-Za-z:.%_-]*)$",
        max_length=253,
        description="a host name or an IP address, without port or 'http://'",
    ),
]
Topic = Annotated[
    str,
    Field(
        max_length=512,
        pattern=r"^[^#+\x00]+$",
        description="an MQTT topic of 1 to 512 characters without '+' and '#'",
    ),
]
Port = Annotated[int, Field(ge=1, le=65535)]
UnitId = Annotated[int, Field(ge=0, le=255)]
Watts = Annotated[float, Field(ge=0, le=1e9)]
Percent = Annotated[float, Field(ge=0, le=100)]
INVERTERS_MAX: Final = 300
SITES_MAX: Final = 2000
"""Of one site. So many were measured in one process: from a value of the meter to the last acknowledged write in less
than 0.7 s."""


class Section(BaseModel):
    """Unknown keys are refused, values keep their type (no "5" for 5), and nothing changes after loading."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, hide_input_in_errors=True)


class Mistakes(ValueError):
    """What a validator raises of several values of its section: each mistake with the path of its key within it."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__("; ".join(message for _, message in findings))
        self.findings = findings
