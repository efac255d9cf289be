"""What the generator reads: copies of all pages where they stand to each other, and a tree of contents."""

from __future__ import annotations

import re
import shutil
from functools import partial
from pathlib import Path
from typing import Final

from tools.docs_site.nav import EVERY, INDEX, NAV

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = ("docs/**/*.md", "*.md", "deploy/README.md")
_LINK: Final = re.compile(r"(?<!!)\[(?P<text>[^\]]*)\]\((?P<target>[^)#\s]+)(?P<anchor>#[^)\s]*)?\)")
_PICTURE: Final = re.compile(r"!\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_WEB: Final = ("https://", "http://", "mailto:")


def pages(root: Path = ROOT) -> tuple[str, ...]:
    """Every page, by its path in the repository."""
    found = {path.relative_to(root).as_posix() for pattern in PAGES for path in root.glob(pattern)}
    return tuple(sorted(found - {"docs/index.md"}))


def chapters(root: Path = ROOT) -> dict[str, tuple[str, ...]]:
    """The pages of each chapter in their order, each page once."""
    left = dict.fromkeys(pages(root))
    found: dict[str, tuple[str, ...]] = {}
    named = {each for entries in NAV.values() for each in entries}
    for chapter, entries in NAV.items():
        taken: list[str] = []
        for entry in entries:
            folder = entry.removesuffix(EVERY)
            fitting = [each for each in left if entry.endswith(EVERY) and each.startswith(folder) and each not in named]
            taken += [entry] if entry in left else fitting
            for each in taken:
                left.pop(each, None)
        found[chapter] = tuple(dict.fromkeys(taken))
    return found


def write(into: Path, root: Path = ROOT) -> None:
    """Make the source anew in `into`."""
    shutil.rmtree(into, ignore_errors=True)
    for page in (INDEX, *pages(root)):
        target = into / page
        target.parent.mkdir(parents=True, exist_ok=True)
        text = (root / page).read_text()
        _copy_pictures(text, root / page, target)
        text = _LINK.sub(partial(_linked, page=root / page, root=root), text)
        target.write_text(text + (_tree(root) if page == INDEX else ""))


def _tree(root: Path) -> str:
    """Hidden where it stands: the generator shows it beside every page."""
    parts = [
        "\n```{toctree}\n:hidden:\n:maxdepth: 1\n:caption: "
        + chapter
        + "\n\n"
        + "".join(f"/{page}\n" for page in named)
        + "```\n"
        for chapter, named in chapters(root).items()
    ]
    return "".join(parts)


def _linked(found: re.Match[str], page: Path, root: Path) -> str:
    """A link to a page stays; one to another file of the repository is only its text: a site has no such file."""
    target = found["target"]
    if target.startswith(_WEB):
        return found[0]
    path = (page.parent / target).resolve()
    is_page = path.is_relative_to(root) and path.relative_to(root).as_posix() in (INDEX, *pages(root))
    return found[0] if is_page else found["text"]


def _copy_pictures(text: str, page: Path, target: Path) -> None:
    for found in _PICTURE.finditer(text):
        if not found["target"].startswith(_WEB):
            copy = target.parent / found["target"]
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(page.parent / found["target"], copy)
