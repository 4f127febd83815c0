"""The site of the documents is built without a warning, asks nobody else for anything, and shows what
the files show: both ways of reading Markdown find the same lists, tables and blocks."""

from __future__ import annotations

import os
import re
import subprocess
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from tests.docs.pages import DOCS, ROOT
from tests.servers.process import needs_server

SHOWN = ("h1", "h2", "h3", "li", "ol", "pre", "table", "td", "tr", "ul")
LOADING = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src"}
MERMAID = "assets/vendor/mermaid/mermaid.tiny.js"
PAGES = sorted(DOCS.glob("*.md"))


class Tags(HTMLParser):
    """Counts tags of the article, or of all where there is none; notes what the page loads."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()
        self.loaded: list[str] = []
        self._depth = 0 if "<article" in html else 1
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._depth += tag == "article"
        if self._depth and tag in SHOWN:
            self.counts[tag] += 1
        given = dict(attrs)
        if (
            tag in LOADING
            and (where := given.get(LOADING[tag]))
            and given.get("rel") not in ("canonical", "next")
        ):
            self.loaded.append(where)

    def handle_endtag(self, tag: str) -> None:
        self._depth -= tag == "article"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documents")
    ended = subprocess.run(
        [needs_server("mkdocs"), "build", "--strict", "--site-dir", folder],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return folder


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_shows_what_its_file_shows(page: Path, site: Path) -> None:
    """Python-Markdown wants a blank line before a list or table, and four spaces below an item."""
    name = "index" if page.name == "README.md" else page.stem
    plain = Tags(MarkdownIt("commonmark").enable("table").render(page.read_text(encoding="utf-8")))

    assert Tags((site / f"{name}.html").read_text(encoding="utf-8")).counts == plain.counts


def test_nothing_is_asked_of_anybody_else(site: Path) -> None:
    pages = {page: Tags(page.read_text(encoding="utf-8")).loaded for page in site.rglob("*.html")}

    assert len(pages) > len(PAGES)
    assert [(page.name, where) for page, all_of in pages.items() for where in all_of if "//" in where] == []


def test_styles_load_nothing_from_elsewhere(site: Path) -> None:
    found = {
        style.name: re.findall(r"url\((?!['\"]?data:)([^)]*//[^)]*)\)", style.read_text())
        for style in site.rglob("*.css")
    }

    assert found
    assert not any(found.values())


def test_diagrams_are_drawn_by_a_script_that_comes_along(site: Path) -> None:
    """The theme asks a CDN for it where nobody has loaded it. Pages without a diagram do not need it."""
    pages = {page: page.read_text(encoding="utf-8") for page in site.glob("*.html")}
    drawing = {page.stem for page, html in pages.items() if MERMAID in Tags(html).loaded}

    assert drawing == {page.stem for page, html in pages.items() if '<pre class="mermaid"' in html}
    assert "architecture" in drawing
    assert (site / MERMAID).exists()
