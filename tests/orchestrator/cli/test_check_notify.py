"""What `check` says of `notify:`: an address that is wrong, and an extra that is missing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from orchestrator.cli.main import main

SECRET = "s3cret-of-the-phone"


def site(folder: Path, url: str) -> str:
    path = folder / "site.yaml"
    path.write_text(
        "site: {name: home}\nmeter: {host: 10.0.0.1}\ninverters: [{name: east, host: 10.0.0.2}]\n"
        f'notify: {{urls: ["{url}"]}}\n'
    )
    return str(path)


def test_a_wrong_address_exits_2_and_its_secret_is_not_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", site(tmp_path, f"nosuch://{SECRET}")]) == 2

    said = "".join(capsys.readouterr())
    assert "notify.urls[0]: Apprise does not understand this address, which begins with 'nosuch://'" in said
    assert SECRET not in said


def test_a_good_address_is_fine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", site(tmp_path, f"json://user:{SECRET}@127.0.0.1")]) == 0

    assert SECRET not in "".join(capsys.readouterr())


def test_without_the_extra_check_says_how_it_is_installed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)

    assert main(["check", site(tmp_path, "json://127.0.0.1")]) == 0

    assert "warning: notify: the package apprise is not installed" in capsys.readouterr().err
