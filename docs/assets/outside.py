"""For MkDocs: pages that are in the project's folder, and links that lead out of docs/.

A reader of the files follows a link wherever it leads; the site has only its pages. So CONTRIBUTING.md and
its like become pages of it, and of a link to any other file the text stays.
"""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

PAGES = ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
ROOT = Path(__file__).parents[2]

_LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])+)\]\(([^)\s#]+)(#[^)\s]*)?\)")
_FENCE = re.compile(r"(^```.*?^```)", re.MULTILINE | re.DOTALL)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    for name in PAGES:
        if (ROOT / name).exists():
            files.append(File.generated(config, name, content=(ROOT / name).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    folder = ROOT if page.file.src_uri in PAGES else Path(config.docs_dir)

    def shown(link: re.Match[str]) -> str:
        text, target, anchor = link.groups()
        path = (folder / target).resolve()
        if "://" in target or target.startswith("mailto:") or not path.exists():
            return link.group()
        name = path.relative_to(ROOT).as_posix().removeprefix("docs/")
        return f"[{text}]({name}{anchor or ''})" if files.get_file_from_path(name) else text

    pieces = _FENCE.split(markdown)
    return "".join(piece if piece.startswith("```") else _LINK.sub(shown, piece) for piece in pieces)
