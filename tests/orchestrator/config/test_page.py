"""The section `page:`: where it listens, its secrets, and what `check` says of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.config.changes import changes_between
from orchestrator.config.file import load_config, parse_config
from orchestrator.config.sections import SiteConfig
from orchestrator.config.warnings import warnings
from orchestrator.errors import ConfigError

SITE = """
site: {name: home}
meter: {host: 10.0.0.1, unit_id: 200}
inverters: [{name: east, host: 10.0.0.2}]
"""
TOKEN = "a-token-for-changes"


def site(*sections: str) -> SiteConfig:
    return parse_config("\n".join((SITE, *sections)))


def said(*sections: str) -> list[str]:
    return [each for each in warnings(site(*sections)) if each.startswith(("page", "metrics"))]


def test_without_a_word_there_is_a_page_for_this_machine_that_changes_nothing() -> None:
    config = site()

    assert config.server is not None
    assert (config.server.host, config.server.port) == ("127.0.0.1", 9464)
    assert not config.page.can_be_changed


def test_page_and_metrics_are_on_one_server() -> None:
    with_metrics = site("metrics: {port: 1234}", "page: {port: 80}").server
    without_metrics = site("metrics: null", "page: {port: 80}").server

    assert with_metrics is not None
    assert without_metrics is not None
    assert (with_metrics.port, without_metrics.port) == (1234, 80)
    assert site("metrics: null", "page: {enabled: false}").server is None


def test_a_page_that_is_off_cannot_be_changed() -> None:
    assert site(f"page: {{change_token: {TOKEN}}}").page.can_be_changed
    assert not site(f"page: {{enabled: false, change_token: {TOKEN}}}").page.can_be_changed


def test_secrets_of_the_page_are_read_from_their_files(tmp_path: Path) -> None:
    for name in ("token", "password"):
        (tmp_path / name).write_text(f"hunter2 of {name}\n")
        (tmp_path / name).chmod(0o600)
    path = tmp_path / "site.yaml"
    path.write_text(SITE + "page: {change_token_file: token, change_password_file: password}\n")
    page = load_config(path).page

    assert page.change_token is not None
    assert page.change_password is not None
    assert page.change_token.get_secret_value() == "hunter2 of token"
    assert page.change_password.get_secret_value() == "hunter2 of password"
    assert "hunter2" not in repr(page)


@pytest.mark.parametrize(
    ("page", "where", "what"),
    [
        ("{change_token: short}", "page.change_token", "at least 12 characters"),
        ("{change_password: short}", "page.change_password", "at least 8 characters"),
        ("{change_tokn: abc}", "page.change_tokn", "did you mean 'change_token'"),
        ("{language: fr}", "page.language", "'auto', 'en' or 'de'"),
        ("{history_days: 0}", "page.history_days", "from 1 to 366"),
        ("null", "page", ""),
    ],
)
def test_a_mistake_in_it_is_told_with_its_key_and_never_with_the_secret(page: str, where: str, what: str) -> None:
    with pytest.raises(ConfigError) as caught:
        site(f"page: {page}")
    told = str(caught.value)

    assert where in told
    assert what in told
    assert "short" not in told


@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        (("metrics: null", "page: {host: 0.0.0.0}"), ["page.host: 0.0.0.0 can be read from other machines: OPEN"]),
        (("page: {port: 80}",), ["page.port: ignored"]),
        (
            (f"page: {{change_token: {TOKEN}}}", "metrics: {host: 10.0.0.3, token: abcd}"),
            ["metrics.host: 10.0.0.3", "page.change_token: tokens and passwords go unencrypted to 10.0.0.3"],
        ),
        ((f"page: {{change_token: {TOKEN}}}",), []),
        (("metrics: null", "page: {host: '::1', port: 80}"), []),
        (("metrics: null", "page: {host: 0.0.0.0, enabled: false}"), []),
    ],
)
def test_what_is_unwise_is_said(sections: tuple[str, ...], expected: list[str]) -> None:
    found = said(*sections)

    assert len(found) == len(expected)
    assert all(each.startswith(start) for each, start in zip(found, expected, strict=True))


def test_another_page_replaces_the_server_and_nothing_else() -> None:
    changes = changes_between(site(), site("page: {language: de}"))

    assert changes.page
    assert not changes.metrics
    assert changes.lines() == ("page: changed",)
