"""Pages as a reader sees them: the words, the tables, and what they would load."""

from __future__ import annotations

import re
from html.parser import HTMLParser


class _Reader(HTMLParser):
    """Collects the rows of all tables, the words, and every tag with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.opened: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in VOID:
            self.opened.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.opened, f"</{tag}> without its beginning"
        assert self.opened.pop() == tag, f"</{tag}> in the wrong place"

    def handle_data(self, data: str) -> None:
        if "style" in self.opened:
            return
        self.words.append(data)
        if self.rows and {"td", "th"} & set(self.opened):
            self.rows[-1][-1] += data


VOID = ("meta", "br")


def read(page: str) -> _Reader:
    """The page, checked to be well formed."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert reader.opened == []
    return reader


def rows(page: str) -> dict[str, list[str]]:
    """Every row of every table: the first cell, and the others. Of two with the same first cell the last one."""
    return {row[0]: row[1:] for row in read(page).rows if row}


def words(page: str) -> str:
    """What is written, with single spaces."""
    return " ".join(" ".join(read(page).words).split())


def assert_stands_alone(page: str) -> None:
    """It loads nothing, runs nothing, and fits a phone, in light and dark."""
    tags = read(page).tags
    assert not {tag for tag, _ in tags} & {"script", "link", "img", "iframe", "object", "embed", "base"}
    assert not [attributes for _, attributes in tags if {"src", "href", "onload", "onclick"} & set(attributes)]
    assert not re.search(r"url\(|@import|https?://", page)
    assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in tags
    assert "prefers-color-scheme: dark" in page
    assert all("viewbox" in attributes for tag, attributes in tags if tag == "svg")
