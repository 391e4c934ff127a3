"""Who reads what, as SQL: by access levels, by data sets that are shared, and within a data set.

Members of a data set are Things and datastreams that somebody has chosen; a Thing brings its
datastreams and what it can be told to do, a datastream its Thing. On these hang their places, history,
sensors, observed properties, the features of their readings and of what these stand for, with their
types, actuators and Tasks, and the Parties and Licenses (22-022r1) of Things and datastreams. Nothing
else belongs to a data set: no Campaigns, groups of Observations or Relations, which lead out of it.

A share opens of all this what belongs to the owner of the data set. It leads only over what belongs
to him, too: nobody gives away what he does not own. What Things can be told to do it never opens, nor
who measures.
"""

import re
from collections.abc import Callable, Collection

from stadtherz.base.visibility import Share, Visibility
from stadtherz.sql.public import Sql, compose, join, named
from stadtherz.store.database import members, rows_of
from stadtherz.store.values import Entity

Counts = Callable[[Entity, str], Sql]
"""The condition on a row of this kind, by its alias, for it to count as a member at all."""

_ANY = Sql("1 = 1")
_CHOSEN = {
    "Datastream": """
        SELECT d.id FROM store_datastream d WHERE (
        d.id IN (SELECT datastream_id FROM store_dataset_datastreams WHERE dataset_id = {key})
        OR d.thing_id IN (SELECT thing_id FROM store_dataset_things WHERE dataset_id = {key})
        ) AND {counts}""",
    "Thing": """
        SELECT t.id FROM store_thing t WHERE (
        t.id IN (SELECT thing_id FROM store_dataset_things WHERE dataset_id = {key})
        OR t.id IN (SELECT d.thing_id FROM store_dataset_datastreams m
            JOIN store_datastream d ON d.id = m.datastream_id
            WHERE m.dataset_id = {key} AND d.id IN ({streams}))
        ) AND {counts}""",
    "TaskingCapability": """
        SELECT c.id FROM store_taskingcapability c WHERE
        c.thing_id IN (SELECT thing_id FROM store_dataset_things WHERE dataset_id = {key})
        AND {counts}""",
}
"""Members of one data set. The text stands on one line in statements."""

_OPENED = {
    "Datastream": """
        SELECT d.id FROM store_dataset s JOIN store_dataset_datastreams m ON m.dataset_id = s.id
        JOIN store_datastream d ON d.id = m.datastream_id AND d.owner_id = s.owner_id
        WHERE s.id IN ({keys})
        UNION ALL
        SELECT d.id FROM store_dataset s JOIN store_dataset_things m ON m.dataset_id = s.id
        JOIN store_datastream d ON d.thing_id = m.thing_id AND d.owner_id = s.owner_id
        WHERE s.id IN ({keys})""",
    "Thing": """
        SELECT t.id FROM store_dataset s JOIN store_dataset_things m ON m.dataset_id = s.id
        JOIN store_thing t ON t.id = m.thing_id AND t.owner_id = s.owner_id WHERE s.id IN ({keys})
        UNION ALL
        SELECT t.id FROM store_dataset s JOIN store_dataset_datastreams m ON m.dataset_id = s.id
        JOIN store_datastream d ON d.id = m.datastream_id AND d.owner_id = s.owner_id
        JOIN store_thing t ON t.id = d.thing_id AND t.owner_id = s.owner_id
        WHERE s.id IN ({keys})""",
}
"""Members of several data sets that belong to the owner of these."""

