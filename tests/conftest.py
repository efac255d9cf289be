"""For all tests: hypothesis judges what code does, not how busy the machine is; what failed is noted on the test."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

from tests.support.plants.shared import FAILED

settings.register_profile(
    "unhurried",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile("seeking", settings.get_profile("unhurried"), derandomize=False)
settings.load_profile("unhurried")
"""The same examples in every run. `pytest --hypothesis-profile=seeking` looks for new ones."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note a failure where fixtures can see it."""
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report
