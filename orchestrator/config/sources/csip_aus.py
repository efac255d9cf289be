"""`setpoints.csip_aus:` a utility server that speaks CSIP-AUS (IEEE 2030.5)."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from orchestrator.config.sources.setpoint_values import SetpointValues
from orchestrator.documents.section import Host, Mistakes, Name, Section, Text
from orchestrator.setpoints.fields import SetpointFields

ServerUrl = Annotated[
    str,
    Field(
        pattern=r"^https://(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?/[^\s#]{0,200}$",
        description="a URL such as https://utility.example:8443/dcap, with the path of the DeviceCapability or "
        "/.well-known/csipaus",
    ),
]
Lfdi = Annotated[
    str,
    Field(
        pattern=r"^(?:[0-9A-Fa-f]{40}|(?:[0-9A-Fa-f]{4}-){9}[0-9A-Fa-f]{4})$",
        description="40 hexadecimal digits, with or without '-' between groups of four",
    ),
]
ConnectionPoint = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9]{1,32}$", description="1 to 32 letters and digits, such as an NMI, in quotes"),
]

CSIP_AUS: Final = "csip-aus"
"""What the source is called where site.yaml gives it no name."""


class CsipAusSource(Section):
    """`setpoints.csip_aus:` where the server is, who this site is there, and what holds without it."""

    name: Name = CSIP_AUS
    server: ServerUrl
    server_name: Host | None = None
    ca_file: Text
    certificate_file: Text
    key_file: Text
    lfdi: Lfdi | None = None
    pin: Annotated[int, Field(ge=0, le=999_999)] | None = None
    register_device: bool = False
    connection_point: ConnectionPoint | None = None
    version: Literal["1.2", "1.3-beta", "1.3"] = "1.2"
    rated_watts: Annotated[float, Field(gt=0, le=1e9)]
    rated_vars: Annotated[float, Field(gt=0, le=1e9)] | None = None
    least_power_factor: Annotated[float, Field(gt=0, le=1)] | None = None
    lost_after_s: Annotated[float, Field(ge=60, le=604_800)] = 900.0
    timeout_s: Annotated[float, Field(ge=1, le=60)] = 10.0
    default: SetpointValues

    @property
    def expected_lfdi(self) -> str | None:
        """The LFDI that the certificate must have, without its groups; None: any."""
        return None if self.lfdi is None else self.lfdi.replace("-", "").upper()

    @model_validator(mode="after")
    def _is_safe_without_the_server(self) -> Self:
        if self.default == SetpointFields():
            message = "asks for nothing; write what holds while the server was never heard, such as an export limit"
            raise Mistakes((("default",), message))
        return self
