"""A site.yaml as text, in which a test changes a word."""

from __future__ import annotations

import pytest

from orchestrator.config.file import parse_config
from orchestrator.config.sections import SiteConfig
from orchestrator.errors import ConfigError


def changed_site(text: str, *changes: tuple[str, str]) -> SiteConfig:
    """The site of `text` with each (former, new) changed. A former word that is not there is a mistake of the test."""
    for former, new in changes:
        assert former in text
        text = text.replace(former, new)
    return parse_config(text, environ={})


def refusal(text: str, *changes: tuple[str, str]) -> str:
    """All that is said of its mistakes; it must have some."""
    with pytest.raises(ConfigError) as refused:
        changed_site(text, *changes)
    return str(refused.value)
