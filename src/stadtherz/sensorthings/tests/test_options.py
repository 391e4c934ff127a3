import pytest

from stadtherz.base.errors import Invalid, NotFound, QuerySyntaxError, TooLarge
from stadtherz.sensorthings.language.formats import Unsupported
from stadtherz.sensorthings.language.paths import MAX_SEGMENTS, parse_path
from stadtherz.sensorthings.language.syntax import Segment
from stadtherz.sensorthings.query.options import MAX_EXPAND_DEPTH, parse_query


def test_a_slash_path_is_a_nested_expand() -> None:
    (outer,) = parse_query("$expand=Datastreams/Observations($top=1)").expand
    (inner,) = outer.query.expand
    assert (outer.link, inner.link, inner.query.top) == ("Datastreams", "Observations", 1)


def test_paths_with_the_same_beginning_open_it_once() -> None:
    query = parse_query("$expand=Thing/Locations,Thing($select=name),Thing/Datastreams/Sensor")
    (thing,) = query.expand
    assert thing.query.select == ("name",)
    assert [expand.link for expand in thing.query.expand] == ["Locations", "Datastreams"]


def test_quotes_protect_what_would_separate() -> None:
    (expand,) = parse_query("$expand=Things($filter=name eq 'a;b),(c';$top=2)").expand
    assert expand.query.top == 2
    assert ("$filter", "name eq 'a;b),(c'") in expand.query.texts


def test_percent_encoding_and_plus_signs_are_undone() -> None:
    query = parse_query("%24filter=name+eq+%27a%26b%27&%24top=5")
    assert query.texts == (("$filter", "name eq 'a&b'"), ("$top", "5"))


def test_parameters_that_are_no_options_are_ignored() -> None:
    assert parse_query("_=123&utm_source=x").texts == ()


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("$top=1&$top=1", Invalid),
        ("$expand=A($filter=a eq 'x'),A($top=1)", QuerySyntaxError),
        ("$expand=A)", QuerySyntaxError),
        ("$expand=A($top=1)B", QuerySyntaxError),
        ("$expand=A($top)", QuerySyntaxError),
        ("$filter=%FF", Invalid),
        ("$expand=" + "/".join("A" * (MAX_EXPAND_DEPTH + 1)), TooLarge),
        ("$expand=" + "A($expand=" * 6 + "A" + ")" * 6, TooLarge),
        ("$expand=" + ",".join(f"A{i}" for i in range(30)), TooLarge),
        ("$search=x", Unsupported),
    ],
)
def test_what_cannot_be_read_is_refused(query: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        parse_query(query)


def test_a_path_is_cut_into_segments() -> None:
    resource = parse_path("/Things(1)/Datastreams(2)/name/$value")
    assert resource.segments == (Segment("Things", 1), Segment("Datastreams", 2), Segment("name"))
    assert resource.suffix == "$value"
    assert parse_path("/Things%281%29") == parse_path("Things(1)/")


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/Things(x)", NotFound),
        ("/Things('a')", NotFound),
        ("/Things(99999999999999999999)", NotFound),
        ("/Things()", Invalid),
        ("/$ref", Invalid),
        ("/a" * (MAX_SEGMENTS + 1), TooLarge),
    ],
)
def test_paths_with_wrong_keys_are_refused(path: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        parse_path(path)
