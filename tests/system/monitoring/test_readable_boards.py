"""The boards with fifty inverters, asked of a real Prometheus: no graph has more lines than people can tell apart."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import start_http_server

from actors.messages import Acknowledged
from actors.prometheus.observer import PrometheusObserver
from tests.support.records.cycles import cycle_result, inverter_sample
from tests.support.servers.prometheus import prometheus
from tests.support.servers.required import require_server, wait_until
from tools.queries.catalogue import Asked, boards, panels
from tools.queries.prometheus import Prometheus
from tools.queries.variables import variables

FIFTY = 50
MOST_LINES = 12
ONE = {"inverter": "inverter07"}


@pytest.fixture(scope="module")
def fifty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus that reads the metrics of a site of fifty inverters."""
    require_server("prometheus")
    observer = PrometheusObserver("large", "1.2.3", ("mqtt",))
    server, thread = start_http_server(0, addr="127.0.0.1", registry=observer.served)
    stop = threading.Event()
    feeder = threading.Thread(target=feed, args=(observer, stop), daemon=True)
    feeder.start()
    try:
        with prometheus(tmp_path_factory.mktemp("fifty"), f"127.0.0.1:{server.server_port}") as url:
            yield Prometheus(url)
    finally:
        stop.set()
        feeder.join()
        server.shutdown()
        server.server_close()
        thread.join()


def feed(observer: PrometheusObserver, stop: threading.Event) -> None:
    """What fifty inverters and their actors tell each second, four times a second."""
    names = [f"inverter{number:02d}" for number in range(FIFTY)]
    for number in itertools.count():
        samples = tuple(inverter_sample(name, at_s=float(number)) for name in names)
        observer.cycle_done(cycle_result(at_s=float(number), inverters=samples))
        observer.command_acknowledged(Acknowledged(names[0], 0.0, 0.1, 1))
        for name in names:
            observer.actor_up(name, True)
            observer.message_handled(name, 0.01, 0)
            observer.request_done(name, 0.01, None)
            observer.register_written(name, "123.WMaxLimPct")
        if stop.wait(0.25):
            return


def series_of(fifty: Prometheus, panel: dict[str, Any]) -> list[int]:
    """How many series each query of a panel gives; in the repeated row those of one inverter."""
    values = variables(fifty)
    assert values is not None
    asked = [Asked("panel", panel["title"], target["expr"]).filled_in(values | ONE) for target in panel["targets"]]
    return [len(fifty.ask(each.expr).values) for each in asked]


def test_no_graph_has_more_lines_than_people_can_tell_apart(fifty: Prometheus) -> None:
    wait_until(lambda: fifty.ask("rate(orchestrator_actor_messages_total[15s])").values, "two scrapes")
    graphs = [panel for board in boards() for panel in panels(board) if panel["type"] != "table"]

    lines = {panel["title"]: sum(series_of(fifty, panel)) for panel in graphs}
    assert {title: count for title, count in lines.items() if count > MOST_LINES} == {}
    assert sum(lines.values()) > len(graphs)


def test_each_inverter_has_one_line_in_the_table(fifty: Prometheus) -> None:
    wait_until(lambda: fifty.ask("orchestrator_inverter_up").values, "the first scrape")
    table = next(panel for board in boards() for panel in panels(board) if panel["title"] == "All inverters")

    assert series_of(fifty, table)[0] == FIFTY
    assert max(series_of(fifty, table)) == FIFTY
