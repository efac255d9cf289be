"""Where the energy of a run came from, and where it went."""

from __future__ import annotations

import pytest

from orchestrator import control
from orchestrator.loop.site_loop import Controller
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.simulation.measuring.energy_balance import EnergyBalance, balance_of, stored_wh
from orchestrator.simulation.physics import PowerState
from orchestrator.simulation.rehearsal.rivals import no_control, same_for_all
from orchestrator.simulation.virtual_time import Moment, VirtualTime
from tests.support.plants.virtual_site import site_config

pytestmark = pytest.mark.no_cover  # whole plants over time: tracing them takes several times as long


def moment(site_watts: float, load_watts: float, *powers: PowerState) -> Moment:
    return Moment(1.0, site_watts, load_watts, powers, SetpointFields())


def test_powers_become_energies() -> None:
    charging = PowerState(
        ac_watts=0.0, pv_watts=2000.0, battery_watts=1900.0, pv_available_watts=2500.0, stored_wh=5000.0
    )
    giving = PowerState(ac_watts=3900.0, pv_watts=0.0, battery_watts=-4000.0, stored_wh=4980.0)
    hour = 3600.0
    balance = balance_of([moment(1000.0, 1000.0, charging), moment(-900.0, 3000.0, giving)], hour, 4000.0)

    assert balance.pv_wh == pytest.approx(2000)
    assert balance.curtailed_wh == pytest.approx(500)
    assert (balance.imported_wh, balance.exported_wh, balance.load_wh) == pytest.approx((1000, 900, 4000))
    assert (balance.charged_wh, balance.discharged_wh, balance.stored_wh) == pytest.approx((1900, 4000, 980))
    assert balance.converter_losses_wh == pytest.approx(200)
    assert balance.import_avoided_wh == pytest.approx(3000)
    assert balance.self_consumption_percent == pytest.approx(55)
    assert balance.self_sufficiency_percent == pytest.approx(75)


def test_without_pv_or_consumption_there_is_no_share_of_it() -> None:
    assert EnergyBalance().self_consumption_percent is None
    assert EnergyBalance().self_sufficiency_percent is None


def test_shares_are_percents_also_where_batteries_are_sold_or_filled_from_the_grid() -> None:
    sold = EnergyBalance(pv_wh=100.0, exported_wh=300.0, load_wh=100.0, imported_wh=500.0)

    assert sold.self_consumption_percent == 0
    assert sold.self_sufficiency_percent == 0
    assert sold.import_avoided_wh == -400


@pytest.mark.parametrize("controller", [control.step, no_control, same_for_all])
def test_the_books_of_a_run_close_and_nothing_is_lost_below_zero(controller: Controller) -> None:
    loop = VirtualTime(site_config(), controller=controller)
    before_wh = sum(inverter.state.stored_wh for inverter in loop.site.inverters.values())
    moments = loop.run(600)
    balance = balance_of(moments, 1.0, before_wh)

    assert balance.gap_wh == pytest.approx(0, abs=1e-6)
    assert balance.converter_losses_wh > 0
    assert balance.battery_losses_wh == pytest.approx(
        0.03 * (balance.charged_wh + balance.discharged_wh), rel=0.1, abs=1
    )


def test_parts_of_a_run_add_up_to_the_whole() -> None:
    loop = VirtualTime(site_config())
    moments = loop.run(120)
    whole = balance_of(moments, 1.0, 1234.0)
    parts = balance_of(moments[:50], 1.0, 1234.0) + balance_of(moments[50:], 1.0, stored_wh(moments[49]))

    for name in EnergyBalance.__dataclass_fields__:
        assert getattr(parts, name) == pytest.approx(getattr(whole, name))


def test_nothing_is_no_energy() -> None:
    assert balance_of([], 1.0, 1234.0) == EnergyBalance()
