"""All boards, and where their JSON is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tools.dashboards.actors import actors_board
from tools.dashboards.fleet import fleet_board
from tools.dashboards.inverters import inverters_board
from tools.dashboards.site import site_board

FOLDER: Final = Path(__file__).parents[2] / "deploy/grafana/dashboards"


def boards() -> dict[str, str]:
    """The JSON of each board, by file name."""
    all_boards = (site_board(), inverters_board(), actors_board(), fleet_board())
    return {f"{board.uid}.json": board.json() for board in all_boards}
