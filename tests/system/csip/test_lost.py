"""A site in virtual time whose server goes away, over real TLS."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.system.csip.bench import Bench, bench

RATES = {"dcap": 60, "edev_list": 60, "fsa_list": 60, "derp_list": 60, "der_list": 60, "mup_list": 60, "mup_post": 60}


def limits(site: Bench) -> dict[int, float | None]:
    """The export limit that was in force, by the second."""
    return {round(each.at_s): each.wanted.export_limit_watts for each in site.records}


@pytest.mark.long
def test_known_events_go_on_for_the_stated_time_then_the_default_control_holds(tmp_path: Path) -> None:
    """Seven minutes without a server: first its schedule, then, where that ends, its default control."""
    with bench(tmp_path, pv_watts=5000.0, has_battery=False) as site:
        site.utility.rates.update(RATES)
        program = site.utility.add_program()
        program.default = {"opModExpLimW": 1000, "setGradW": 10_000}
        start_s = site.utility.clock()
        for number, watts in enumerate((4000, 2000, 3000)):
            site.utility.add_event(program, 100, start_s + 100 * number, opModExpLimW=watts, ramp_s=0.0)
        site.run(70)
        site.utility.online = False
        site.run(420)
        held = limits(site)

        assert [held[at] for at in (80, 150, 250)] == [4000.0, 2000.0, 3000.0]
        assert held[305] == held[480] == 1000.0
        assert site.last().site_watts == pytest.approx(-1000.0, abs=50)
        assert site.plant.envelope().whose("export_limit_watts") == "default of csip-aus"
        site.utility.online = True
        site.run(70)
        assert [code for _, code in site.utility.responses()].count(3) == 3, "what happened meanwhile is reported"


@pytest.mark.long
def test_an_event_without_end_ends_with_the_stated_time_and_without_a_default_control_site_yaml_holds(
    tmp_path: Path,
) -> None:
    with bench(tmp_path, pv_watts=5000.0, has_battery=False, lost_after_s=120.0) as site:
        site.utility.rates.update(RATES)
        program = site.utility.add_program()
        site.utility.add_event(program, 86_400, opModExpLimW=4000, ramp_s=0.0)
        site.run(62)
        site.utility.online = False
        site.run(178)
        held = limits(site)

        assert held[175] == 4000.0
        assert held[185] == 0.0
        assert site.plant.envelope().whose("export_limit_watts") == "default of csip-aus"
        assert site.last().site_watts == pytest.approx(0.0, abs=50)


@pytest.mark.long
def test_a_site_that_is_killed_while_the_server_is_away_follows_its_last_word(tmp_path: Path) -> None:
    """The event that runs to its end, the one that follows at its second, then the default control of the server."""
    with bench(tmp_path, pv_watts=5000.0, has_battery=False) as site:
        site.utility.rates.update(RATES | {"derp_list": 20})
        program = site.utility.add_program()
        program.default = {"opModExpLimW": 1000, "setGradW": 10_000}
        start_s = site.utility.clock()
        weaker = site.utility.add_event(program, 400, start_s, opModExpLimW=3500, ramp_s=0.0)
        site.run(20)
        stronger = site.utility.add_event(program, 100, start_s + 30, opModExpLimW=2500, ramp_s=0.0)
        cancelled = site.utility.add_event(program, 400, start_s + 160, opModExpLimW=0, ramp_s=0.0)
        site.utility.add_event(program, 60, start_s + 200, opModExpLimW=4000, ramp_s=0.0)
        site.run(60)
        cancelled.cancelled = True
        site.run(30)
        site.utility.online = False
        site.kill(away_s=10)
        site.run(200)
        held = limits(site)

        assert held[100] == 2500.0
        assert held[125] == 2500.0, "and not the default of site.yaml, which is 0"
        assert held[140] == held[190] == 1000.0, "what was superseded or cancelled does not come back"
        assert [held[at] for at in (205, 250, 270)] == [4000.0, 4000.0, 1000.0]
        assert site.plant.envelope().whose("export_limit_watts") == "default of csip-aus"
        site.kill()
        site.run(5)
        assert site.last().wanted.export_limit_watts == 1000.0
        site.utility.online = True
        site.run(70)
        codes = [code for mrid, code in site.utility.responses() if mrid in (weaker.mrid, stronger.mrid)]
        assert sorted(codes) == [1, 1, 2, 2, 3, 7], "each is answered once"
