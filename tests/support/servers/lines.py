"""Virtual sites on a serial line: a pseudo-terminal that only understands who has set it to the speed of the line."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from orchestrator.config.sections import SiteConfig
from orchestrator.simulation.server import RunningSite, serve
from tests.support.plants.virtual_site import HYBRID, PV_ONLY

METER_UNIT = 9


def line_site(port: Path, makes: Sequence[str] = (), baud_rate: int = 115200) -> SiteConfig:
    """A SunSpec meter at unit 9 of a line; a hybrid of each make, at units 1, 2 and so on, then a SunSpec inverter."""
    line = {"serial": {"port": str(port), "baud_rate": baud_rate}}
    simulated = {make: HYBRID.model_copy(update={"make": make}) for make in makes} | {"roof": PV_ONLY}
    sections = {
        "site": {"name": "line"},
        "meter": {**line, "unit_id": METER_UNIT},
        "inverters": [
            {"name": name, "driver": "sunspec" if name == "roof" else name, **line, "unit_id": unit}
            for unit, name in enumerate(simulated, start=1)
        ],
        "simulation": {"inverters": simulated},
    }
    return SiteConfig.model_validate(sections)


@contextlib.contextmanager
def served_line(port: Path, makes: Sequence[str] = (), baud_rate: int = 115200) -> Iterator[RunningSite]:
    """The same, served at `port`."""
    with serve(line_site(port, makes, baud_rate)) as site:
        yield site
