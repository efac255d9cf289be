"""All errors of the project, by whose fault they are and whether trying again helps.

OrchestratorError
├── UsageError               what was asked for cannot be meant          whoever asked mends it
│   ├── ConfigError          a file is wrong, site.yaml or another       the operator mends it
│   └── PayloadError         an MQTT message is refused as a whole       its sender mends it
└── DeviceError              a device did not do its part; `kind` is the metric label
    ├── LinkError            the connection; trying again helps
    │   ├── LinkDown         cannot connect, was reset, was closed       kind "connection"
    │   ├── LinkTimeout      connected, but no answer in time            kind "timeout"
    │   ├── LinkNonsense     what came is no Modbus                      kind "nonsense"
    │   ├── LinkCorrupt      a frame with a wrong checksum               kind "crc"
    │   └── LinkHalfFrame    a frame that broke off                      kind "half_frame"
    ├── RequestRefused       a Modbus exception reply                    kind "refused"
    ├── NonsenseReply        registers that cannot be true               kind "nonsense"
    └── WrongDevice          no SunSpec map, or another serial number    kind "wrong_device"

Trouble of a device is expected: actors turn it into a message and go on. Anything that is not in this tree is a bug.
"""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.reason import Reason
from orchestrator.reason.refusals import say_refusal
from orchestrator.reason.troubles import as_said, say_trouble


class OrchestratorError(Exception):
    """The root: catch it where any expected trouble is handled alike."""


class UsageError(OrchestratorError):
    """A command, a file or a message is wrong; doing the same again does not help."""


@dataclass(frozen=True)
class ConfigProblem:
    """One mistake in a YAML file. Line and column are 1-based; `key_path` reads like `inverters[1].port`.

    The path is empty where the mistake is the file's as a whole.
    """

    line: int
    column: int
    key_path: str
    message: str

    def __str__(self) -> str:
        where = f"{self.line}:{self.column}: {self.key_path}".rstrip(": ")
        return f"{where}: {self.message}"


class ConfigError(UsageError):
    """A YAML file cannot be used. Carries every mistake that was found, not only the first."""

    def __init__(self, file: str, problems: tuple[ConfigProblem, ...]) -> None:
        self.file = file
        self.problems = problems
        super().__init__("\n".join(f"{file}:{problem}" for problem in problems))


class PayloadError(UsageError):
    """An MQTT message is not a setpoint. The text says which field is wrong and what it may be.

    `why` says it as a value; None where only the text does.
    """

    def __init__(self, why: Reason | str) -> None:
        self.why = why if isinstance(why, Reason) else None
        super().__init__(why if isinstance(why, str) else say_refusal(why))


class DeviceError(OrchestratorError):
    """A device, or the way to it, failed. `kind` is a bounded metric label.

    `why` says it as a value, for words in any language; the text of the error is in English.
    """

    kind = "device"

    def __init__(self, why: Reason | str) -> None:
        self.why = why if isinstance(why, Reason) else as_said(why)
        super().__init__(say_trouble(self.why))


class LinkError(DeviceError):
    """The connection failed; another attempt may work."""

    kind = "connection"


class LinkDown(LinkError):
    """The peer cannot be reached, or ended the connection."""


class LinkTimeout(LinkError):
    """The peer is connected and did not answer in time."""

    kind = "timeout"


class LinkNonsense(LinkError):
    """The peer sent what is no Modbus, or no answer to what it was asked."""

    kind = "nonsense"


class LinkCorrupt(LinkError):
    """On a serial line: the checksum of an answer is wrong."""

    kind = "crc"


class LinkHalfFrame(LinkError):
    """On a serial line: an answer began and broke off."""

    kind = "half_frame"


class RequestRefused(DeviceError):
    """A Modbus exception reply; `code` is its number (1 function, 2 address, 3 value, 4 device, 6 busy)."""

    kind = "refused"

    def __init__(self, why: Reason | str, code: int) -> None:
        super().__init__(why)
        self.code = code


class NonsenseReply(DeviceError):
    """Registers came back that cannot be a measurement."""

    kind = "nonsense"


class WrongDevice(DeviceError):
    """What answers at this address is not what site.yaml describes. It is never written to."""

    kind = "wrong_device"
