"""Which of several representations a client prefers."""

import pytest

from stadtherz.base.negotiation import preferred

OFFERED = ("application/json", "text/event-stream", "text/html")
FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("application/json, text/plain, */*", "application/json"),
        ("text/html, application/json", "application/json"),
        ("text/html;q=0.4, */*", "application/json"),
        ("application/*, text/html;q=0.9", "application/json"),
        ("image/png", "application/json"),
        ("text/html;q=0", "application/json"),
        ("text/html;q=nan, application/json;q=0.1", "application/json"),
        ("text/html;q=x", "application/json"),
        (FIREFOX, "text/html"),
        ("TEXT/HTML , */*", "text/html"),
        ("text/*", "text/event-stream"),
        ("text/event-stream", "text/event-stream"),
        ("text/event-stream, */*", "text/event-stream"),
        (",;,;q=1", "application/json"),
    ],
)
def test_the_weight_decides_and_then_how_closely_a_type_is_named(
    accept: str, expected: str
) -> None:
    assert preferred(accept, OFFERED) == expected
