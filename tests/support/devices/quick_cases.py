"""Sweeps over every make or case: a few of them in the quick suite, the rest with what takes longer."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import pytest
from _pytest.mark.structures import ParameterSet


def quick_cases(cases: Iterable[str], quick: Collection[str]) -> list[ParameterSet]:
    """Parameters for `parametrize`: all of `cases`, those that are not in `quick` marked `long`.

    Raises ValueError where `quick` names no case: it would silently leave the quick suite without it.
    """
    cases = list(cases)
    unknown = set(quick) - set(cases)
    if unknown:
        raise ValueError(f"no such case: {', '.join(sorted(unknown))}")
    return [pytest.param(case, marks=() if case in quick else pytest.mark.long) for case in cases]
