"""Pages in a real Chromium: opened from disk, without a network, with everything that they try."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
IN_A_BROWSER = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
]
STRUCTURE = """() => [...document.body.querySelectorAll('*')].map(e =>
    e.tagName + ' ' + e.getAttributeNames().join(' ') + ' ' + (e.getAttribute('class') ?? '')).join('\\n')"""
HOSTILE = "\"'><img src=http://127.0.0.1:1/x onerror=alert(1)><script>alert(1)</script>\u202e\x1b[31m"


@dataclass
class Visit:
    """One page that was opened, with everything that it tried."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run a headless Chromium without a network."""
    flags = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-background-networking"]
    expect.set_options(timeout=30_000)  # a machine that stands still for some seconds shows nothing
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield running
        running.close()


def visit(browser: Browser, path: Path, *, scripts: bool = True, **context: Any) -> Visit:
    """Open a file from disk and record its requests and what it complains about."""
    settings: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}, "offline": True} | context
    page = browser.new_context(java_script_enabled=scripts, **settings).new_page()
    seen = Visit(page)
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("console", lambda message: seen.complaints.append(message.text))
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.on("dialog", lambda dialog: seen.complaints.append(dialog.message))
    page.goto(path.as_uri())
    return seen


def overflow(page: Page) -> int:
    """Return by how many pixels the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def contrast(page: Page, selector: str) -> float:
    """Return the lowest contrast of the visible texts that a selector finds against what is behind them."""
    return float(
        page.evaluate(
            """selector => {
        const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
        const rgba = colour => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
            return [...canvas.getImageData(0, 0, 1, 1).data]; };
        const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
            .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
            .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
        const behind = e => { for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor);
            if (c[3] === 255) return c; } return [255, 255, 255]; };
        return Math.min(...[...document.querySelectorAll(selector)].filter(e => e.checkVisibility()).map(e => {
            const [a, b] = [light(rgba(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
            return (a + 0.05) / (b + 0.05); }));
    }""",
            selector,
        )
    )


def open_all(page: Page) -> None:
    """Open everything that is folded."""
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
