"""Which datastreams have readings of which features of interest, as a table.

Readings lie in chunks and tell it only to who decodes them. The pairs are noted in the commit that
brings the first reading of a feature, and go with the last one. Where it would take to look at very
many readings, pairs stay longer than they should; they never come too late.
"""

from collections.abc import Iterable, Mapping

from stadtherz.store.models import ObservedAt


def note(pairs: Iterable[tuple[int, int]]) -> None:
    """These datastreams have readings of these features from now on."""
    ObservedAt.objects.bulk_create(
        [ObservedAt(datastream_id=stream, feature_id=feature) for stream, feature in sorted(pairs)],
        batch_size=500,
        ignore_conflicts=True,
    )


def keep(left: Mapping[int, set[int] | None]) -> None:
    """Readings went: the datastreams have readings of these features only; None is not known."""
    for stream, features in left.items():
        if features is None:
            continue
        held = ObservedAt.objects.filter(datastream=stream)
        known = set(held.values_list("feature", flat=True))
        if gone := known - features:
            held.filter(feature__in=gone).delete()
        note((stream, feature) for feature in features - known)
