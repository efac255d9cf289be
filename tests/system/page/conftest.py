"""One browser for the tests of a module, and a served plant for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.page.browser import chromium
from tests.support.page.plant import PagePlant, page_config
from tests.support.page.served import PageServer, served


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def server() -> Iterator[PageServer]:
    """A plant of three that has run for a while, served."""
    plant = PagePlant(page_config())
    plant.step(20)
    with served(plant) as running:
        yield running
