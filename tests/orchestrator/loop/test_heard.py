"""The meter as the decisions see it: in which sign, and what is kept of that."""

from __future__ import annotations

import pytest

from orchestrator.config.sections import MeterConfig, SiteConfig
from orchestrator.decide.memory import MeterFault
from orchestrator.loop.kept import Kept
from orchestrator.loop.messages import Event, Report
from orchestrator.samples import MeterSample
from tests.support.plants.loop_bench import Bench, site_config


def metered(sign: str) -> SiteConfig:
    return site_config().model_copy(update={"meter": MeterConfig.model_validate({"host": "127.0.0.1", "sign": sign})})


def seen(bench: Bench, watts: float, **counters: float) -> tuple[float, int]:
    """What the next decision sees of the meter when it shows `watts`: the power and the orientation."""
    bench.advance(1.0)
    reading = MeterSample(bench.now_s, watts, changed_at_s=bench.now_s, **counters)  # type: ignore[arg-type]
    bench.tell(Report("meter", 0, reading))
    bench.report("east")
    bench.report("west")
    meter = bench.results[-1].snapshot.meter
    assert meter is not None
    return meter.site_watts, meter.orientation


@pytest.mark.parametrize(
    ("sign", "expected"), [("auto", (500.0, 1)), ("import_positive", (500.0, 1)), ("export_positive", (-500.0, -1))]
)
def test_a_meter_is_turned_as_site_yaml_says(sign: str, expected: tuple[float, int]) -> None:
    assert seen(Bench(metered(sign)), 500.0) == expected


def exporting(bench: Bench) -> tuple[float, int]:
    """A meter that says export as a positive number, and counts it as export."""
    return [seen(bench, 500.0 + step, import_wh=10.0, export_wh=100.0 + step) for step in range(5)][-1]


def test_a_meter_whose_counters_disagree_with_it_is_turned() -> None:
    assert exporting(Bench(metered("auto"))) == (-504.0, -1)
    assert exporting(Bench(metered("import_positive"))) == (504.0, 1)


def test_a_sign_that_is_known_outlives_a_restart_of_the_loop_unless_site_yaml_names_one() -> None:
    kept = Kept()
    exporting(Bench(metered("auto"), kept))

    assert seen(Bench(metered("auto"), kept), 500.0) == (-500.0, -1)
    assert seen(Bench(metered("import_positive"), kept), 500.0) == (500.0, 1)


def test_another_meter_has_to_prove_its_sign_anew() -> None:
    bench = Bench(metered("auto"))
    exporting(bench)
    other = metered("auto")
    bench.reconfigure(other.model_copy(update={"meter": other.meter.model_copy(update={"host": "127.0.0.2"})}))

    assert seen(bench, 500.0) == (500.0, 1)


@pytest.mark.parametrize(("sign", "turned"), [("auto", True), ("import_positive", False), ("export_positive", False)])
def test_a_proof_that_the_meter_is_reversed_turns_it_unless_site_yaml_names_its_sign(sign: str, turned: bool) -> None:
    bench = Bench(metered(sign))
    before = seen(bench, 500.0)[1]
    bench.meter_fault = "frozen"
    seen(bench, 600.0)
    assert seen(bench, 700.0)[1] == before

    bench.meter_fault = "reversed"
    seen(bench, 800.0)
    assert seen(bench, 900.0)[1] == (-before if turned else before)
    assert seen(bench, 1000.0)[1] == (-before if turned else before), "once for each time that it is found"


def heard_once(sign: str, kept: Kept | None = None) -> Bench:
    """A site that decides: every device has spoken."""
    bench = Bench(metered(sign), kept)
    seen(bench, 400.0)
    return bench


def said(bench: Bench, fault: MeterFault | None, watts: float) -> list[Event]:
    """What people hear of the meter when the decision after the next value finds this fault."""
    bench.meter_fault, before = fault, len(bench.of(Event))
    seen(bench, watts)
    return [event for event in bench.of(Event)[before:] if event.subject == "meter"]


@pytest.mark.parametrize(
    ("sign", "advice"),
    [
        ("auto", "meter.sign: export_positive, or swap the transformers' direction and write meter.sign: import_p"),
        ("import_positive", "swap the transformers' direction, or write meter.sign: export_positive"),
        ("export_positive", "swap the transformers' direction, or write meter.sign: import_positive"),
    ],
)
def test_a_meter_that_is_found_reversed_is_an_event_that_says_what_to_do(sign: str, advice: str) -> None:
    (event,) = said(heard_once(sign), "reversed", 500.0)

    assert (event.name, event.subject) == ("meter_reversed", "meter")
    assert advice in event.detail


def test_moves_against_a_proven_sign_are_a_failsafe_that_lasts_until_site_yaml_names_the_sign() -> None:
    bench = heard_once("auto")
    said(bench, "reversed", 500.0)
    said(bench, None, 600.0)
    (event,) = said(bench, "reversed", 700.0)
    for watts in range(800, 2000, 100):
        assert said(bench, None, float(watts)) == []
        assert (bench.results[-1].mode, bench.results[-1].meter_fault) == ("failsafe", "reversed")
    assert event.name == "meter_contradicts"
    assert "write meter.sign: import_positive or export_positive" in event.detail

    bench.reconfigure(metered("import_positive"))
    said(bench, None, 2000.0)

    assert (bench.results[-1].mode, bench.results[-1].snapshot.meter.orientation) == ("normal", 1)  # type: ignore[union-attr]


def test_a_sign_that_is_contradicted_stays_so_over_a_restart_of_the_loop_and_is_said_again() -> None:
    kept = Kept()
    bench = heard_once("auto", kept)
    for fault, watts in (("reversed", 500.0), (None, 600.0), ("reversed", 700.0)):
        said(bench, fault, watts)  # type: ignore[arg-type]

    again = heard_once("auto", kept)
    said(again, None, 800.0)

    assert [event.name for event in again.of(Event)] == ["meter_contradicts"]
    assert again.results[-1].mode == "failsafe"
