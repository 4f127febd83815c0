"""A real browser: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from .process import needs_server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

FLAGS = [
    "--no-sandbox",  # root has no sandbox
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Chromium:
    """One browser for the modules that follow each other: a start takes two seconds of CPU.

    While it runs, Playwright keeps an event loop in the thread, where Django then refuses to touch a
    database: who goes on with tests that need none ends it first.
    """

    def __init__(self) -> None:
        self._running = ExitStack()
        self._browser: Browser | None = None

    @contextmanager
    def profile(self) -> Iterator[BrowserContext]:
        """An empty one, gone with the block. Starts the browser when none runs. Skips as ``needs_server``."""
        if self._browser is None:
            self._browser = self._running.enter_context(_running_chromium())
        context = self._browser.new_context(viewport={"width": 1280, "height": 800})
        context.set_default_timeout(15_000)
        try:
            yield context
        finally:
            context.close()

    def end(self) -> None:
        self._browser = None
        self._running.close()


@contextmanager
def _running_chromium() -> Iterator[Browser]:
    program = needs_server("chromium")
    # Not at import: this module is imported by every test process.
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, headless=True, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()
