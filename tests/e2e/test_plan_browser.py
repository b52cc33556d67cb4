"""The page of a plan of repair in a real Chromium: inert, offline, readable on every screen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from contracts.repair import Ended
from reports.repair import repair_html
from tests.support.browsing import HOSTILE, IN_A_BROWSER, STRUCTURE, contrast, open_all, overflow, visit
from tests.support.factories import MASK_KEY
from tests.support.repair_views import MADE, Reader, make_left, make_outcome, make_step, make_view, texts

pytestmark = IN_A_BROWSER


def plan_with(text: str) -> str:
    """Return the page of a plan in which a text stands wherever a store or a person could put one."""
    before, after = texts(id=text, title=text), texts(id=text, title=f"{text} {text}", content=text)
    step = make_step(key=text, before=before, after=after, reason=text)
    view = make_view(step, left=(make_left(key=text, sentence=text),), discretion=Reader(masked=False))
    ended = replace(view.repair, approved_by=text, ended=Ended.PARTLY, ended_at=MADE)
    return repair_html(replace(view, repair=ended), mask_key=MASK_KEY)


def test_hostile_values_act_nowhere(browser: Browser, tmp_path: Path) -> None:
    """The page has the DOM of a harmless one, asks for nothing and runs nothing."""
    structures = []
    for name, text in (("hostile", HOSTILE), ("harmless", "x")):
        path = tmp_path / f"{name}.html"
        path.write_text(plan_with(text))
        seen = visit(browser, path)
        open_all(seen.page)
        structures.append(seen.page.evaluate(STRUCTURE))
        assert seen.page.inner_text("body").count("alert(1)" if text == HOSTILE else text) > 4
        assert seen.complaints == []
        assert seen.requests == [path.as_uri()]
        assert overflow(seen.page) == 0
    assert structures[0] == structures[1]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (320, "dark")])
def test_it_is_legible_on_every_screen(browser: Browser, tmp_path: Path, width: int, scheme: str) -> None:
    """Opened completely, the page of a repair never scrolls sideways, keys stay in one piece, and texts stand out."""
    path, view = tmp_path / "plan.html", make_outcome()
    view = replace(view, plan=replace(view.plan, left=(make_left(),)))
    path.write_text(repair_html(view, mask_key=MASK_KEY))
    seen = visit(browser, path, viewport={"width": width, "height": 860}, color_scheme=scheme)
    open_all(seen.page)
    assert overflow(seen.page) == 0
    found = seen.page.locator(".keys code, .stack bdi:has-text('-8111-')").all()
    assert len(found) == 3
    for key in found:
        box = key.bounding_box()
        assert box is not None
        assert box["height"] < 56  # two lines at most
    for selector in ("p", "code", "th", "td", "dt", "dd", "h1", "h2", "small"):
        if seen.page.locator(selector).count():
            assert contrast(seen.page, selector) >= 4.5, selector
