"""The documents as tests read them: pages, and their blocks with what a comment says of each.

A comment that no reader sees stands before a block: ``<!-- run -->`` (a shell or Python block that the
tests run), ``<!-- output -->`` (what the block before it prints; ``...`` is anything), ``<!-- serve -->`` (a
part of the configuration that the gateway of the tests has), ``<!-- not ours -->`` (YAML of somebody else's).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [
    page
    for page in (
        *sorted(ROOT.glob("*.md")),
        *sorted(DOCS.glob("*.md")),
        *sorted(ROOT.glob("examples/**/*.md")),
    )
    if page.exists()
]
MARKS = ("run", "output", "serve", "not ours")

_BLOCK = re.compile(
    r"(?:^ *<!-- (?P<mark>[a-z ]+) -->\n)?^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block. ``line`` is where it begins in its page, 1 for the first."""

    page: Path
    line: int
    language: str
    mark: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    content = page.read_text(encoding="utf-8")
    for found in _BLOCK.finditer(content):
        indent = len(found["indent"])
        text = "".join(line[indent:] or "\n" for line in found["text"].splitlines(keepends=True))
        line = content.count("\n", 0, found.start("text")) + 1
        yield Block(page, line, found["language"], found["mark"] or "", text)


ALL = [block for page in PAGES for block in blocks(page)]
