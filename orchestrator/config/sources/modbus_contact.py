"""`setpoints.modbus_contacts:` contacts of the network that are read from inputs of a Modbus device."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from orchestrator.config.sources.contact import ContactSection
from orchestrator.config.sources.setpoint_values import SetpointValues
from orchestrator.documents.section import Host, Mistakes, Name, Port, Section, UnitId
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.intake import Language

BITS = ("coil", "discrete_input")


class ModbusContact(Section):
    """`setpoints.modbus_contacts[]:` one or more inputs of one device, whose states together are a word.

    Of bits the word has a 0 or a 1 for each, in the order of their addresses; of a register it is its number.
    """

    name: Name
    host: Host
    port: Port = 502
    unit_id: UnitId = 1
    table: Literal["coil", "discrete_input", "holding_register", "input_register"] = "discrete_input"
    address: Annotated[int, Field(ge=0, le=65535)]
    count: Annotated[int, Field(ge=1, le=16)] = 1
    interval_s: Annotated[float, Field(ge=0.1, le=60)] = 1.0
    timeout_s: Annotated[float, Field(gt=0, le=30)] = 1.0
    validity_s: Annotated[float, Field(ge=1, le=86400)]
    default: SetpointValues
    contact: ContactSection

    @property
    def language(self) -> Language:
        """How its words are read."""
        return self.contact.language

    def asks(self) -> tuple[SetpointFields, ...]:
        """All that it may ask for."""
        return (*self.contact.asks(), self.default)

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        if self.count > 1 and self.table not in BITS:
            raise Mistakes((("count",), f"must be 1 for a register (got {self.count})"))
        if self.validity_s < 2 * self.interval_s + self.timeout_s:
            least_s = 2 * self.interval_s + self.timeout_s
            message = f"must be at least {least_s:g}: one reading that is lost is no loss of the contact"
            raise Mistakes((("validity_s",), f"{message} (got {self.validity_s:g})"))
        wrong = [(index, row.says) for index, row in enumerate(self.contact.rows) if not self._is_word(row.says)]
        if wrong:
            wanted = f"{self.count} digits, each 0 or 1" if self.table in BITS else "a number from 0 to 65535"
            raise Mistakes(
                *((("contact", "rows", index, "says"), f"must be {wanted} (got {says!r})") for index, says in wrong)
            )
        return self

    def _is_word(self, text: str) -> bool:
        if self.table in BITS:
            return len(text) == self.count and set(text) <= set("01")
        return text.isascii() and text.isdigit() and text == str(int(text)) and int(text) <= 65535
