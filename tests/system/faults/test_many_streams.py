"""A thousand that open a stream of the page, and hold on to it: the plant does not notice."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

from actors.clock import RealClock
from actors.prometheus.observer import PrometheusObserver
from actors.system import start_system
from actors.web.bounds import MAX_CONNECTIONS
from actors.web.stream import MOST_STREAMS
from orchestrator.config.sections import MetricsSection
from orchestrator.decide.records import CycleResult
from orchestrator.simulation.server import serve
from tests.support.inboxes import Inbox
from tests.support.plants.running_plant import goes_on, nearly_always
from tests.support.plants.virtual_site import HYBRID, site_config
from tests.support.servers.required import PATIENCE_S, free_port, wait_until

MANY = 1000
AT_ONCE = 250
"""So many files may this process have open besides its own."""
ASK = b"GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@contextlib.contextmanager
def open_streams(port: int, count: int) -> Iterator[list[int]]:
    """So many clients that ask for a stream; the status of each (0: turned away without a word)."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.create_connection(("127.0.0.1", port), PATIENCE_S)) for _ in range(count)]
        statuses = []
        for each in sockets:
            with contextlib.suppress(OSError):
                each.sendall(ASK)
        for each in sockets:
            head = b""
            with contextlib.suppress(OSError):
                head = each.recv(12)
            statuses.append(int(head[9:12]) if len(head) == 12 else 0)
        yield statuses


def test_a_thousand_streams_do_not_slow_the_plant(tmp_path: Path) -> None:
    with serve(site_config({"east": HYBRID}), new_port=free_port) as site:
        control = site.config.control.model_copy(update={"state_dir": str(tmp_path), "interval_s": 0.5})
        update = {"control": control, "metrics": MetricsSection(port=0)}
        clock, listener, observer = RealClock(), Inbox(), PrometheusObserver("test", "1")
        system = start_system(
            site.config.model_copy(update=update), clock=clock, observer=observer, listeners=(listener,)
        )
        try:
            wait_until(lambda: observer.bound_port is not None and len(listener.of(CycleResult)) > 2, "a cycle")
            before = len(listener.of(CycleResult))
            statuses: list[int] = []
            for _ in range(MANY // AT_ONCE):
                with open_streams(observer.bound_port or 0, AT_ONCE) as seen:
                    statuses += seen
            wait_until(lambda: len(listener.of(CycleResult)) >= before + 4, "four cycles")
            during = listener.of(CycleResult)[before:]
        finally:
            system.stop()
            clock.close()

    assert len(statuses) == MANY
    assert set(statuses) <= {200, 429, 503, 0}
    assert statuses[: MOST_STREAMS + MAX_CONNECTIONS].count(200) <= MOST_STREAMS
    assert nearly_always(each.snapshot.inverters for each in during)
    assert goes_on(during)
