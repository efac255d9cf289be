"""Coverage is measured by examples: property tests and long runs go at full speed."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent
LONG_RUNS = (HERE / "simulation/rehearsal", HERE / "simulation/test_physics.py")
"""Whole days and many steps of physics, in which the same lines come again and again."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out of the measuring what takes three times as long with it, and reaches hardly a further line."""
    for item in items:
        is_property = getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
        if is_property or any(item.path.is_relative_to(each) for each in LONG_RUNS):
            item.add_marker("no_cover")
