"""What tests share is one thing as long as they pass, and a new one behind a failure."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.plants.shared import FAILED, Shared, shared


class Made:
    """Makes numbers, and remembers which have ended."""

    def __init__(self) -> None:
        self.count = 0
        self.ended: list[int] = []

    @contextlib.contextmanager
    def __call__(self) -> Iterator[int]:
        self.count += 1
        number = self.count
        yield number
        self.ended.append(number)


def given(one: Shared[int], *, fails: bool = False) -> int:
    """What a test gets that passes or fails."""
    request: Any = SimpleNamespace(node=SimpleNamespace(stash=pytest.Stash()))
    with one.lent_to(request) as number:
        if fails:
            request.node.stash[FAILED] = True
    return number


def test_tests_that_pass_share_one() -> None:
    made = Made()
    with shared(made) as one:
        assert [given(one), given(one)] == [1, 1]
        assert made.ended == []
    assert made.ended == [1]


def test_behind_a_failure_there_is_a_new_one() -> None:
    made = Made()
    with shared(made) as one:
        assert [given(one, fails=True), given(one), given(one)] == [1, 2, 2]
        assert made.ended == [1]


def test_what_cannot_be_brought_into_its_state_is_not_used_again() -> None:
    made = Made()
    request: Any = SimpleNamespace(node=SimpleNamespace(stash=pytest.Stash()))
    with shared(made) as one:
        with pytest.raises(ValueError, match="no set-up"), one.lent_to(request):
            raise ValueError("no set-up")
        assert given(one) == 2


def test_what_was_never_used_was_never_made() -> None:
    made = Made()
    with shared(made):
        pass
    assert made.count == 0


def test_a_failure_is_noted_on_the_test(pytestconfig: pytest.Config, request: pytest.FixtureRequest) -> None:
    report = SimpleNamespace(failed=True)
    (noting,) = [plugin for plugin in pytestconfig.pluginmanager.get_plugins() if _is_ours(plugin)]
    item: Any = SimpleNamespace(stash=pytest.Stash())
    hook = noting.pytest_runtest_makereport(item)
    next(hook)
    with pytest.raises(StopIteration):
        hook.send(report)

    assert item.stash[FAILED]
    assert FAILED not in request.node.stash


def _is_ours(plugin: object) -> bool:
    return str(getattr(plugin, "__file__", "")).endswith("tests/conftest.py")
