"""For MkDocs: pages that are in the project's folder, links that lead out of docs/, and what draws diagrams.

A reader of the files follows a link wherever it leads; the site has only its pages. So CONTRIBUTING.md and
its like become pages of it, and of a link to any other file the text stays; where a file is named, the
page's title stands. Mermaid is large: only pages with a diagram load it. They must, or the theme asks a
CDN for it.
"""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

PAGES = ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
ROOT = Path(__file__).parents[2]
DRAWING = '<script src="assets/vendor/mermaid/mermaid.tiny.js"></script></head>'

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
        name = path.relative_to(ROOT).as_posix()
        if not (name in PAGES or name.startswith("docs/")):
            return text
        text = _title(path) if text == path.name else text
        return f"[{text}]({name.removeprefix('docs/')}{anchor or ''})"

    pieces = _FENCE.split(markdown)
    return "".join(piece if piece.startswith("```") else _LINK.sub(shown, piece) for piece in pieces)


def _title(page: Path) -> str:
    return page.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    return output.replace("</head>", DRAWING, 1) if '<pre class="mermaid"' in output else output