_HANGING = {
    "Location": """
        SELECT x.id FROM store_thing t JOIN store_thing_locations p ON p.thing_id = t.id
        JOIN store_location x ON x.id = p.location_id{same_as_thing} WHERE t.id IN ({things})
        UNION ALL
        SELECT x.id FROM store_thing t JOIN store_historicallocation h ON h.thing_id = t.id
        JOIN store_historicallocation_locations p ON p.historicallocation_id = h.id
        JOIN store_location x ON x.id = p.location_id{same_as_thing} WHERE t.id IN ({things})""",
    "Sensor": """
        SELECT x.id FROM store_datastream d
        JOIN store_sensor x ON x.id = d.sensor_id{same_as_stream} WHERE d.id IN ({streams})""",
    "ObservedProperty": """
        SELECT x.id FROM store_datastream d JOIN store_observed o ON o.datastream_id = d.id
        JOIN store_observedproperty x ON x.id = o.observed_property_id{same_as_stream}
        WHERE d.id IN ({streams})""",
    "FeatureOfInterest": """
        SELECT x.id FROM store_datastream d JOIN store_observedat o ON o.datastream_id = d.id
        JOIN store_featureofinterest x ON x.id = o.feature_id{same_as_stream}
        WHERE d.id IN ({streams})
        UNION ALL
        SELECT x.id FROM store_datastream d
        JOIN store_featureofinterest x ON x.id = d.proximate_feature_id{same_as_stream}
        WHERE d.id IN ({streams})
        UNION ALL
        SELECT x.id FROM store_datastream d
        JOIN store_datastream_ultimate_features u ON u.datastream_id = d.id
        JOIN store_featureofinterest x ON x.id = u.featureofinterest_id{same_as_stream}
        WHERE d.id IN ({streams})""",
    "FeatureType": """
        SELECT x.id FROM store_featureofinterest f
        JOIN store_featureofinterest_feature_types k ON k.featureofinterest_id = f.id
        JOIN store_featuretype x ON x.id = k.featuretype_id{same_as_feature}
        WHERE f.id IN ({features}) AND {counts}""",
    "Party": """
        SELECT x.id FROM store_thing t
        JOIN store_party x ON x.id = t.party_id{same_as_thing} WHERE t.id IN ({things})
        UNION ALL
        SELECT x.id FROM store_datastream d
        JOIN store_party x ON x.id = d.party_id{same_as_stream} WHERE d.id IN ({streams})""",
    "License": """
        SELECT x.id FROM store_datastream d
        JOIN store_license x ON x.id = d.license_id{same_as_stream} WHERE d.id IN ({streams})""",
    "Actuator": """
        SELECT c.actuator_id FROM store_taskingcapability c WHERE c.id IN ({capabilities})""",
}
"""What hangs on members."""

_SAME = {
    "thing": Sql(" AND x.owner_id = t.owner_id"),
    "stream": Sql(" AND x.owner_id = d.owner_id"),
}
_SHARED = frozenset({*_OPENED, *_HANGING} - {"Actuator", "Party", "License"})
"""What shares open: they are about readings. Of any other kind they open nothing."""


# --- within a data set -----------------------------------------------------------------------------


def held_in(kind: Entity, alias: str, dataset: int, counts: Counts) -> Sql:
    """The condition on the row `alias` to belong to a data set, of whose members those count."""
    column, whose = _OF.get(kind, ("id", kind))
    if whose not in _CHOSEN and whose not in _HANGING:
        return Sql("1 = 0")
    return compose(f"{alias}.{column} IN ({{}})", _held(whose, dataset, counts))


def _held(kind: Entity, dataset: int, counts: Counts) -> Sql:
    key = Sql("%s", (dataset,))
    if kind == "Datastream":
        return _table("held", kind, _CHOSEN[kind], key=key, counts=counts(kind, "d"))
    if kind == "TaskingCapability":
        return _table("held", kind, _CHOSEN[kind], key=key, counts=counts(kind, "c"))
    if kind == "FeatureType":
        features = _held("FeatureOfInterest", dataset, counts)
        seen = counts("FeatureOfInterest", "f")
        parts = {"features": features, "counts": seen, "same_as_feature": Sql("")}
        return _table("held", kind, _HANGING[kind], **parts)
    if kind == "Actuator":
        capabilities = _held("TaskingCapability", dataset, counts)
        return _table("held", kind, _HANGING[kind], capabilities=capabilities)
    streams = _held("Datastream", dataset, counts)
    if kind == "Thing":
        own = counts(kind, "t")
        return _table("held", kind, _CHOSEN[kind], key=key, streams=streams, counts=own)
    return _hanging("held", kind, streams, _held("Thing", dataset, counts), _WHOEVER)


