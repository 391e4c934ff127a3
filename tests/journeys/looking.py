"""How journeys look at pages: on a phone and a desk, signed in or not, with axe and a measure for what is cut off."""

from importlib import resources
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from tests.product import Product

CHROMIUM = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE, DESK = 360, 1400


def visit(browser: Browser, product: Product, path: str, **context: Any) -> Page:
    """A page after its scripts have run; keeps its complaints in `page.complaints`."""
    width = context.pop("width", DESK)
    page = browser.new_context(
        locale="de-DE",
        timezone_id="Europe/Berlin",
        reduced_motion="reduce",
        viewport={"width": width, "height": 900},
        **context,
    ).new_page()
    complaints: list[str] = []
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request",
        lambda request: (
            complaints.append(f"foreign request: {request.url}")
            if not request.url.startswith((product.url, "data:", "blob:"))
            else None
        ),
    )
    page.complaints = complaints  # type: ignore[attr-defined]
    page.goto(product.url + path, wait_until="load")
    return page


def axe_violations(page: Page) -> list[str]:
    """What axe-core finds against WCAG 2.0 to 2.2, A and AA."""
    source = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text()
    page.evaluate(source)
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    found = page.evaluate("tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", tags)
    return [
        f"{violation['id']}: {node['html'][:160]}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


CUT_OFF = """() => {
  const seen = (e) => e.checkVisibility({visibilityProperty: true}) && e.getBoundingClientRect().width > 1;
  const scrolls = (e) => ["auto", "scroll"].includes(getComputedStyle(e).overflowX);
  const inScroller = (e) => { while ((e = e.parentElement)) if (scrolls(e)) return true; return false; };
  return [...document.querySelectorAll("main :is(input, select, textarea, button, a, p, h1, h2, h3, td, th, li)")]
    .filter((e) => seen(e) && !e.closest(".form-side") && !inScroller(e))
    .filter((e) => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .map((e) => `${e.outerHTML.slice(0, 120)}`);
}"""


CUT_BUTTONS = """() => [...document.querySelectorAll("main form .button, main p .button")]
  .filter((e) => e.checkVisibility({visibilityProperty: true}) && e.scrollWidth > e.clientWidth + 1)
  .map((e) => `cut: ${e.textContent.trim()}`)"""
TO_THE_TOP = """() => {
  scrollTo(0, 0);
  for (const each of document.querySelectorAll("body *")) if (each.scrollTop) each.scrollTop = 0;
}"""


def cut_off(page: Page) -> list[str]:
    """What reaches beyond the window's right edge, where nothing scrolls: nobody can read or use it."""
    found: list[str] = page.evaluate(CUT_OFF)
    return found


def signed_in(
    browser: Browser, product: Product, *, account: str = "editor", **context: Any
) -> Page:
    """A clerk's browser; it keeps its complaints in `page.complaints`."""
    page = browser.new_context(
        base_url=product.url,
        locale="de-DE",
        timezone_id="Europe/Berlin",
        reduced_motion="reduce",
        **{"viewport": {"width": DESK, "height": 900}, **context},
    ).new_page()
    complaints: list[str] = []
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.complaints = complaints  # type: ignore[attr-defined]
    who = product.facts["accounts"][account]
    page.goto("/konto/login/")
    page.locator("input[name=login]").fill(who["email"])
    page.locator("input[name=password]").fill(who["password"])
    page.locator("main form button[type=submit]").click()
    page.wait_for_url("**/verwaltung/")
    return page


def looked_at(page: Page, looks: Path, name: str) -> None:
    """The page is accessible in both appearances and fits on a phone."""
    for scheme, width in (("light", DESK), ("dark", PHONE)):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(400)
        page.evaluate(TO_THE_TOP)  # what a header covers half is too small a target for axe
        violations = axe_violations(page)
        assert not violations, f"{name} {scheme}: {violations}"
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, f"{name} at {width}"
        hidden = cut_off(page) + page.evaluate(CUT_BUTTONS)
        assert not hidden, f"{name} at {width}: {hidden}"
        page.screenshot(path=looks / f"{name}-{scheme}.png", full_page=True)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": DESK, "height": 900})
