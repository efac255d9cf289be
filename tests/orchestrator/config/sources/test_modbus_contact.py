"""`setpoints.modbus_contacts` of site.yaml: what is taken, and what is said of mistakes."""

from __future__ import annotations

import pytest

from orchestrator.config.changes import forgotten_sources
from orchestrator.config.policy import export_can_be_limited
from orchestrator.config.sections import SiteConfig
from orchestrator.loop.in_force import in_force
from orchestrator.setpoints.merge import merge
from tests.support.records.site_text import changed_site, refusal

SITE = """site: {name: home}
meter: {host: 10.0.0.1}
inverters:
  - {name: east, host: 10.0.0.2}
setpoints:
  modbus_contacts:
    - name: ripple
      host: 10.0.0.9
      address: 0
      count: 2
      validity_s: 30
      default: {import_limit_watts: 0}
      contact:
        rows:
          - {says: "10"}
          - {says: "01", fields: {export_limit_watts: 0}}
"""


def site(*changes: tuple[str, str]) -> SiteConfig:
    return changed_site(SITE, *changes)


@pytest.mark.parametrize(
    ("former", "new", "message"),
    [
        ('"01"', '"2"', "site.yaml:16:14: setpoints.modbus_contacts[0].contact.rows[1].says: must be 2 digits, each 0"),
        ("count: 2", "count: 2\n      table: input_register", "count: must be 1 for a register (got 2)"),
        ("count: 2", "table: input_register", "rows[1].says: must be a number from 0 to 65535 (got '01')"),
        ("validity_s: 30", "validity_s: 2", "validity_s: must be at least 3: one reading that is lost is no loss of"),
        ("      validity_s: 30\n", "", "validity_s: this key is missing"),
        ("      default: {import_limit_watts: 0}\n", "", "default: this key is missing"),
        ("address", "adress", "unknown key 'adress'; did you mean 'address'?"),
        ("name: ripple", "name: manual", "name: the name 'manual' is reserved"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_key(former: str, new: str, message: str) -> None:
    assert message in refusal(SITE, (former, new))


def test_before_it_was_read_its_default_holds() -> None:
    assert merge(in_force(site(), {}, 0.0)).whose("import_limit_watts") == "default of ripple"


def test_its_limits_are_known_and_other_inputs_are_another_source() -> None:
    assert export_can_be_limited(site())
    assert not export_can_be_limited(site((", fields: {export_limit_watts: 0}", "")))
    assert forgotten_sources(site(), site(("address: 0", "address: 1"))) == ("ripple",)
    assert forgotten_sources(site(), site(("validity_s: 30", "validity_s: 40"))) == ()
