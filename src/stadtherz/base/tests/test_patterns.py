"""Patterns match what `re` matches, and are never slow."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.base.patterns import MAX_TEXT, Pattern

_ATOMS = st.sampled_from(
    ["a", "b", "c", ".", "[ab]", "[^a]", "[a-c]", "[-a]", "[a-]", r"\d", r"\w", r"\s", r"\.", "-"]
)
_QUANTIFIERS = st.sampled_from(["", "", "?", "*", "+", "{2}", "{0,2}", "{1,}", "*?", "{3}?"])


def _whole(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    rows = st.lists(st.builds(str.__add__, inner, _QUANTIFIERS), max_size=3).map("".join)
    alternatives = st.lists(rows, min_size=1, max_size=3).map("|".join)
    return alternatives.map(lambda text: f"({text})")


patterns = st.recursive(_ATOMS, _whole, max_leaves=6)


@given(patterns, st.text("abc.- 1\n", max_size=6))
def test_patterns_match_what_re_matches(pattern: str, text: str) -> None:
    expected = re.fullmatch(pattern, text, re.ASCII) is not None
    assert Pattern(pattern).matches(text) == expected


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("^#([A-F0-9]{6}|[A-F0-9]{3})$", "#FF11A0", True),
        ("^#([A-F0-9]{6}|[A-F0-9]{3})$", "#FF11A", False),
        ("", "", True),
        ("", "a", False),
        ("on|off", "off", True),
        ("a|^b$", "b", True),
        (r"[\d\-\]]+", "1-]", True),
        (r"\\\t", "\\\t", True),
        ("ä{2}", "ää", True),
    ],
)
def test_the_whole_text_counts(pattern: str, text: str, *, matches: bool) -> None:
    assert Pattern(pattern).matches(text) is matches


@pytest.mark.parametrize(
    "pattern",
    ["(a", "a)", "[a", "a{", "a{1", "a{2,1}", "a{x}", "*", "a**", "?a", r"\z", "a\\", "(?=a)", r"\1",
     "[z-a]", "[[a]]", "a$b", "(?P<n>a)", "a{99999}", "((a{99}){99}){99}", "a" * 501],
)  # fmt: skip
def test_what_is_no_pattern_is_said_at_once(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Pattern(pattern)


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|a)*b", "(a*)*b", ".*.*.*.*.*.*b", "(a|aa)+b"])
def test_no_pattern_keeps_the_server_busy(pattern: str) -> None:
    began = time.process_time()
    assert not Pattern(pattern).matches("a" * MAX_TEXT)
    assert time.process_time() - began < 5
    assert not Pattern("a*").matches("a" * (MAX_TEXT + 1))
