"""The commands that look at devices, as people type them."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.cli import main
from tests.support.networks import NETWORK, network, writes_of


def test_scan_prints_a_table_and_writes_a_draft_that_check_accepts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draft = tmp_path / "draft.yaml"
    with network() as site:
        port = str(site.config.meter.port)
        options = ["--ports", port, "--units", "1,200", "--timeout", "0.3"]
        assert main(["scan", NETWORK, *options, "-o", str(draft)]) == 0
        assert set(writes_of(site).values()) == {0}

    out = capsys.readouterr().out
    assert " ".join(out.split()).startswith("host port unit maker model version serial kind models ")
    assert "SIM-roof" in out
    assert main(["check", str(draft)]) == 0
    checked = capsys.readouterr().out
    assert "inverters: virtual-hybrid, virtual-hybrid-2, virtual-pv" in checked
    assert "shadow mode, nothing is written" in checked


def test_scan_of_a_host_without_devices_exits_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", "127.0.0.1:1"]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "no SunSpec device found at 127.0.0.1:1"


def test_scan_of_a_large_network_must_be_meant(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", "127.0.0.0/21"]) == 2
    assert capsys.readouterr().err == "127.0.0.0/21 has 2048 addresses; say --yes to scan them all\n"


def test_scan_does_not_overwrite_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draft = tmp_path / "site.yaml"
    draft.write_text("precious")

    assert main(["scan", "127.0.0.1:1", "-o", str(draft)]) == 2
    assert draft.read_text() == "precious"
    assert "exists; it is not overwritten" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--timeout", "0"], ["--connections", "x"], ["--timeout", "nan"]])
def test_scan_refuses_wrong_numbers(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["scan", "127.0.0.1", *arguments])

    assert caught.value.code == 2
