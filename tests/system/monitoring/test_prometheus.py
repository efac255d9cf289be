"""A real Prometheus reads a running plant, and is asked every query of every panel and rule of deploy/."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from actors.clock import RealClock
from actors.prometheus.observer import ERROR_KINDS, PrometheusObserver
from actors.prometheus.operation import COMMAND_FAULTS, MODES
from actors.system import System, start_system
from orchestrator.config.sections import MetricsSection, SiteConfig
from orchestrator.ledger.above_limits import LIMITS
from orchestrator.ledger.energy import FLOWS
from orchestrator.simulation.server import RunningSite, serve
from tests.support.faults import stopped
from tests.support.plants.running_plant import NAMES, Eyes, Publisher, example_config
from tests.support.plants.shared import Shared, shared
from tests.support.servers.brokers import mosquitto
from tests.support.servers.fetched import fetched
from tests.support.servers.prometheus import prometheus
from tests.support.servers.required import free_port, require_server, wait_until
from tools.queries.catalogue import all_queries
from tools.queries.prometheus import Asking, Prometheus, ask
from tools.queries.table import markdown
from tools.queries.variables import variables

METRICS_DOC = Path(__file__).parents[3] / "docs/metrics.md"
LOAD_WATTS = 1500.0
PV_WATTS = {"east": 4000.0, "west": 3000.0, "roof": 6000.0}
SETTLED_WITHIN_S = 150.0
BOUNDS = {
    "site": {"test"},
    "version": {"1.2.3"},
    "inverter": {*NAMES, "meter"},
    "actor": {*NAMES, "meter", "site", "mqtt", "web", "ledger", "supervisor"},
    "kind": {*ERROR_KINDS, *COMMAND_FAULTS.values()},
    "limit": set(LIMITS),
    "source": {"fixed", "mqtt"},
    "mode": set(MODES),
    "flow": set(FLOWS),
    "direction": {"up", "down", "charge", "discharge"},
}
BY_FORM = {"register", "reason", "le"}
"""Labels whose values are those of a table of the program: judged by their form."""


@dataclass(frozen=True)
class Watched:
    """A plant, the Prometheus that reads it, and where its metrics are."""

    site: RunningSite
    system: System
    setpoint: Publisher
    prometheus: Prometheus
    metrics_url: str

    def page(self) -> str:
        """The metrics as Prometheus gets them."""
        return fetched(self.metrics_url)


def with_metrics(config: SiteConfig) -> SiteConfig:
    """Metrics on any free port, and a source of setpoints that must renew them."""
    sections = config.model_dump()
    sections["setpoints"]["mqtt"][0]["validity_s"] = 600.0
    return SiteConfig.model_validate(sections | {"metrics": MetricsSection(port=0).model_dump()})


@pytest.fixture(scope="module")
def shared_plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared[Watched]]:
    require_server("prometheus")
    with shared(lambda: watched_plant(tmp_path_factory.mktemp("watched"))) as plant:
        yield plant


@pytest.fixture
def watched(shared_plant: Shared[Watched], request: pytest.FixtureRequest) -> Iterator[Watched]:
    """The plant, to be left as it was."""
    with shared_plant.lent_to(request) as plant:
        yield plant


@contextmanager
def watched_plant(folder: Path) -> Iterator[Watched]:
    with mosquitto(folder) as broker:
        limits = {"export_limit_watts": 5000.0, "import_limit_watts": 10000.0}
        config = with_metrics(example_config(folder / "state", broker=broker, fixed=limits))
        with serve(config, new_port=free_port) as site:
            Eyes(site).set(pv_watts=dict.fromkeys(PV_WATTS, 500.0), load_watts=LOAD_WATTS)
            setpoint = Publisher(broker)
            setpoint.publish({"opModExpLimW": 4000})
            clock, observer = RealClock(), PrometheusObserver(config.site.name, "1.2.3", ("mqtt",))
            system = start_system(site.config, clock=clock, observer=observer)
            try:
                wait_until(lambda: observer.bound_port is not None, "the port of the metrics")
                target = f"127.0.0.1:{observer.bound_port}"
                Eyes(site).set(pv_watts=PV_WATTS)
                with prometheus(folder, target) as url:
                    yield Watched(site, system, setpoint, Prometheus(url), f"http://{target}/metrics")
            finally:
                system.stop()
                clock.close()


def ask_everything(prometheus: Prometheus) -> list[Asking]:
    values = variables(prometheus)
    return [] if values is None else [ask(prometheus, asked.filled_in(values)) for asked in all_queries()]


def test_every_query_of_every_panel_and_rule_is_answered(watched: Watched) -> None:
    askings: list[Asking] = []

    def all_well() -> bool:
        askings[:] = ask_everything(watched.prometheus)
        return bool(askings) and not any(asking.trouble for asking in askings)

    try:
        wait_until(all_well, "an answer to every query", SETTLED_WITHIN_S)
    except BaseException:
        troubled = [
            f"{asking.asked.where}: {asking.trouble}: {asking.asked.expr}" for asking in askings if asking.trouble
        ]
        pytest.fail("\n".join(troubled) or "no plant was found")
    print(f"\n{markdown(askings)}")
    assert len(askings) > 90


def test_every_metric_has_a_help_text_and_is_in_the_docs(watched: Watched) -> None:
    families = list(text_string_to_metric_families(watched.page()))
    documented = set(re.findall(r"^\| `(orchestrator_\w+)`", METRICS_DOC.read_text(), re.MULTILINE))
    exported = {f"{family.name}_total" if family.type == "counter" else family.name for family in families}

    assert len(exported) > 30
    assert exported <= documented
    assert all(len(family.documentation) > 10 for family in families)


def test_no_label_is_unbounded_whatever_is_sent(watched: Watched) -> None:
    for number in range(30):
        watched.setpoint.publish({f"unknown{number}": number, "opModExpLimW": f"wrong {number}"})
    refused = re.compile(r'setpoints_rejected_total{site="test",source="mqtt"} [1-9]')
    wait_until(lambda: refused.search(watched.page()), "a refusal")
    wait_until(lambda: all(f'{label}="' in watched.page() for label in BY_FORM), "commands and writes")

    seen: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(watched.page()):
        for sample in family.samples:
            for label, value in sample.labels.items():
                seen.setdefault(label, set()).add(value)
    assert set(seen) == set(BOUNDS) | BY_FORM
    for label, allowed in BOUNDS.items():
        assert seen[label] <= allowed, label
    assert all(re.fullmatch(r"12[34]\.\w+", register) for register in seen["register"])
    assert not any(re.search(r"\d", reason) for reason in seen["reason"])


def test_an_inverter_that_stops_answering_raises_its_alert_in_a_real_prometheus(watched: Watched) -> None:
    def alerts() -> set[str]:
        answer = watched.prometheus.ask('ALERTS{alertname="OrchestratorInverterAway"}')
        return {labels for labels in answer.values if "inverter=west" in labels}

    before = alerts()
    with stopped(watched.site, "west"):
        wait_until(alerts, "the alert")

    assert before == set()
    wait_until(lambda: not alerts(), "the end of the alert")


def test_a_changed_interval_is_seen(watched: Watched) -> None:
    former = watched.site.config
    slower = former.control.model_copy(update={"interval_s": 2.0})
    watched.system.reload(former.model_copy(update={"control": slower}))
    try:
        assert 'orchestrator_cycle_interval_seconds{site="test"} 2.0' in watched.page()
    finally:
        watched.system.reload(former)
