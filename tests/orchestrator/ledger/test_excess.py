"""Every excess over a limit as one record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from orchestrator.decide.records import CycleResult
from orchestrator.ledger.above_limits import excess_between
from orchestrator.ledger.excess import Excess, LedgerState, Outcome, longer_than, observe, tolerance_watts, unseen
from orchestrator.samples import Nameplate
from orchestrator.setpoints.fields import SetpointFields
from tests.support.records.cycles import cycle_result, inverter_sample

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
EXPORT_1000 = SetpointFields(export_limit_watts=1000.0)


@dataclass
class Ledger:
    """Takes cycles, and keeps what was told: all of it, and the newest record of each excess."""

    state: LedgerState = field(default_factory=LedgerState)
    told: list[Excess] = field(default_factory=list)

    def see(self, result: CycleResult) -> tuple[Excess, ...]:
        self.state, told = observe(self.state, result, NOON + timedelta(seconds=result.snapshot.at_s))
        self.told += told
        return told

    def exports(self, *watts: float | None, start_s: float = 0.0, limits: SetpointFields = EXPORT_1000) -> Ledger:
        """One cycle each second, exporting so much; None while the meter is silent."""
        for number, each in enumerate(watts):
            self.see(cycle_result(None if each is None else -each, start_s + number, limits))
        return self

    @property
    def records(self) -> list[Excess]:
        newest = {(excess.limit, excess.began_at): excess for excess in self.told}
        return list(newest.values())


def only(excesses: Sequence[Excess]) -> Excess:
    assert len(excesses) == 1
    return excesses[0]


def test_an_excess_has_its_begin_duration_peak_energy_limit_and_source() -> None:
    ledger = Ledger().exports(900, 1900, 2800, 1900, 900, 900, 900, 900)

    excess = only(ledger.records)
    assert excess.limit == "export"
    assert excess.began_at == NOON + timedelta(seconds=1)
    assert excess.duration_s == 3
    assert excess.peak_watts == 1800
    assert excess.watt_hours == pytest.approx((900 + 1800 + 900) / 3600)
    assert (excess.limit_watts, excess.source) == (1000, "fixed")
    assert excess.outcome is Outcome.ENDED


def test_a_power_within_the_tolerance_is_within_the_limit() -> None:
    assert Ledger().exports(1050, 1050, 1050).records == []
    assert len(Ledger().exports(1051).records) == 1


def test_the_tolerance_is_a_part_of_the_nameplates_that_answer() -> None:
    large = structs.replace(inverter_sample(), nameplate=Nameplate(ac_max_watts=30000.0))

    assert tolerance_watts(cycle_result(inverters=(large,)), 1.0) == 300
    assert tolerance_watts(cycle_result(inverters=(inverter_sample(),)), 1.0) == 50


def test_while_it_lasts_it_is_told_each_second() -> None:
    ledger = Ledger().exports(2000, 2000, 2000, 2000)

    assert [excess.duration_s for excess in ledger.told] == [0, 1, 2, 3]
    assert {excess.outcome for excess in ledger.told} == {Outcome.OPEN}


def test_decisions_in_quick_succession_are_not_all_told() -> None:
    ledger = Ledger()
    for at_s in (0.0, 0.1, 0.2, 0.3, 0.6):
        ledger.see(cycle_result(-2000.0, at_s, EXPORT_1000))

    assert [excess.duration_s for excess in ledger.told] == [0, 0.6]


@pytest.mark.parametrize("dip", [(900,), (900, 900)])
def test_a_dip_of_up_to_two_seconds_does_not_end_it(dip: tuple[float, ...]) -> None:
    ledger = Ledger().exports(2000, 2000, *dip, 2000, 900, 900, 900)

    assert only(ledger.records).duration_s == 3 + len(dip)


def test_an_excess_after_two_seconds_within_the_limit_is_another_one() -> None:
    ledger = Ledger().exports(2000, 900, 900, 900, 2000, 900, 900, 900)

    assert [excess.duration_s for excess in ledger.records] == [1, 1]
    assert {excess.outcome for excess in ledger.records} == {Outcome.ENDED}


def test_the_energy_in_a_dip_is_not_counted() -> None:
    ledger = Ledger().exports(2000, 1040, 2000, 900, 900, 900)

    assert only(ledger.records).watt_hours == pytest.approx(2000 / 3600)


def test_a_limit_that_fell_is_told_apart_from_a_power_that_rose() -> None:
    fell = Ledger().exports(2000, 2000, limits=SetpointFields(export_limit_watts=5000.0)).exports(2000, start_s=2)
    set_first = Ledger().exports(2000, limits=SetpointFields()).exports(2000, start_s=1)
    rose = Ledger().exports(900, 2000)

    assert only(fell.records).context.limit_fell
    assert only(set_first.records).context.limit_fell
    assert not only(rose.records).context.limit_fell


def test_the_strictest_limit_meanwhile_is_the_one_recorded() -> None:
    ledger = Ledger().exports(3000, 3000).exports(3000, start_s=2, limits=SetpointFields(export_limit_watts=200.0))
    ledger.exports(3000, start_s=3)

    assert only(ledger.records).limit_watts == 200
    assert only(ledger.records).peak_watts == 2800


def test_the_context_is_that_of_the_peak() -> None:
    ledger = Ledger().exports(2000)
    ledger.see(cycle_result(-3000.0, 1.0, EXPORT_1000, away=("roof",)))
    ledger.exports(2500, start_s=2)

    context = only(ledger.records).context
    assert context.away == ("roof",)
    assert (context.site_watts, context.pv_watts) == (-3000, 3000)
    assert context.reasons == ("charge 1000 W: surplus, batteries first",)


def test_a_limit_that_is_lifted_ends_the_excess() -> None:
    ledger = Ledger().exports(2000, 2000).exports(2000, 2000, 2000, start_s=2, limits=SetpointFields())

    assert (only(ledger.records).duration_s, only(ledger.records).outcome) == (2, Outcome.ENDED)


def test_when_the_meter_falls_silent_its_end_is_unseen() -> None:
    ledger = Ledger().exports(2000, 2000, None)

    assert (only(ledger.records).duration_s, only(ledger.records).outcome) == (2, Outcome.UNSEEN)


def test_after_a_long_silence_of_the_loop_another_excess_begins() -> None:
    ledger = Ledger().exports(2000, 2000).exports(2000, 2000, start_s=30)

    assert [(excess.duration_s, excess.outcome) for excess in ledger.records] == [
        (1, Outcome.UNSEEN),
        (1, Outcome.OPEN),
    ]


def test_at_a_stop_what_is_open_is_unseen() -> None:
    ledger = Ledger().exports(2000, 2000)

    assert only(unseen(ledger.state)) == replace(ledger.told[-1], outcome=Outcome.UNSEEN)


@pytest.mark.parametrize(
    ("limits", "site_watts", "ac_watts", "limit"),
    [
        (SetpointFields(import_limit_watts=1000.0), 2000.0, 500.0, "import"),
        (SetpointFields(generation_limit_watts=1000.0), 0.0, 2000.0, "generation"),
        (SetpointFields(load_limit_watts=1000.0), 3000.0, -2000.0, "load"),
    ],
)
def test_each_kind_of_limit_has_its_own_excess(
    limits: SetpointFields, site_watts: float, ac_watts: float, limit: str
) -> None:
    ledger = Ledger()
    ledger.see(cycle_result(site_watts, 0.0, limits, inverters=(inverter_sample(ac_watts=ac_watts),)))

    assert only(ledger.records).limit == limit
    assert only(ledger.records).peak_watts == 1000


def test_two_limits_may_be_exceeded_at_once() -> None:
    limits = SetpointFields(export_limit_watts=0.0, generation_limit_watts=0.0)

    assert {excess.limit for excess in Ledger().exports(2000, limits=limits).records} == {"export", "generation"}


def test_the_rules_count_what_lasted_longer() -> None:
    excesses = [Excess("export", NOON, 0.0, "fixed", duration_s=seconds) for seconds in (4.0, 5.0, 6.0, 11.0, 60.0)]

    assert [longer_than(excesses, rule_s) for rule_s in (5.0, 10.0, 15.0)] == [3, 2, 1]


@given(st.lists(st.one_of(st.none(), st.integers(0, 3000)), max_size=60))
def test_every_excess_ends_and_none_has_more_energy_than_flowed(watts: list[int | None]) -> None:
    watts = [*watts, 0, 0, 0, 0]
    ledger = Ledger().exports(*watts)
    cycles = [
        cycle_result(None if each is None else -float(each), at_s, EXPORT_1000) for at_s, each in enumerate(watts)
    ]
    flowed_wh = sum(excess.watt_hours for pair in pairwise(cycles) for excess in excess_between(*pair))

    assert ledger.state.open == {}
    assert all(excess.outcome is not Outcome.OPEN for excess in ledger.records)
    assert sum(excess.watt_hours for excess in ledger.records) <= flowed_wh + 1e-9
    assert sum(excess.duration_s for excess in ledger.records) >= sum(
        each is not None and each > 1050 for each in watts
    )


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=60))
def test_what_is_told_of_an_excess_only_grows(watts: list[int]) -> None:
    ledger = Ledger().exports(*watts)
    for excess in ledger.records:
        told = [each for each in ledger.told if each.began_at == excess.began_at]
        for value in ("duration_s", "peak_watts", "watt_hours"):
            values = [getattr(each, value) for each in told]
            assert values == sorted(values)
        assert excess.watt_hours <= excess.peak_watts * excess.duration_s / 3600 + 1e-9
