"""A real site for as long as asked: Modbus, Mosquitto, Prometheus where it is installed, and a process that is killed.

Sun and load stand still, so that what is seen above the limit comes from faults and kills alone.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Final

from actors.files.ledger_file import FILE_NAME, LedgerUnreadable, read_excesses
from orchestrator.config.file import load_config
from orchestrator.config.sections import SiteConfig
from orchestrator.simulation.network.faults import Fault, FaultKind
from orchestrator.simulation.server import RunningSite, serve
from orchestrator.simulation.site import METER
from tests.support.command_line import Running, example_site, orchestrator
from tests.support.plants.running_plant import Eyes, Publisher
from tests.support.servers.brokers import Mosquitto, mosquitto
from tests.support.servers.prometheus import prometheus
from tools.soak.process import Sample, look

SUN: Final = {"east": 5000.0, "west": 3000.0, "roof": 6000.0}
LOAD_WATTS: Final = 1000.0
EXPORT_WATTS: Final = (0.0, 1500.0, 3000.0)
TOLERANCE_WATTS: Final = 0.02 * 17_000
LOOKS_EVERY_S: Final = 0.05
SAMPLES_EVERY_S: Final = 2.0
STARTED_WITHIN_S: Final = 60.0
READINGS_OF_A_START: Final = 20
WITHIN_S: Final = 10.0
"""The 5 s rule, and what a machine may take on top that runs all of this."""
FAULT_KINDS: Final = (FaultKind.SILENT, FaultKind.RESET, FaultKind.EXCEPTION, FaultKind.GARBAGE, FaultKind.ZEROS)
LONGEST_PERIOD_S: Final = 120.0
"""Once a process has been killed, the next one may live for a random time up to this, the last one a quarter of all."""


@dataclass
class Soaked:
    """What became of a run."""

    seconds: float = 0.0
    kills: int = 0
    faults: int = 0
    longest_above_s: float = 0.0
    ledger_rows: int = 0
    samples: list[Sample] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


def soak(folder: Path, seconds: float, *, kills: int, seed: int = 1) -> Soaked:
    """Run the example site for `seconds`, at most `kills` times killed. Needs Mosquitto."""
    path = example_site(folder)
    config = load_config(path)
    with mosquitto(folder) as broker:
        config = _at_broker(path, config, broker)
        with serve(config) as site, _watched(folder, config):
            run = _Run(folder, path, site, Publisher(broker), Random(seed))
            run.eyes.set(pv_watts=SUN, load_watts=LOAD_WATTS, soc_percent={"east": 100.0, "west": 100.0})
            run.all(seconds, kills)
    return run.soaked


class _Run:
    def __init__(self, folder: Path, path: Path, site: RunningSite, operator: Publisher, dice: Random) -> None:
        self.soaked = Soaked()
        self.eyes = Eyes(site)
        self._folder, self._path, self._site, self._operator, self._dice = folder, path, site, operator, dice
        self._limit_watts = 5000.0
        self._above_since_s: float | None = None
        self._excused_until_s = self._sampled_s = 0.0
        self._ledger = folder / "state" / FILE_NAME

    def all(self, seconds: float, kills: int) -> None:
        """Lives of the process one after the other; the last one, the longest, ends in order."""
        began_s = time.monotonic()
        last_s = began_s + seconds
        kill_until_s = began_s + 0.75 * seconds
        period_s = min(0.75 * seconds / max(kills, 1), LONGEST_PERIOD_S)
        while kills and time.monotonic() < kill_until_s:
            self._live(min(time.monotonic() + self._dice.uniform(0.3, 1.7) * period_s, kill_until_s), kill=True)
            kills -= 1
        self._live(last_s, kill=False)
        self.soaked.seconds = time.monotonic() - began_s
        if self.soaked.longest_above_s > WITHIN_S:
            self.soaked.broken.append(f"above its limit for {self.soaked.longest_above_s:.1f} s")

    def _live(self, until_s: float, *, kill: bool) -> None:
        with orchestrator(self._folder, "run", str(self._path)) as process:
            started_s = time.monotonic()
            self._starts(process)
            while time.monotonic() < until_s:
                self._trouble(min(time.monotonic() + self._dice.uniform(3.0, 8.0), until_s), process, started_s)
            if kill:
                self._kill(process)
            elif process.end(signal.SIGTERM) != 0:
                self.soaked.broken.append(f"ended with code {process.process.returncode}: {process.err[-300:]}")
        self._read_ledger()

    def _starts(self, process: Running) -> None:
        """Wait until the process reads its meter and every inverter has an AC limit."""
        deadline_s = time.monotonic() + STARTED_WITHIN_S
        enough = self.eyes.requests()[0] + READINGS_OF_A_START
        while self.eyes.requests()[0] < enough or not self._is_limited():
            if time.monotonic() > deadline_s or process.process.poll() is not None:
                self.soaked.broken.append(f"does not start: {process.err[-300:]}")
                return
            self._watch()
        if not self.soaked.kills:  # nobody had asked the devices for anything before
            self._above_since_s, self.soaked.longest_above_s = None, 0.0

    def _trouble(self, until_s: float, process: Running, started_s: float) -> None:
        """A limit, and a fault on the wire for a while; then it is healed, and the plant has time to be well."""
        self._ask(self._dice.choice(EXPORT_WATTS))
        name = self._dice.choice([*SUN, METER])
        heals_s = time.monotonic() + self._dice.uniform(0.5, 3.0)
        self._site.set_fault(name, Fault(self._dice.choice(FAULT_KINDS)))
        self._excused_until_s = heals_s
        self.soaked.faults += 1
        is_healed = False
        while (now_s := time.monotonic()) < until_s:
            if now_s >= heals_s and not is_healed:
                self._site.set_fault(name, None)
                is_healed = True
            if process.process.poll() is not None:
                self.soaked.broken.append(f"ended by itself: {process.err[-300:]}")
                break
            self._sample(process.process.pid, now_s - started_s)
            self._watch()
        self._site.set_fault(name, None)

    def _kill(self, process: Running) -> None:
        before = self._is_limited()
        process.process.kill()
        process.process.wait()
        self.soaked.kills += 1
        if before and not self._is_limited():
            self.soaked.broken.append(f"kill {self.soaked.kills}: an AC limit is gone")

    def _ask(self, watts: float) -> None:
        """A limit that is never above the site's own."""
        self._operator.publish({"opModExpLimW": watts})
        self._limit_watts = watts
        self._excused_until_s = time.monotonic()

    # What is seen

    def _watch(self) -> None:
        """One look at the power at the grid connection; how long it has been above its limit without an excuse."""
        now_s = time.monotonic()
        if self._export_watts() <= self._limit_watts + TOLERANCE_WATTS:
            self._above_since_s = None
        else:
            self._above_since_s = max(self._above_since_s or now_s, self._excused_until_s)
            self.soaked.longest_above_s = max(self.soaked.longest_above_s, now_s - self._above_since_s)
        time.sleep(LOOKS_EVERY_S)

    def _export_watts(self) -> float:
        return self.eyes.look()["export"]

    def _is_limited(self) -> bool:
        """Whether each inverter obeys an AC limit."""
        seen = self.eyes.look()
        return all(seen[f"{name} WMaxLim_Ena"] == 1 for name in SUN)

    def _sample(self, pid: int, age_s: float) -> None:
        if time.monotonic() - self._sampled_s >= SAMPLES_EVERY_S:
            self._sampled_s = time.monotonic()
            with contextlib.suppress(OSError):
                self.soaked.samples.append(look(pid, age_s))

    def _read_ledger(self) -> None:
        """After each life the ledger is sound, was not set aside, and has at least the rows that it had."""
        try:
            rows = len(read_excesses(self._ledger, datetime(2000, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)))
        except LedgerUnreadable as trouble:
            self.soaked.broken.append(str(trouble))
            return
        if rows < self.soaked.ledger_rows or list(self._ledger.parent.glob("*.unusable-*")):
            self.soaked.broken.append(f"the ledger has {rows} rows after {self.soaked.ledger_rows}")
        self.soaked.ledger_rows = rows


def _at_broker(path: Path, config: SiteConfig, broker: Mosquitto) -> SiteConfig:
    """The site.yaml with the port of this broker."""
    port = config.setpoints.mqtt[0].port
    path.write_text(path.read_text().replace(str(port), str(broker.port)))
    return load_config(path)


@contextlib.contextmanager
def _watched(folder: Path, config: SiteConfig) -> Iterator[None]:
    """With a Prometheus that reads the metrics, where there is one."""
    if config.metrics is None or shutil.which("prometheus") is None:
        yield
        return
    with prometheus(folder, f"127.0.0.1:{config.metrics.port}"):
        yield
