"""A page of a browser that must have nothing to complain about, ask nobody else, and be usable by all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request

AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
SCHEMES = ("light", "dark")
WIDTHS = (1280, 390)
_REDRAW_MS = 400
_FINDINGS = """async () => {
  const changing = document.getAnimations().filter((each) => each instanceof CSSTransition);
  await Promise.allSettled(changing.map((each) => each.finished));
  return axe.run(document, {resultTypes: ["violations"], preload: false});
}"""


@contextmanager
def watched(browser: BrowserContext, url: str) -> Iterator[Page]:
    """A new page. At the end AssertionError, when the console was not empty, a script or request failed,
    or a request went anywhere but to ``url``."""
    faults: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            faults.append(f"console: {message.text} ({page.url})")

    def leave_nothing(request: Request) -> None:
        if not request.url.startswith((url, "data:", "blob:")):
            faults.append(f"request to {request.url}")

    def failed(request: Request) -> None:
        # Who leaves a page, or pauses an upload, ends the requests that are on their way.
        if request.failure != "net::ERR_ABORTED":
            faults.append(f"failed: {request.url} {request.failure}")

    page = browser.new_page()
    page.on("console", note)
    page.on("pageerror", lambda error: faults.append(f"script: {error} ({page.url})"))
    page.on("request", leave_nothing)
    page.on("requestfailed", failed)
    try:
        yield page
    finally:
        page.close()
    assert not faults, "\n".join(faults)


def expect_accessible(page: Page) -> None:
    """Asserts that axe-core finds nothing serious or critical on the page as it is now, light and dark."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(_axe())
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        found = page.evaluate(_FINDINGS)
        serious = [rule for rule in found["violations"] if rule["impact"] in {"serious", "critical"}]
        assert not serious, f"{page.url}, {scheme}:\n" + "\n".join(map(_told, serious))
    page.emulate_media(color_scheme="light")


def shots(page: Page, name: str) -> None:
    """Where ``MIZUCHI_SHOTS`` names a folder: pictures of the whole page there, wide and narrow, light and
    dark. Else nothing."""
    folder = os.environ.get("MIZUCHI_SHOTS")
    if not folder:
        return
    before = page.viewport_size
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            page.wait_for_timeout(_REDRAW_MS)
            page.screenshot(path=Path(folder) / f"{name}-{width}-{scheme}.png", full_page=True)
    page.emulate_media(color_scheme="light")
    if before:
        page.set_viewport_size(before)


@cache
def _axe() -> str:
    return AXE.read_text(encoding="utf-8")


def _told(rule: dict[str, Any]) -> str:
    places = [f"    {node['html'][:160]}\n      {node['failureSummary']}" for node in rule["nodes"][:5]]
    return "\n".join([f"  {rule['impact']}: {rule['help']} ({rule['id']})", *places])
