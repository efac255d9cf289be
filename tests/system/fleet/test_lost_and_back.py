"""A fleet as `make fleet` runs it, in processes: what is killed comes back, and its store answers the board Fleet."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestrator.config.sections import Broker
from orchestrator.setpoints.fields import SetpointFields
from tests.support.servers.required import free_port, require_server, wait_until
from tools.fleet.board import of_the_board, unanswered
from tools.fleet.eyes import Eyes
from tools.fleet.parts import HOST, Part, brokers, light_sites, metrics_agent, metrics_store, portfolio, wait_for_port
from tools.queries.prometheus import Prometheus

pytestmark = pytest.mark.long

SITES = 12
WITHIN_S = 60.0
"""What is promised is 10 s; a busy machine, and a cluster that elects a leader, take longer."""


@dataclass
class Fleet:
    """What runs."""

    nodes: list[Part]
    portfolio: Part
    lonely: Part
    eyes: Eyes
    store: Prometheus
    store_url: str

    def ask(self, watts: float) -> None:
        """A target for all batteries, until all of them together do it: asked again, as whoever decides does."""
        end_s = time.monotonic() + WITHIN_S
        while True:
            self.eyes.ask(SetpointFields(battery_target_watts=watts, battery_grid_charging_enabled=True))
            if self.eyes.reaches(watts, 0.02 * abs(watts), 15.0) is not None:
                return
            assert time.monotonic() < end_s, f"{self.eyes.battery('watts'):.0f} W, not {watts:.0f} W"

    def count(self, mode: str) -> float:
        """How many sites are in this mode, by what the store has of the portfolio."""
        values = self.store.ask(f'orchestrator_portfolio_sites{{mode="{mode}"}}').values
        return float(next(iter(values.values()))) if values else -1.0


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    for program in ("nats-server", "victoria-metrics", "prometheus"):
        require_server(program)
    names = [f"site-{number:04}" for number in range(SITES)]
    with ExitStack() as running:

        def begin(*parts: Part | None) -> None:
            for part in parts:
                assert part is not None
                part.start()
                running.callback(part.stop)

        at, nodes = brokers(tmp_path)
        begin(*nodes)
        for node, port in zip(nodes, at.ports, strict=True):
            wait_for_port(port, node)
        store_port, metrics_port = free_port(), free_port()
        lonely = light_sites(tmp_path, names[-1:], at, "lonely-site")
        above = portfolio(tmp_path, names, at, metrics_port)
        begin(light_sites(tmp_path, names[:-1], at), lonely, above)
        begin(metrics_store(tmp_path, store_port), metrics_agent(tmp_path, (metrics_port,), store_port, 1))
        eyes = Eyes(Broker.model_validate(at.at(2)))
        running.callback(eyes.close)
        url = f"http://{HOST}:{store_port}"
        wait_until(lambda: eyes.heard == SITES, "all sites", WITHIN_S)
        yield Fleet(nodes, above, lonely, eyes, Prometheus(url), url)


def see_every_answer(fleet: Fleet) -> None:
    """Return when the store answers every query of the board."""
    wait_until(lambda: not unanswered(fleet.store_url), "an answer to every query of the board", WITHIN_S)


def test_a_portfolio_a_third_of_the_cluster_and_a_site_are_killed_and_the_rest_does_what_is_asked(
    fleet: Fleet,
) -> None:
    fleet.ask(9000.0)
    assert len(of_the_board()) > 15
    see_every_answer(fleet)
    assert fleet.count("normal") == SITES

    fleet.portfolio.kill()
    fleet.portfolio.start()
    fleet.ask(-8000.0)

    fleet.nodes[0].kill()  # the one that the portfolio speaks to
    fleet.ask(7000.0)

    fleet.lonely.kill()
    wait_until(lambda: fleet.count("silent") == 1, "one silent site", WITHIN_S)
    wait_until(lambda: fleet.eyes.heard == SITES - 1, "the end of its words", WITHIN_S)
    fleet.lonely.start()
    wait_until(lambda: fleet.count("silent") == 0, "all sites again", WITHIN_S)
    fleet.ask(-6000.0)
