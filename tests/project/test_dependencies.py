"""What the orchestrator is installed with: every licence is known and allowed, and the audit judges as it should."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

REPOSITORY = Path(__file__).parents[2]
ALLOWED = {"0BSD", "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0"}
"""Licences that ask for no more than naming them; MPL-2.0 covers its own files only."""


def load(name: str) -> ModuleType:
    """A script of .ci as a module."""
    spec = importlib.util.spec_from_file_location(name, REPOSITORY / f".ci/{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


licences, audit = load("licences"), load("audit")


def test_the_page_of_licences_is_true() -> None:
    assert (REPOSITORY / "docs/licences.md").read_text() == licences.page()


@pytest.mark.parametrize("package", sorted(licences.pinned()))
def test_a_licence_is_allowed(package: str) -> None:
    options = [set(re.split(r" AND ", option)) for option in licences.licence(package).split(" OR ")]

    assert any(option <= ALLOWED for option in options), licences.licence(package)


def test_everything_that_is_installed_with_the_orchestrator_is_pinned() -> None:
    pinned = {licences.normal(name) for name in licences.pinned()}

    assert licences.requirements(None) <= pinned
    assert {"pymodbus", "pykka", "paho-mqtt", "tzdata"} <= licences.requirements(None)


def test_a_known_weakness_fails_the_audit(capsys: pytest.CaptureFixture[str]) -> None:
    weak = {"name": "a", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]}
    sound = {"name": "b", "version": "1", "vulns": []}

    assert audit.report([weak, sound]) == 1
    assert "a 1: CVE-1, mended in 2" in capsys.readouterr().out
    assert audit.report([sound]) == 0


def test_an_audit_that_could_not_ask_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.report([{"name": "a", "skip_reason": "not found"}]) == 0
    assert "skipped" in capsys.readouterr().out
