"""The commands that look at devices or command them, where these are on a serial line."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.cli.main import main
from orchestrator.commissioning.image_file import from_json
from orchestrator.config.file import load_config
from orchestrator.simulation.server import serve
from orchestrator.simulation.site import VirtualSite
from tests.support.servers.lines import METER_UNIT, served_line


def site_file(folder: Path) -> Path:
    """A hybrid at unit 1 and the meter at unit 9 of a line."""
    line = f"serial: {{port: {folder}/line, baud_rate: 115200}}"
    text = f"""
site: {{name: line}}
meter: {{{line}, unit_id: {METER_UNIT}}}
inverters:
  - {{name: east, {line}, unit_id: 1, serial_number: SIM-east}}
control: {{battery_power_flow: true, state_dir: {folder}/state}}
metrics: null
page: {{enabled: false}}
simulation:
  inverters:
    east:
      pv_peak_watts: 6000
      ac_rating_watts: 6000
      battery: {{capacity_wh: 9000, charge_watts: 4000, discharge_watts: 4000}}
"""
    path = folder / "site.yaml"
    path.write_text(text)
    return path


def test_scan_finds_the_line_and_its_draft_is_fine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    draft, port = tmp_path / "draft.yaml", tmp_path / "line"
    bounds = ["--units", f"1,{METER_UNIT}", "--baud-rates", "115200", "--parities", "N", "--timeout", "3"]
    with served_line(port):
        assert main(["scan", str(port), *bounds, "-o", str(draft)]) == 0

    out = " ".join(capsys.readouterr().out.split())
    assert "115200 8N1 1 Virtual PV" in out
    assert main(["check", str(draft)]) == 0
    assert f"line {port} (115200 8N1): to read all that is on it takes about" in capsys.readouterr().out


def test_scan_of_a_port_that_is_not_there_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", str(tmp_path / "none"), "--units", "1", "--baud-rates", "9600"]) == 1
    assert f"no such port {tmp_path}/none: is the adapter plugged in" in capsys.readouterr().err


def test_a_device_on_a_line_is_dumped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with served_line(tmp_path / "line"):
        assert main(["dump", str(tmp_path / "line"), "--unit", str(METER_UNIT), "--baud-rate", "115200"]) == 0

    image = from_json(capsys.readouterr().out)
    assert (image.unit_id, image.chain.models[1].id) == (METER_UNIT, 203)


def test_release_hands_a_device_on_a_line_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = site_file(tmp_path)
    with serve(load_config(path)) as site:
        assert main(["release", str(path)]) == 0
        assert site.call(lambda virtual: len(virtual.devices["east"].writes)) > 0

    assert capsys.readouterr().out == "east: released\n"
    assert main(["release", str(path)]) == 1
    assert capsys.readouterr().err.startswith(f"east: not released: no such port {tmp_path}/line: ")


@pytest.mark.long
def test_an_inverter_on_a_line_is_commissioned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def sunny(site: VirtualSite) -> None:
        site.set_pv_available("east", 4000.0)
        site.set_load(1500.0)

    path = site_file(tmp_path)
    with serve(load_config(path)) as site:
        site.call(sunny)
        main(["commission", str(path), "--yes", "--revert", "5"])

    out = capsys.readouterr().out
    assert "SIM-east" in out
    assert "unsafe" not in out.lower()
