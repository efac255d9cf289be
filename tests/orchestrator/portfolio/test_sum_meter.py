"""The sum of what sites say: as old as the oldest word in it, and without those that are silent."""

from __future__ import annotations

from orchestrator.devices.mqtt.messages import SiteSample
from orchestrator.explain.words import say
from orchestrator.portfolio.sum_meter import picture, why_left_out
from orchestrator.samples import InverterSample, MeterSample


def said(at_s: float, watts: float | None) -> SiteSample:
    return SiteSample(at_s, InverterSample("north", at_s, 0.0), watts)


def test_it_is_the_sum_with_the_age_of_the_oldest() -> None:
    seen = picture({"north": said(99.0, -500.0), "south": said(97.5, 200.0)}, None, 100.0, 4.0)

    assert seen.meter == MeterSample(97.5, -300.0, 100.0)
    assert set(seen.sites) == {"north", "south"}


def test_who_is_silent_or_has_no_meter_is_left_out_as_a_whole() -> None:
    heard = {"north": said(99.0, -500.0), "south": said(95.0, 200.0), "east": said(99.0, None)}
    seen = picture(heard, None, 100.0, 4.0)

    assert set(seen.sites) == {"north"}
    assert seen.meter is not None
    assert seen.meter.site_watts == -500.0
    assert "more than 4 s" in say(why_left_out(heard["south"], 100.0, 4.0))
    assert "meter" in say(why_left_out(heard["east"], 100.0, 4.0))


def test_without_any_site_there_is_no_meter() -> None:
    assert picture({"north": said(90.0, 1.0)}, None, 100.0, 4.0).meter is None


def test_a_sum_that_stays_the_same_is_no_new_value() -> None:
    before = MeterSample(99.0, -500.0, 98.0)

    seen = picture({"north": said(99.9, -500.0)}, before, 100.0, 4.0)

    assert seen.meter == MeterSample(99.9, -500.0, 98.0)
