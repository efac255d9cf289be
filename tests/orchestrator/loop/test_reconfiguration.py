"""What is not ours any more is handed back, until its device has taken the last command."""

from __future__ import annotations

import itertools

from orchestrator.config.changes import changes_between
from orchestrator.config.sections import SiteConfig
from orchestrator.loop.messages import Acknowledged, HandedBack, Reconfigured, Release, TimePassed
from orchestrator.loop.reconfiguration import AGAIN_AFTER_S, AGAIN_AT_MOST_S
from tests.support.plants.loop_bench import Bench, site_config

BOTH = ("east", "west")


def started(config: SiteConfig) -> Bench:
    bench = Bench(config)
    bench.tell(TimePassed())
    bench.round(*BOTH, watts=100.0)
    cycles(bench, 2)
    return bench


def cycles(bench: Bench, count: int) -> None:
    for number in range(count):
        bench.advance(1.0)
        bench.round(*BOTH, watts=200.0 + number + bench.now_s)


def without(config: SiteConfig, name: str, *, battery_only: bool) -> SiteConfig:
    """The same site, where one inverter, or only its battery, is not ours."""
    inverters = []
    for each in config.inverters:
        battery = each.battery.model_copy(update={"control": False})
        less = {"battery": battery} if battery_only else {"control": False}
        inverters.append(each.model_copy(update=less) if each.name == name else each)
    return config.model_copy(update={"inverters": tuple(inverters)})


def reconfigure(bench: Bench, former: SiteConfig, new: SiteConfig) -> None:
    bench.tell(Reconfigured(new, changes_between(former, new)))


def answer(bench: Bench, fault: str | None) -> None:
    bench.tell(Acknowledged("west", bench.now_s, bench.now_s, 0 if fault else 1, fault, released=True))


def told(bench: Bench) -> list[Release]:
    return [each for each in bench.of(Release) if each.command.inverter == "west"]


def test_one_that_did_not_take_its_last_command_is_told_again_ever_more_rarely() -> None:
    config = site_config()
    bench = started(config)
    reconfigure(bench, config, without(config, "west", battery_only=False))
    answer(bench, "timeout")
    for _ in range(120):
        cycles(bench, 1)
        if told(bench)[-1].issued_at_s == bench.now_s:
            answer(bench, "timeout")
    times = [each.issued_at_s for each in told(bench)]
    gaps = [after - before for before, after in itertools.pairwise(times)]

    assert AGAIN_AFTER_S <= gaps[0] < AGAIN_AFTER_S + 1.5
    assert gaps[0] < gaps[1] < gaps[2]
    assert gaps[-1] < AGAIN_AT_MOST_S + 1.5
    assert len(bench.of(HandedBack)) == 1
    assert {each.command.battery for each in told(bench)} == {told(bench)[0].command.battery}


def test_one_that_took_it_is_not_told_again() -> None:
    config = site_config()
    bench = started(config)
    reconfigure(bench, config, without(config, "west", battery_only=False))
    answer(bench, "timeout")
    cycles(bench, 5)
    answer(bench, None)
    before = len(told(bench))
    cycles(bench, 60)

    assert before == len(told(bench)) == 2


def test_one_that_is_ours_again_is_not_told_that_it_is_not() -> None:
    config = site_config()
    bench = started(config)
    theirs = without(config, "west", battery_only=False)
    reconfigure(bench, config, theirs)
    answer(bench, "timeout")
    reconfigure(bench, theirs, config)
    cycles(bench, 60)

    assert len(told(bench)) == 1


def test_a_battery_that_is_freed_late_leaves_the_limit_that_holds_by_then() -> None:
    config = site_config()
    bench = started(config)
    reconfigure(bench, config, without(config, "west", battery_only=True))
    answer(bench, "timeout")
    cycles(bench, 5)
    first, again = told(bench)
    newest = bench.commands("west")

    assert first.command.battery == again.command.battery
    assert again.command.ac_limit_watts is not None
    assert again.command.ac_limit_watts in [each.command.ac_limit_watts for each in newest]
