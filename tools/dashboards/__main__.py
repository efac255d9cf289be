"""Write every board to deploy/grafana/dashboards/."""

from __future__ import annotations

from tools.dashboards.boards import FOLDER, boards


def main() -> None:
    """Write what has changed."""
    for name, text in boards().items():
        (FOLDER / name).write_text(text)
        print(FOLDER / name)


main()
