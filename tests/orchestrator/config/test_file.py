"""Every file in tests/fixtures/wrong_sites begins with the mistakes it must be told of, as comments."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from orchestrator.config.file import load_config, parse_config
from orchestrator.errors import ConfigError, ConfigProblem

REPOSITORY = Path(__file__).parents[3]
WRONG_SITES = sorted((REPOSITORY / "tests/fixtures/wrong_sites").glob("*.yaml"))
ENVIRONMENT = {"SECRET": "tOp secret", "PORT": "502"}

GOOD = """
site: {name: home}
meter: {host: 10.0.0.1, unit_id: 200}
inverters:
  - {name: east, host: 10.0.0.2}
"""


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "site.yaml", ENVIRONMENT)
    return [str(problem) for problem in caught.value.problems]


def mistakes_of_file(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(path, ENVIRONMENT)
    return str(caught.value)


@pytest.mark.parametrize("path", WRONG_SITES, ids=lambda path: path.stem)
def test_each_mistake_of_a_wrong_site_is_told_with_its_line_key_and_message(path: Path) -> None:
    expected = [line[2:] for line in path.read_text().splitlines() if re.match(r"# \d+:\d+: ", line)]

    assert mistakes(path.read_text()) == expected
    assert expected


def test_there_are_enough_wrong_sites() -> None:
    assert len(WRONG_SITES) >= 30


def test_the_example_site_is_fine() -> None:
    config = load_config(REPOSITORY / "site.yaml")

    assert [inverter.name for inverter in config.inverters] == ["east", "west", "roof"]
    assert config.setpoints.fixed.export_limit_watts == 5000
    assert config.control.battery_power_flow


def test_what_is_not_written_has_its_default() -> None:
    config = parse_config(GOOD, environ={})

    assert config.meter.port == 502
    assert config.control.revert_s == 60
    assert not config.control.battery_power_flow
    assert config.setpoints.mqtt == ()
    assert config.metrics is not None
    assert config.metrics.host == "127.0.0.1"


def test_a_message_begins_with_the_file_as_it_was_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD.replace("10.0.0.1", '""'))

    assert mistakes_of_file(path).startswith(f"{path}:3:9: meter.host: must be a host name or an IP address")


def test_a_file_that_is_not_there_is_said() -> None:
    assert mistakes_of_file(Path("nowhere/site.yaml")) == "nowhere/site.yaml:1:1: there is no such file"


def test_a_directory_is_said(tmp_path: Path) -> None:
    assert mistakes_of_file(tmp_path).endswith("this is a directory; name the site.yaml in it")


def test_a_name_that_no_file_can_have_is_said() -> None:
    assert "the file cannot be read" in mistakes_of_file(Path("a\0b"))


def test_an_empty_file_is_said(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text("")

    assert mistakes_of_file(path).endswith("1:1: the file is empty; it needs at least site, meter and inverters")


def test_text_that_is_not_utf8_is_said_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_bytes("site: {name: home}\n# Süden\n".encode("latin-1"))

    assert mistakes_of_file(path).endswith(":2:4: the file is not UTF-8 text; save it as UTF-8")


def test_a_byte_order_mark_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_bytes(GOOD.encode("utf-8-sig"))

    assert load_config(path, {}).site.name == "home"


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text("#" * 1_000_001)

    assert mistakes_of_file(path).endswith("the file is larger than 1000000 bytes")


def test_a_control_character_is_said_with_its_place() -> None:
    assert mistakes("site:\n  name: a\x07b\n") == ["2:10: a control character that YAML does not allow"]


@pytest.mark.no_cover  # millions of lines of a YAML reader
def test_deep_nesting_is_refused() -> None:
    assert mistakes("[" * 5000) == ["1:1: nested too deeply"]


@pytest.mark.no_cover  # millions of lines of a YAML reader
def test_aliases_of_aliases_cannot_fill_the_memory() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]

    assert mistakes("\n".join(lines)) == ["1:37: more than 100000 values"]


@pytest.mark.no_cover  # millions of lines of a YAML reader
def test_merges_of_merges_cannot_take_for_ever() -> None:
    lines = ["a0: &a0 {k0: 1}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}" for n in range(1, 10)]

    assert mistakes("\n".join(lines))[0].endswith("more than 100000 values")


def test_anchors_aliases_and_merges_may_be_used() -> None:
    config = parse_config(
        """
site: {name: home}
meter: {host: &gateway 10.0.0.1, unit_id: 200}
inverters:
  - &east {name: east, host: *gateway, timeout_s: 5}
  - {<<: *east, name: west, unit_id: 2}
