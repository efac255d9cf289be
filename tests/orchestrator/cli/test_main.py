"""The commands as people type them: what is printed where, and the exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.cli.main import main
from tests.support.servers.brokers import mosquitto, mqtt_client
from tests.support.servers.required import free_port

REPOSITORY = Path(__file__).parents[3]

SITE = """
site: {{name: home}}
meter: {{host: 127.0.0.1, port: {port}, unit_id: 200}}
inverters:
  - {{name: east, host: 127.0.0.1, port: {port}}}
setpoints:
  mqtt: [{sources}]
"""


def site_file(
    tmp_path: Path, port: int, sources: str = "{{host: 127.0.0.1, port: {port}, topic: site/setpoints}}"
) -> str:
    path = tmp_path / "site.yaml"
    path.write_text(SITE.format(port=port, sources=sources.format(port=port)))
    return str(path)


def test_check_of_a_good_site_exits_0_with_a_summary(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["check", str(REPOSITORY / "site.yaml")])

    out, err = capsys.readouterr()
    assert code == 0
    assert "is fine: site home; inverters: east, west, roof; MQTT sources: mqtt; metrics: 127.0.0.1:9464" in out
    assert all(line.startswith("warning: ") for line in err.splitlines())


def test_check_tells_of_each_make_what_it_goes_back_to_when_it_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(
        "site: {name: home}\nmeter: {host: 10.0.0.1}\ninverters:\n"
        "  - {name: barn, driver: goodwe-et, host: 10.0.0.2}\n  - {name: roof, host: 10.0.0.3}\n"
    )
    main(["check", str(path)])

    assert capsys.readouterr().out.splitlines()[1:] == [
        "barn (goodwe-et), once nobody commands it any more: battery: never by itself: it stays as it was told last"
    ]


def test_a_quiet_check_of_a_good_site_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--quiet", str(REPOSITORY / "site.yaml")]) == 0
    assert capsys.readouterr() == ("", "")


def test_check_of_a_wrong_site_exits_2_with_all_mistakes_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    path = REPOSITORY / "tests/fixtures/wrong_sites/several_mistakes_at_once.yaml"
    code = main(["check", str(path)])

    out, err = capsys.readouterr()
    expected = [f"{path}:{line[2:]}" for line in path.read_text().splitlines() if line.startswith("# ")]
    assert code == 2
    assert out == ""
    assert err.splitlines() == expected


@pytest.mark.parametrize("command", ["check", "set", "release", "explain"])
def test_every_command_refuses_a_wrong_site(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "nowhere.yaml"]) == 2
    assert capsys.readouterr().err == "nowhere.yaml:1:1: there is no such file\n"


def test_a_run_without_a_site_says_how_to_make_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    only_comments = tmp_path / "site.yaml"
    only_comments.write_text("# there is no site yet\n")
    for file in ("nowhere.yaml", str(only_comments)):
        assert main(["run", file]) == 2
        said = capsys.readouterr().err
        assert f"{file}: there is no site yet" in said
        assert f"orchestrator init --page {file}" in said


def test_check_says_that_nothing_is_written_in_shadow_mode(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = site_file(tmp_path, 502)
    Path(path).write_text(Path(path).read_text() + "control: {enabled: false}\n")

    assert main(["check", path]) == 0
    assert "shadow mode, nothing is written" in capsys.readouterr().out


def test_check_is_quick_because_it_loads_neither_actors_nor_modbus() -> None:
    program = (
        "import sys; from orchestrator.cli.main import main; main(['check', 'site.yaml'])\n"
        "print([name for name in ('pykka', 'pymodbus', 'paho', 'prometheus_client', 'rich') if name in sys.modules])"
    )
    output = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, check=True, capture_output=True, text=True)

    assert output.stdout.splitlines()[-1] == "[]"


def test_a_command_that_does_not_exist_exits_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["reboot", "site.yaml"])

    assert caught.value.code == 2


def test_a_setpoint_is_published_retained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with mosquitto(tmp_path) as broker:
        code = main(["set", site_file(tmp_path, broker.port), '{"opModExpLimW": 0}'])

        with mqtt_client(broker.host, broker.port) as client:
            client.subscribe("site/setpoints")
            message = client.wait_for("site/setpoints")

    assert code == 0
    assert json.loads(message.payload) == {"opModExpLimW": 0}
    assert message.retained
    assert capsys.readouterr().out == (
        f'published on site/setpoints at 127.0.0.1:{broker.port}: {{"opModExpLimW": 0}}\n'
    )


@pytest.mark.parametrize("withdrawal", [[""], ["--withdraw"]])
def test_a_setpoint_is_withdrawn_by_a_retained_message_without_content(tmp_path: Path, withdrawal: list[str]) -> None:
    with mosquitto(tmp_path) as broker:
        site = site_file(tmp_path, broker.port)
        with mqtt_client(broker.host, broker.port) as client:
            client.subscribe("site/setpoints")
            assert main(["set", site, '{"opModExpLimW": 0}']) == 0
            assert main(["set", site, *withdrawal]) == 0
            assert client.wait_for("site/setpoints", 2).payload == b""

        with mqtt_client(broker.host, broker.port) as newcomer:
            newcomer.subscribe("site/setpoints")
            newcomer.publish("site/setpoints", b"{}")
            assert not newcomer.wait_for("site/setpoints").retained


def test_a_setpoint_that_would_be_refused_is_not_published(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with mosquitto(tmp_path) as broker:
        assert main(["set", site_file(tmp_path, broker.port), '{"opModExpLim": 0}']) == 2

    assert 'did you mean "opModExpLimW"?' in capsys.readouterr().err


def test_a_broker_that_is_down_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()

    assert main(["set", site_file(tmp_path, port), "{}"]) == 1
    assert capsys.readouterr().err == f"MQTT broker 127.0.0.1:{port} cannot be reached: Connection refused\n"


def test_a_broker_that_refuses_the_password_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = "{{host: 127.0.0.1, port: {port}, topic: a, username: u, password: wrong}}"
    with mosquitto(tmp_path, "allow_anonymous false") as broker:
        assert main(["set", site_file(tmp_path, broker.port, source), "{}"]) == 1

    error = capsys.readouterr().err
    assert error == f"MQTT broker 127.0.0.1:{broker.port} refuses: Not authorized\n"


def test_a_site_without_mqtt_has_nothing_to_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["set", site_file(tmp_path, 1883, sources=""), "{}"]) == 2
    assert "site.yaml has no setpoints.mqtt" in capsys.readouterr().err


def test_of_several_sources_one_must_be_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sources = (
        "{{name: a, host: 127.0.0.1, port: {port}, topic: ta}}, {{name: b, host: 127.0.0.1, port: {port}, topic: tb}}"
    )
    with mosquitto(tmp_path) as broker:
        site = site_file(tmp_path, broker.port, sources)
        assert main(["set", site, "{}"]) == 2
        assert main(["set", site, "{}", "--source", "c"]) == 2
        assert main(["set", site, "{}", "--source", "b"]) == 0

    out, err = capsys.readouterr()
    assert err.splitlines() == [
        "which source? Say --source with one of: a, b",
        "there is no source 'c' under setpoints.mqtt; there is: a, b",
    ]
    assert out.startswith("published on tb at ")


def test_set_without_a_setpoint_says_how(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = site_file(tmp_path, 1883)

    assert main(["set", site]) == 2
    assert main(["set", site, "{}", "--withdraw"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "a setpoint is missing, such as '{\"opModExpLimW\": 0}'; or --withdraw",
        "either a setpoint or --withdraw, not both",
    ]
