"""Storms: random plants under some 90 overlapping faults each, in virtual time. `make soak` plays 10,000 faults.

Whatever comes: each second above a limit has a named cause, no excess that could be helped lasts longer than 5 s, the
loop obeys just what it can know of, a failsafe says why, and all is well again in the end.
"""

from __future__ import annotations

import pytest

from tests.support.storms.laws import judge

QUICK, ALL = 4, 40

FOUND = (14, 49, 148, 167)
"""Storms that broke a law once: a start without its meter, and a meter that is put right after it was turned."""


@pytest.mark.parametrize(
    "seed",
    [pytest.param(seed, marks=[pytest.mark.long] if seed >= QUICK else []) for seed in sorted({*range(ALL), *FOUND})],
)
def test_limits_are_kept_in_a_storm_wherever_that_is_possible(seed: int) -> None:
    verdict = judge(seed)

    assert verdict.broken == []
    assert verdict.faults > 50
