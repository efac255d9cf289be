from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.config.file import load_config, parse_config
from orchestrator.config.sections import SiteConfig
from orchestrator.errors import ConfigError

SITE = """
site: {{name: home}}
meter: {{host: 10.0.0.1}}
inverters: [{{name: east, host: 10.0.0.2}}]
setpoints: {{mqtt: {{host: h, topic: t, username: u, {password}}}}}
metrics: {{{metrics}}}
"""


def load(password: str = "tls: false", metrics: str = "port: 1") -> SiteConfig:
    return parse_config(SITE.format(password=password, metrics=metrics))


def secret_file(folder: Path, content: str = "hunter2\n", mode: int = 0o600) -> Path:
    path = folder / "secret"
    path.write_text(content)
    path.chmod(mode)
    return path


def problem(password: str) -> str:
    with pytest.raises(ConfigError) as wrong:
        load(password)
    assert "hunter2" not in str(wrong.value)
    return str(wrong.value)


def test_a_password_is_read_from_its_file(tmp_path: Path) -> None:
    path = secret_file(tmp_path)
    (source,) = load(f"password_file: {path}").setpoints.mqtt

    assert source.password is not None
    assert source.password.get_secret_value() == "hunter2"
    assert "hunter2" not in repr(source)


def test_a_token_is_read_from_its_file(tmp_path: Path) -> None:
    metrics = load(metrics=f"token_file: {secret_file(tmp_path)}").metrics

    assert metrics is not None
    assert metrics.token is not None
    assert metrics.token.get_secret_value() == "hunter2"


def test_named_files_are_beside_the_site_yaml_wherever_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    secret_file(folder)
    metrics = "token_file: ./secret, certificate_file: tls/site.pem, key_file: /etc/site.key"
    (folder / "site.yaml").write_text(SITE.format(password="password_file: secret", metrics=metrics))

    for stand, path in ((elsewhere, folder / "site.yaml"), (folder, Path("site.yaml")), (tmp_path, "site/site.yaml")):
        monkeypatch.chdir(stand)
        site = load_config(path)
        (source,) = site.setpoints.mqtt
        assert source.password is not None
        assert source.password.get_secret_value() == "hunter2"
        assert site.metrics is not None
        assert site.metrics.token is not None
        assert (site.metrics.certificate_file, site.metrics.key_file) == (str(folder / "tls/site.pem"), "/etc/site.key")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = secret_file(tmp_path, mode=mode)

    assert problem(f"password_file: {path}").endswith(
        f"setpoints.mqtt.password_file: {path} can be read by others (mode {mode:o}); chmod 600 {path}"
    )


def test_a_file_that_is_missing_or_no_file_is_refused(tmp_path: Path) -> None:
    assert "cannot be read: No such file or directory" in problem(f"password_file: {tmp_path / 'missing'}")
    assert "is no file" in problem(f"password_file: {tmp_path}")


@pytest.mark.parametrize("content", ["", "\n", "hunter2\nsecond line\n", "hunter2" * 1000])
def test_a_file_without_exactly_one_secret_is_refused(tmp_path: Path, content: str) -> None:
    assert "must hold one line" in problem(f"password_file: {secret_file(tmp_path, content)}")


def test_both_a_password_and_its_file_are_one_too_many(tmp_path: Path) -> None:
    path = secret_file(tmp_path)

    assert "either password or password_file, not both" in problem(f"password_file: {path}, password: x")


@pytest.mark.parametrize(("one", "other"), [("certificate_file", "key_file"), ("key_file", "certificate_file")])
def test_a_certificate_and_its_key_come_together(one: str, other: str) -> None:
    with pytest.raises(ConfigError, match=f"metrics.{one}: needs {other} beside it"):
        load(metrics=f"{one}: /x.pem")
