"""`orchestrator run` with limits by a schedule, by prices in a file, and by a contact: each holds, and is named."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from orchestrator.cli.main import main
from orchestrator.config.file import load_config
from tests.support.command_line import example_site, orchestrator
from tests.support.devices.modbus_inputs import Inputs

TABLES = """setpoints:
  schedules:
    - name: tariff
      rows: [{hours: 00:00-24:00, fields: {generation_limit_watts: 7000}}]
  price_files:
    - name: market
      prices_file: prices.json
      default: {}
      prices: [{below: 0, fields: {export_limit_watts: 250}}]
  modbus_contacts:
    - name: relay
      host: 127.0.0.1
      port: %d
      address: 3
      validity_s: 60
      default: {import_limit_watts: 8000}
      contact: {rows: [{says: "0"}, {says: "1", fields: {import_limit_watts: 9000}}]}
  mqtt:
    - host: 127.0.0.1
      port: %d
      topic: relays/1
      name: ripple
      validity_s: 60
      default: {}
      contact: {rows: [{says: "0"}, {says: "1", fields: {export_limit_watts: 0}}]}
"""


@pytest.mark.long
def test_limits_by_tables_hold_and_name_their_source(tmp_path: Path) -> None:
    with Inputs(0) as device:
        play(tmp_path, device)
        device.shutdown()


def play(tmp_path: Path, device: Inputs) -> None:
    site = example_site(tmp_path)
    port = load_config(site).setpoints.mqtt[0].port
    before, _, rest = site.read_text().partition("\nsetpoints:")
    after = rest[rest.index("\npublish:") :]
    site.write_text(f"{before}\n{TABLES % (device.port, port)}{after}")
    price = {"start": "2020-01-01T00:00:00Z", "end": "2090-01-01T00:00:00Z", "price": -1}
    with orchestrator(tmp_path, "run", str(site), "--demo") as running:
        running.wait_for_output("generation limit 7000 W (tariff)")
        running.wait_for_output("import limit 8000 W (default of relay)")
        device.values[2, 3] = 1
        running.wait_for_output("import limit 9000 W (relay)")
        (tmp_path / "prices.json").write_text(json.dumps({"prices": [price]}))
        running.wait_for_output("export limit 250 W (market)")
        assert main(["set", str(site), "1"]) == 0
        running.wait_for_output("export limit 0 W (ripple)")

        assert running.end(signal.SIGINT) == 0
        assert "prices of market:" in running.err  # there was no file yet at the start
