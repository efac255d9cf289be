"""What takes long to start and is shared by the tests of a module, as long as they pass."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Generic, TypeVar

import pytest

T = TypeVar("T")
FAILED = pytest.StashKey[bool]()
"""Set on a test that has failed, by conftest.py."""


class Shared(Generic[T]):
    """One thing for many tests. After a failure it is ended: the next test gets a new one that nobody spoilt."""

    def __init__(self, make: Callable[[], AbstractContextManager[T]]) -> None:
        self._make = make
        self._held = ExitStack()
        self._there: list[T] = []

    def end(self) -> None:
        """End what there is."""
        self._there.clear()
        self._held.close()

    @contextlib.contextmanager
    def lent_to(self, request: pytest.FixtureRequest) -> Iterator[T]:
        """For one test, its set-up and its clearing up included."""
        if not self._there:
            self._there.append(self._held.enter_context(self._make()))
        try:
            yield self._there[0]
        except BaseException:
            self.end()
            raise
        if FAILED in request.node.stash:
            self.end()


@contextlib.contextmanager
def shared(make: Callable[[], AbstractContextManager[T]]) -> Iterator[Shared[T]]:
    """To be held by a fixture of the module."""
    one = Shared(make)
    try:
        yield one
    finally:
        one.end()
