"""What a client would rather have, from its Accept header (RFC 9110 §12.5.1)."""

from collections.abc import Sequence

_LONGEST = 2_000  # characters; the rest of such a header tells nothing more


def preferred(accept: str, offered: Sequence[str]) -> str:
    """The media type, of those offered, that the header prefers; the first one if it does not care.

    A type that is named beats one that only fits a wildcard of the same weight; among equals the
    earlier offered one wins.

    >>> preferred("text/html,application/xml;q=0.9,*/*;q=0.8", ("application/json", "text/html"))
    'text/html'
    >>> preferred("*/*", ("application/json", "text/html"))
    'application/json'
    """
    ranges = [_weighed(part) for part in accept[:_LONGEST].lower().split(",") if part.strip()]
    ranks = [_rank(media, ranges) for media in offered]
    return offered[ranks.index(max(ranks))]


def _weighed(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip() for piece in part.split(";"))
    weight = next((p[2:] for p in parameters if p.startswith("q=")), "1")
    try:
        return name, max(0.0, min(float(weight), 1.0))
    except ValueError:
        return name, 0.0


def _rank(media: str, ranges: Sequence[tuple[str, float]]) -> tuple[float, int]:
    """Weight, then how closely the type is named."""
    whole = media.partition("/")[0] + "/*"
    closeness = {"*/*": 1, whole: 2, media: 3}
    fitting = [(closeness[name], weight) for name, weight in ranges if name in closeness]
    if not fitting:
        return 0.0, 0
    named, weight = max(fitting)
    return weight, named if weight else 0
