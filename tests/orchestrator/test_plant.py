"""What the loop sees in one inverter: whether a limit holds it back."""

from __future__ import annotations

import pytest

from orchestrator.cycle import InverterMemory
from orchestrator.plant import Unit
from orchestrator.samples import InverterSample, OperatingState
from tests.support.cycles import site_config
from tests.support.example_site import plant

RATING_WATTS = 8000.0


def unit(*, ac_watts: float, limit_watts: float, state: OperatingState | None = None) -> Unit:
    """A PV inverter of 8 kW."""
    sample = InverterSample("east", 0.0, ac_watts=ac_watts, state=state)
    config = site_config().inverter("east")
    return Unit("east", config, sample, InverterMemory(), RATING_WATTS, limit_watts, None)


@pytest.mark.parametrize(
    ("ac_watts", "limit_watts", "state", "throttled"),
    [
        (3950.0, 4000.0, OperatingState.MPPT, True),
        (3900.0, 4000.0, OperatingState.MPPT, False),
        (3900.0, 4000.0, None, False),
        (3000.0, 4000.0, OperatingState.THROTTLED, True),
        (7950.0, 8000.0, OperatingState.THROTTLED, False),
    ],
    ids=["at its limit", "below it", "silent about it", "on its way to the limit", "at its rating"],
)
def test_an_inverter_is_throttled_at_its_limit_or_where_it_says_so(
    ac_watts: float, limit_watts: float, state: OperatingState | None, throttled: bool
) -> None:
    assert unit(ac_watts=ac_watts, limit_watts=limit_watts, state=state).throttled is throttled


def test_inverters_that_still_follow_a_rising_limit_are_given_nothing_beside_the_room() -> None:
    loop = plant()
    for name in ("east", "west"):
        loop.site.set_soc(name, 100.0)
    loop.ask(export_limit_watts=0.0)
    loop.run(20)
    loop.site.set_load(3000.0)
    moments = loop.run(30)

    assert max(-moment.site_watts for moment in moments[5:]) < 50
