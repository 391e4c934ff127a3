"""The suite finds what it is there to find."""

import pytest

from stadtherz.kit.inspection import html_problems

GOOD = (
    '<!doctype html><html lang="de"><body><h1>Pegel</h1><h2>Lauter</h2>'
    '<script src="/static/main.js"></script><script type="application/json">{}</script>'
)


def test_a_good_page_has_no_problems() -> None:
    assert list(html_problems(GOOD)) == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("<h1>Pegel</h1>", "<h1></h1>", "no heading"),
        ("<h1>Pegel</h1>", "<script>write('<h1>Pegel</h1>')</script>", "no heading"),
        (' lang="de"', "", "no language"),
        ("<body>", '<body onload="go()">', "an inline event handler"),
        ("<body>", '<body style="color:red">', "an inline style"),
        ("<body>", "<body><script>go()</script>", "an inline script"),
        ("<h2>", "<h4>", "a skipped heading level: [1, 4]"),
        ("<body>", '<body><img src="https://elsewhere.example/a.png">', "something fetched"),
    ],
)
def test_a_bad_page_is_found(old: str, new: str, problem: str) -> None:
    assert any(found.startswith(problem) for found in html_problems(GOOD.replace(old, new)))
