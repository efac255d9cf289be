"""docs/makes/<name>.md: what there is to know of one make, for whoever has one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from orchestrator.devices.makes.library import load_profile, profile_names
from orchestrator.devices.makes.schema import Profile
from tools.makes.marked import table
from tools.makes.page import UNTRIED, connection, falls_back, kept_in_flash, what_is_read
from tools.makes.steps import command_rows

FOLDER: Final = Path(__file__).parents[2] / "docs/makes"
MADE: Final = "<!-- made from the profile by `python -m tools.makes`; do not edit -->"


def pages() -> dict[Path, str]:
    """The page of each make, by the file that it stands in."""
    return {FOLDER / f"{name}.md": page(load_profile(name)) for name in profile_names()}


def page(profile: Profile) -> str:
    """The whole page of one make."""
    return "\n".join(_lines(profile))


def _lines(profile: Profile) -> Iterator[str]:
    yield from (MADE, "", f"# {profile.make}: `{profile.name}`", "", f"{profile.devices}.")
    if profile.seen_on is not None:
        yield from ("", f"Models that the sources name: {profile.seen_on}.")
    tried = "tried on hardware" if profile.tried_on_hardware else f"**{UNTRIED}** by this project"
    yield from (
        "",
        f"It is {tried}. See [all makes](../makes.md), and [what you can send](../makes.md#sending-a-register-image).",
    )
    yield from ("", "## In site.yaml", "", "```yaml", *_site(profile), "```", "")
    yield f"Where nothing else is said: {connection(profile)}."
    yield from _section("What to switch on in the device", profile.switch_on)
    yield from _section("What is read", _outside(what_is_read(profile)))
    yield from _commanded(profile)
    yield from _section("What it goes back to when it is left alone", falls_back(profile))
    yield from ("", "## What is kept in flash", "", f"{kept_in_flash(profile)}.")
    yield from _section("Good to know", profile.notes)
    yield from _section("Doubts, and what to try on site", profile.doubts)
    yield from _section("Sources", _sources(profile))
    yield ""


def _site(profile: Profile) -> Iterator[str]:
    yield "inverters:"
    yield f"  - {{name: house, driver: {profile.name}, host: 192.168.1.30}}"
    if profile.meter is not None:
        yield f"meter: {{driver: {profile.name}, host: 192.168.1.30}}   # the meter that it reads"
    if profile.units:
        units = ", ".join(f"{unit.name}: {unit.unit_id}" for unit in profile.units)
        yield f"# units: {{{units}}}   # behind the driver, where they are not found"


def _outside(parts: Iterable[str]) -> Iterator[str]:
    return (part.replace("](sunspec.md", "](../sunspec.md") for part in parts)


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    lines = tuple(lines)
    if lines:
        yield from ("", f"## {title}", "", *(f"- {line}" for line in lines))


def _commanded(profile: Profile) -> Iterator[str]:
    yield from ("", "## What is commanded", "")
    if profile.read_only is not None:
        yield f"Nothing, it is read only. {profile.read_only}"
        return
    rows = command_rows(profile)
    use = profile.sunspec
    models = (
        [] if use is None else [what for what, used in (("AC limit", use.ac_limit), ("battery", use.battery)) if used]
    )
    if models:
        yield from (f"By the models of [SunSpec](../sunspec.md#what-is-commanded): {', '.join(models)}.", "")
    if rows:
        yield from table(("command", "registers in the order of writing"), rows)
    elif not models:
        yield "Nothing."


def _sources(profile: Profile) -> Iterator[str]:
    for each in profile.documents:
        title = each.title if each.url is None else f"[{each.title}]({each.url})"
        yield f"{title}: {each.covers}"
