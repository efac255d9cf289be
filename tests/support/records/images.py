"""The register images of tests/fixtures/dumps."""

from __future__ import annotations

from pathlib import Path

from orchestrator.commissioning.image_file import from_json
from orchestrator.commissioning.register_image import RegisterImage

DUMPS = Path(__file__).parents[2] / "fixtures/dumps"
NAMES = ("sma_sb36_day", "sma_sb36_night", "fimer_pvs_day")


def path_of(name: str) -> Path:
    """The file of a fixture."""
    return DUMPS / f"{name}.json"


def fixture(name: str) -> RegisterImage:
    """A fixture as an image."""
    return from_json(path_of(name).read_text(encoding="utf-8"))
