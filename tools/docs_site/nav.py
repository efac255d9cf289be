"""The pages in their order, by chapter. A page that is not named here fails the build."""

from __future__ import annotations

from typing import Final

INDEX: Final = "docs/index.md"
EVERY: Final = "*"
"""At the end of a path: all pages of that folder."""

NAV: Final[dict[str, tuple[str, ...]]] = {
    "Begin": ("docs/quick-start.md", "docs/concepts.md", "docs/page.md", "docs/safety.md"),
    "Build a site": (
        "docs/tools.md",
        "docs/configuration.md",
        "docs/makes.md",
        "docs/meters.md",
        "docs/serial-lines.md",
        "docs/sunspec.md",
        "docs/driver-mqtt.md",
        "docs/home-assistant.md",
        "deploy/README.md",
    ),
    "Run a site": (
        "docs/mqtt.md",
        "docs/schedules.md",
        "docs/planners.md",
        "docs/voltage-and-phases.md",
        "docs/csip-aus.md",
        "docs/api.md",
        "docs/operation.md",
        "docs/notify.md",
        "docs/explain.md",
        "docs/reports.md",
        "docs/dashboards.md",
        "docs/metrics.md",
        "docs/alerts.md",
        "docs/reasons.md",
        "docs/allocation.md",
        "docs/fleet.md",
        "docs/threat-model.md",
    ),
    "Help": (
        "docs/troubleshooting.md",
        "docs/faq.md",
        "docs/moving.md",
        "docs/moving-from-the-charge-buffer.md",
        "docs/glossary.md",
        "CHANGELOG.md",
        "docs/interface-changes.md",
        "docs/licences.md",
        "SECURITY.md",
    ),
    "Make by make": ("docs/makes/*",),
    "For contributors": (
        "README.md",
        "CONTRIBUTING.md",
        "docs/architecture.md",
        "docs/decisions/README.md",
        "docs/scenarios.md",
        "docs/constants.md",
        "docs/benchmarks.md",
        "docs/release.md",
    ),
    "Decisions": ("docs/decisions/*", EVERY),
}
"""Those that do not exist are left out. `EVERY` alone takes what is named nowhere else."""
