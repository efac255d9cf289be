"""The commands that look at devices, as people type them."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from actors.commands.image_server import ImageServer
from orchestrator.cli.main import main
from orchestrator.commissioning.image_file import from_json
from orchestrator.commissioning.register_image import masked
from orchestrator.devices.addresses import place_of
from orchestrator.devices.makes import image as make_image
from orchestrator.simulation.server import RunningSite, serve
from tests.support.command_line import orchestrator
from tests.support.commissioning import registers, site_to_commission
from tests.support.plants.made_site import HYBRID, made_site
from tests.support.records.images import fixture, path_of
from tests.support.servers.networks import NETWORK, network, writes_of
from tests.support.servers.required import free_port, wait_until

SAME = ("base_address_0based", "chain", "registers", "unit_id", "words_hex")
"""What of an image must survive being served and dumped."""


def test_scan_prints_a_table_and_writes_a_draft_that_check_accepts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draft = tmp_path / "draft.yaml"
    with network() as site:
        port = str(site.config.meter.port)
        options = ["--ports", port, "--units", "1,200", "--timeout", "2"]
        assert main(["scan", NETWORK, *options, "-o", str(draft)]) == 0
        assert set(writes_of(site).values()) == {0}

    out = capsys.readouterr().out
    assert " ".join(out.split()).startswith("host port unit device version serial kind driver models ")
    assert "SIM-roof" in out
    assert main(["check", str(draft)]) == 0
    checked = capsys.readouterr().out
    assert "inverters: virtual-hybrid, virtual-hybrid-2, virtual-pv" in checked
    assert "shadow mode, nothing is written" in checked


def test_scan_of_a_host_without_devices_exits_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", "127.0.0.1:1"]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "no inverter and no meter found at 127.0.0.1:1"


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


def test_a_dump_is_served_and_dumped_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with orchestrator(tmp_path, "serve", str(path_of("sma_sb36_night"))) as serving:
        serving.wait_for_output("Ctrl-C ends")
        assert "unit 126" in serving.out
        port = serving.out.split(" unit ")[0].rpartition(":")[2]
        copy = tmp_path / "copy.json"

        assert main(["dump", f"127.0.0.1:{port}", "--unit", "126", "--with-serial", "-o", str(copy)]) == 0
        assert serving.end(signal.SIGINT) == 0

    original = json.loads(path_of("sma_sb36_night").read_text())
    dumped = json.loads(copy.read_text())
    assert {key: dumped[key] for key in SAME} == {key: original[key] for key in SAME}
    assert dumped["device"] == "SMA SB3.6-1AV-41 4.01.15.R"
    assert "words of SMA SB3.6-1AV-41" in capsys.readouterr().out


def test_a_dump_without_a_file_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    image = fixture("fimer_pvs_day")
    with ImageServer(image, host="127.0.0.1", port=0) as server:
        assert main(["dump", f"127.0.0.1:{server.port}"]) == 0

    out, err = capsys.readouterr()
    assert from_json(out).words == masked(image).words != image.words
    assert f"reading 127.0.0.1:{server.port}: 1379 of 1379" in err.splitlines()


@pytest.mark.parametrize(
    ("content", "reason"), [(None, "nowhere.json cannot be read: No such file"), ("{}", "words_hex must be a list")]
)
def test_serve_refuses_what_is_no_image(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, reason: str
) -> None:
    path = tmp_path / "nowhere.json"
    if content is not None:
        path.write_text('{"base_address_0based": 0}')

    assert main(["serve", str(path)]) == 2
    assert reason in capsys.readouterr().err


def site_file(folder: Path, site: RunningSite) -> Path:
    """The configuration of a virtual site as a file."""
    path = folder / "site.yaml"
    sections = site.config.model_dump(mode="json", exclude_none=True)
    path.write_text(json.dumps({key: sections[key] for key in ("site", "meter", "inverters", "control")}))
    return path


def test_commission_prints_a_table_and_writes_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "report.html"
    with site_to_commission(tmp_path) as site:
        path = site_file(tmp_path, site)
        code = main(["commission", str(path), "--yes", "--revert", "8", "--report", str(page)])

    out, err = capsys.readouterr()
    assert code == 0
    assert "test: 4 passed, 1 not tried" in out
    assert "east: battery power -500 W for 8 s, put back afterwards. Go on? yes (--yes)" in err
    assert "back by itself" in page.read_text()


def test_commission_is_ended_by_ctrl_c_and_leaves_the_device_as_it_was_found(tmp_path: Path) -> None:
    with site_to_commission(tmp_path) as site:
        found = registers(site)
        with orchestrator(tmp_path, "commission", str(site_file(tmp_path, site)), "--yes") as running:
            wait_until(lambda: registers(site) != found, "a step")
            assert running.end(signal.SIGINT) == 1

            assert "interrupted" in running.out
            assert "putting back what was found" in running.err
        assert registers(site) == found


def test_commission_asks_before_it_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with site_to_commission(tmp_path) as site:
        path = str(site_file(tmp_path, site))
        assert main(["commission", path]) == 2
        assert main(["commission", path, "--inverter", "west", "--yes"]) == 2

        assert site.call(lambda virtual: virtual.devices["east"].writes) == []

    assert capsys.readouterr().err.splitlines() == [
        "nobody can be asked before devices are written to: say --yes",
        "there is no inverter 'west'; there is: east",
    ]


@pytest.mark.parametrize("make", ["sungrow-sh", "victron-gx"])
def test_dump_by_a_make_writes_what_its_profile_names(
    make: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "image.json"
    with serve(made_site(make, HYBRID.model_copy(update={"make": make})), new_port=free_port) as site:
        port = site.config.modbus_devices()[1].port
        assert main(["dump", f"127.0.0.1:{port}", "--driver", make, "-o", str(file)]) == 0

    image = make_image.from_json(file.read_text())
    names = {place_of(at).unit_id for at in image.words}
    assert image.driver == make
    assert names == ({None, 225, 227} if make == "victron-gx" else {None})
    assert f"words of {make}" in capsys.readouterr().out
    assert "SIM-east" not in file.read_text()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--driver", "sungro-sh"], "did you mean 'sungrow-sh'?"),
        (["--driver", "mqtt"], "mqtt is no make with a profile"),
        (["--driver", "sma", "--profile", "x.yaml"], "--driver or --profile, and not both"),
    ],
)
def test_dump_says_which_make_may_be_meant(options: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dump", "127.0.0.1:1", *options]) == 2
    assert says in capsys.readouterr().err
