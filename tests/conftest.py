"""For all tests: hypothesis judges what code does, not how busy the machine is; what failed is noted on the test."""

from __future__ import annotations

import sys
import threading
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

from tests.support.plants.shared import FAILED

settings.register_profile(
    "unhurried",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile("quick", settings.get_profile("unhurried"), max_examples=40)
settings.register_profile("seeking", settings.get_profile("unhurried"), derandomize=False)
settings.load_profile("quick")
"""The same examples in every run. `make test` takes 40 of a property, where it does not say its own number, and
`make test-long` a hundred (`unhurried`). `pytest --hypothesis-profile=seeking` looks for new ones."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Coverage is not measured while a property test goes through its examples: that takes three times as long.

    Modules in which whole plants run over time say `no_cover` themselves, for the same reason. What they reach is
    reached by examples of other tests too, or it counts as not covered.
    """
    for item in items:
        if isinstance(item, pytest.Function) and is_hypothesis_test(item.obj):
            item.add_marker("no_cover")


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """What is not measured is not traced either: pytest-cov stops one of the two collectors of an xdist worker.

    Without this, a property test takes up to ten times as long there. `trylast`: inside pytest-cov's own hook.
    """
    if item.get_closest_marker("no_cover") is None:
        return (yield)
    tracer, of_threads = sys.gettrace(), threading.gettrace()
    _trace(None, None)
    try:
        return (yield)
    finally:
        _trace(tracer, of_threads)


def _trace(tracer: Any, of_threads: Any) -> None:
    sys.settrace(tracer)
    threading.settrace(of_threads)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note a failure where fixtures can see it."""
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report
