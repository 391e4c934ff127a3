from urllib.parse import urlsplit

from hypothesis import given
from hypothesis import strategies as st

from stadtherz.sensorthings.answers.links import Urls
from stadtherz.sensorthings.query.cursors import token
from stadtherz.sensorthings.query.options import parse_query
from stadtherz.sensorthings.standard.schema import THING


def test_addresses_are_absolute() -> None:
    urls = Urls("https://city.example/sta/v1.1")
    assert urls.entity(THING, 5) == "https://city.example/sta/v1.1/Things(5)"
    assert urls.entity_set(THING) == "https://city.example/sta/v1.1/Things"


@given(st.text(max_size=20), st.integers(0, 1000), st.integers(1, 1000), st.booleans())
def test_a_next_link_asks_the_same_question_further_on(
    text: str, skip: int, top: int, counting: bool
) -> None:
    quoted = text.encode("utf-8", "ignore").decode().replace("'", "''")
    options = (
        ("$filter", f"name eq '{quoted}'"),
        ("$top", str(top)),
        ("$skip", "3"),
        ("$count", "true"),
        ("$skiptoken", str(token((1,)))),
    )
    following = None if counting else token((text, 2))
    link = Urls("").page_after("https://city.example/Things", options, skip=skip, token=following)
    query = parse_query(urlsplit(link).query)
    assert (query.top, query.count) == (top, True)
    assert (query.skip, query.after) == (skip, None if counting else (text, 2))
    assert dict(query.texts)["$filter"] == f"name eq '{quoted}'"