""",
        environ={},
    )

    assert [inverter.timeout_s for inverter in config.inverters] == [5.0, 5.0]
    assert [inverter.name for inverter in config.inverters] == ["east", "west"]


def test_numbers_and_booleans_are_those_of_yaml_1_2() -> None:
    config = parse_config(GOOD + "control: {interval_s: 1e1, revert_s: 0x3c, enabled: False}", environ={})

    assert config.control.interval_s == 10.0
    assert config.control.revert_s == 60
    assert not config.control.enabled


def test_null_asks_for_nothing() -> None:
    config = parse_config(GOOD + "setpoints: {fixed: {export_limit_watts: null}}\nmetrics: ~", environ={})

    assert config.setpoints.fixed.export_limit_watts is None
    assert config.metrics is None


def test_one_mqtt_source_may_be_written_without_a_list() -> None:
    one = parse_config(GOOD + "setpoints: {mqtt: {host: 127.0.0.1, topic: a}}", environ={})
    listed = parse_config(GOOD + "setpoints: {mqtt: [{host: 127.0.0.1, topic: a}]}", environ={})

    assert one == listed
    assert one.setpoints.mqtt[0].name == "mqtt"


def test_environment_variables_are_put_into_texts() -> None:
    config = parse_config(
        GOOD + 'setpoints: {mqtt: {host: 127.0.0.1, topic: "a/${SECRET}", username: u, password: "${SECRET}"}}',
        environ=ENVIRONMENT,
    )

    password = config.setpoints.mqtt[0].password
    assert password is not None
    assert password.get_secret_value() == "tOp secret"
    assert config.setpoints.mqtt[0].topic == "a/tOp secret"
    assert "tOp secret" not in repr(password)


def test_an_environment_variable_never_becomes_a_number() -> None:
    assert mistakes(GOOD.replace("unit_id: 200", 'port: "${PORT}"')) == [
        "3:25: meter.port: must be a whole number from 1 to 65535 (got '${PORT}')"
    ]


def test_an_ip6_address_is_a_host() -> None:
    assert parse_config(GOOD.replace("10.0.0.1", '"fe80::1%eth0"'), environ={}).meter.host == "fe80::1%eth0"


@given(st.text())
@example("site: *a")
@example("? [a]\n: b")
@example("{a: 1, a: 2}")
@example("!!set {a}")
@example("a: !!timestamp 2020-01-01")
@example("%YAML 9.9\n---\na")
@example("&a a: *a")
@example("<<: {<<: 1}")
def test_any_text_is_a_site_or_is_told_what_is_wrong(text: str) -> None:
    check_any(text)


def check_any(text: str) -> None:
    problems: tuple[ConfigProblem, ...] = (ConfigProblem(1, 1, "", "none"),)
    try:
        parse_config(text, "site.yaml", {})
    except ConfigError as error:
        problems = error.problems
    assert problems
    assert all(problem.line >= 1 and problem.column >= 1 and problem.message for problem in problems)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
EXAMPLE = yaml.safe_load((REPOSITORY / "site.yaml").read_text())


def paths(value: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(inner for key, item in items for inner in paths(item, (*path, key)))]


def replaced(value: object, path: tuple[object, ...], new: object) -> object:
    if not path:
        return new
    if isinstance(value, dict):
        return {k: replaced(v, path[1:], new) if k == path[0] else v for k, v in value.items()}
    assert isinstance(value, list)
    return [replaced(v, path[1:], new) if k == path[0] else v for k, v in enumerate(value)]


@given(st.sampled_from(paths(EXAMPLE)), VALUES)
def test_any_value_in_any_place_is_fine_or_is_told(path: tuple[object, ...], value: object) -> None:
    check_any(yaml.safe_dump(replaced(EXAMPLE, path, value), allow_unicode=True))


@given(st.text("abcdefgh", min_size=12), st.sampled_from(["password", "passwort", "pass", "secret"]))
def test_a_password_is_in_no_message(secret: str, key: str) -> None:
    for value in (f"[{secret}]", f"{{{secret}: 1}}", secret):
        text = GOOD + f"setpoints: {{mqtt: {{host: '', topic: a, {key}: {value}}}}}"

        assert secret not in "\n".join(mistakes(text))


@pytest.mark.parametrize(
    ("written", "meant"), [("./state", "state"), ("kept/../there", "there"), ("/var/lib/there", "/var/lib/there")]
)
def test_the_state_is_beside_the_site_yaml_wherever_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str, meant: str
) -> None:
    folder, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    text = (REPOSITORY / "site.yaml").read_text().replace("./state", written)
    (folder / "site.yaml").write_text(text)

    for stand, path in ((elsewhere, folder / "site.yaml"), (folder, Path("site.yaml")), (tmp_path, "site/site.yaml")):
        monkeypatch.chdir(stand)
        assert load_config(path).control.state_dir == str(folder / meant)
