"""The documents tell of what there is: errors, commands, checks, operations, and links that lead on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from authz.errors import AuthError
from authz.sts.errors import StsError
from uploads.s3.errors import S3Error
from uploads.s3.operations import Operation

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.glob("*.md")), *sorted(ROOT.glob("examples/**/*.md"))]
ROOMS = ("mizuchi_site", "uploads", "authz", "tracing_app")

_CODE_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def kinds(base: type[S3Error | AuthError]) -> Iterator[type[S3Error | AuthError]]:
    for kind in base.__subclasses__():
        if kind.__module__ == base.__module__:
            yield kind
            yield from kinds(kind)


ERRORS = sorted({(kind.code, kind.status) for base in (S3Error, AuthError) for kind in kinds(base)})


def documented_errors() -> list[tuple[str, int]]:
    section = text_of(DOCS / "s3.md").partition("## Errors")[2]
    return [
        (code, int(status)) for code, status in re.findall(r"^\| (\w+) \| (\d{3}) \|", section, re.MULTILINE)
    ]


def test_every_error_is_in_the_table_with_its_status_and_no_other() -> None:
    assert sorted(documented_errors()) == ERRORS


def test_every_error_of_the_exchange_is_in_its_table() -> None:
    page = text_of(DOCS / "jwt.md").partition("## Sessions for S3 SDKs")[2]
    rows = ", ".join(re.findall(r"^\| (\w+(?:, \w+)*) \| \d{3} \|", page, re.MULTILINE))

    assert {kind.code for kind in StsError.__subclasses__()} | {"InternalFailure"} == set(rows.split(", "))


@pytest.mark.parametrize("operation", Operation, ids=lambda operation: operation.value)
def test_every_operation_has_a_row(operation: Operation) -> None:
    assert f"| {operation.value} |" in text_of(DOCS / "s3.md")


def commands() -> list[str]:
    files = (file for room in ROOMS for file in (ROOT / room).glob("management/commands/*.py"))
    return sorted(file.stem for file in files if file.stem != "__init__")


@pytest.mark.parametrize("command", commands())
def test_every_command_is_documented(command: str) -> None:
    assert f"manage.py {command}`" in text_of(DOCS / "operations.md")


def test_every_system_check_is_documented() -> None:
    sources = (text_of(ROOT / room / "checks.py") for room in ROOMS if (ROOT / room / "checks.py").exists())
    ids = {found for source in sources for found in re.findall(r'id="(mizuchi\.\w+)"', source)}

    assert ids == set(re.findall(r"^\| (mizuchi\.\w+) \|", text_of(DOCS / "access-keys.md"), re.MULTILINE))


def test_the_index_has_every_document() -> None:
    index = text_of(DOCS / "README.md")

    missing = [
        page.name for page in DOCS.glob("*.md") if page.name != "README.md" and f"({page.name})" not in index
    ]
    assert missing == []


def modules_named(page: Path) -> set[str]:
    return set(re.findall(rf"`((?:{'|'.join(ROOMS)})(?:[./]\w+)+(?:\.py)?)", text_of(page)))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_modules_that_are_named_exist(page: Path) -> None:
    """``uploads.records.failing`` is the name of something in a module: its module counts."""
    lost = []
    for name in modules_named(page):
        path = ROOT / name.removesuffix(".py").replace(".", "/")
        if not any(place.with_suffix(".py").exists() or place.is_dir() for place in (path, path.parent)):
            lost.append(name)
    assert lost == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tests_that_are_named_exist(page: Path) -> None:
    named = re.findall(r"`(tests/[\w/.]+)`", text_of(page))
    assert [name for name in named if not any((ROOT / name).parent.glob(f"{Path(name).stem}*"))] == []


def links() -> list[tuple[Path, str]]:
    found = ((page, link) for page in PAGES for link in _LINK.findall(_CODE_BLOCK.sub("", text_of(page))))
    return [(page, link) for page, link in found if "://" not in link]


@pytest.mark.parametrize(("page", "link"), links(), ids=lambda value: getattr(value, "name", value))
def test_relative_links_lead_somewhere(page: Path, link: str) -> None:
    name, _, anchor = link.partition("#")
    target = page.parent / name if name else page

    assert target.exists()
    if anchor:
        headings = re.findall(r"^#+ (.+)$", text_of(target), re.MULTILINE)
        assert anchor in {anchor_of(heading) for heading in headings}


def anchor_of(heading: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