_OF: dict[Entity, tuple[str, Entity]] = {
    "HistoricalLocation": ("thing_id", "Thing"),
    "Task": ("tasking_capability_id", "TaskingCapability"),
}
"""What belongs wherever that does which it is of."""

_WHOEVER = {"thing": Sql(""), "stream": Sql("")}


def _hanging(name: str, kind: Entity, streams: Sql, things: Sql, same: dict[str, Sql]) -> Sql:
    owners = {"same_as_thing": same["thing"], "same_as_stream": same["stream"]}
    return _table(name, kind, _HANGING[kind], streams=streams, things=things, **owners)


def _table(name: str, kind: Entity, text: str, **parts: Sql) -> Sql:
    """The text, filled by the parts as often as it names each, as a table before the statement."""
    names = re.findall(r"{(\w+)}", text)
    template = " ".join(re.sub(r"{\w+}", "{}", text).split())
    return named(f"{name}_{kind.lower()}", compose(template, *(parts[each] for each in names)))


# --- who reads it ----------------------------------------------------------------------------------


def readable(kind: Entity, alias: str, visibility: Visibility) -> Sql:
    """`Visibility.may_read` of the row `alias`, or a share that opens it."""
    parts = [Sql(f"{alias}.access = 'public'")]
    for level, column, whose in (
        ("organisation", "owner_id", visibility.organisations),
        ("group", "group_id", visibility.groups),
    ):
        if whose:
            marks = ", ".join(["%s"] * len(whose))
            text = f"({alias}.access = '{level}' AND {alias}.{column} IN ({marks}))"
            parts.append(Sql(text, tuple(sorted(whose))))
    if visibility.shares and kind in _SHARED:
        parts.append(compose(f"{alias}.id IN ({{}})", _opened(kind, visibility.shares)))
    return compose("({})", join(" OR ", parts))


def streams_visible_to(
    visibility: Visibility, among: Collection[int] | None = None
) -> frozenset[int]:
    """Datastreams, of all or of these, that the caller may read; a hidden Thing hides its datastreams."""
    conditions = [_ANY if among is None else members("d.id", among)]
    if not visibility.everything:
        conditions += [readable("Datastream", "d", visibility), readable("Thing", "t", visibility)]
    if visibility.dataset is not None:
        conditions.append(held_in("Datastream", "d", visibility.dataset, _all_count))
    text = "SELECT d.id FROM store_datastream d JOIN store_thing t ON t.id = d.thing_id WHERE {}"
    return frozenset(row[0] for row in rows_of(compose(text, join(" AND ", conditions))))


def _all_count(kind: Entity, alias: str) -> Sql:
    return _ANY


# --- what shares open ------------------------------------------------------------------------------


def opens(kind: Entity, key: int, visibility: Visibility) -> bool:
    """Whether a share opens this entity to the caller."""
    return _any_opens(kind, key, visibility.shares)


def may_add_readings(stream: int, owner: int, visibility: Visibility) -> bool:
    """Whether the caller may add and change readings: to whom it belongs, or with whom it is shared."""
    if visibility.may_write(owner):
        return True
    return _any_opens("Datastream", stream, visibility.contributions)


def _any_opens(kind: Entity, key: int, shares: Collection[Share]) -> bool:
    if not shares or kind not in _SHARED:
        return False
    asked = compose("SELECT 1 WHERE {} IN ({})", Sql("%s", (key,)), _opened(kind, shares))
    return bool(rows_of(asked))


def _opened(kind: Entity, shares: Collection[Share]) -> Sql:
    datasets = sorted(share.dataset for share in shares)
    keys = Sql(", ".join(["%s"] * len(datasets)), tuple(datasets))
    if kind in _OPENED:
        return _table("opened", kind, _OPENED[kind], keys=keys)
    if kind == "FeatureType":
        features = _opened("FeatureOfInterest", shares)
        same = Sql(" AND x.owner_id = f.owner_id")
        parts = {"features": features, "counts": _ANY, "same_as_feature": same}
        return _table("opened", kind, _HANGING[kind], **parts)
    streams, things = _opened("Datastream", shares), _opened("Thing", shares)
    return _hanging("opened", kind, streams, things, _SAME)
