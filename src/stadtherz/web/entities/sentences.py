"""The plain sentence below an entity's name: what it is and how things stand."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from stadtherz.sensorthings.public import EntityType
from stadtherz.web import formats
from stadtherz.web.entities import values, words
from stadtherz.web.entities.readings import ReadingRow


def of(
    entity: EntityType, document: dict[str, Any], counts: dict[str, int], newest: ReadingRow | None
) -> str:
    """`counts` tells how many there are behind links to many; `newest` is the newest reading."""
    match entity.kind:
        case "Datastream":
            return f"{_measured(document)} {_newest(newest)}"
        case "Observation":
            return _read(document)
        case "Thing":
            return _series_here(counts)
        case "Location" | "FeatureOfInterest":
            return _where(entity, document)
        case "HistoricalLocation":
            return _moved(document)
        case "Sensor" | "ObservedProperty":
            return _in_use(entity, counts)
    return str(words.names(entity).meaning)


def _measured(document: dict[str, Any]) -> str:
    """What a series holds: of which quantity, at which measuring point."""
    several: list[dict[str, Any]] = document.get("ObservedProperties") or []
    observed = [document["ObservedProperty"]] if document.get("ObservedProperty") else several
    quantity = ", ".join(words.called(each) for each in observed)
    thing = (document.get("Thing") or {}).get("name")
    if quantity and thing:
        return _("Readings of %(quantity)s at the measuring point %(thing)s.") % {
            "quantity": quantity,
            "thing": thing,
        }
    return _("A series of readings.")


def _newest(newest: ReadingRow | None) -> str:
    if newest is None or newest.at is None:
        return _("There is no reading yet.")
    return _("The newest is %(result)s, measured %(age)s.") % {
        "result": newest.result,
        "age": formats.age(newest.at),
    }


def _read(document: dict[str, Any]) -> str:
    series = values.series_of(document)
    told = values.result(document.get("result"), values.unit_of(series))
    return _("%(result)s, measured %(when)s, in the series %(series)s.") % {
        "result": told,
        "when": values.period(document.get("phenomenonTime")),
        "series": words.called(series) or formats.NO_VALUE,
    }


def _series_here(counts: dict[str, int]) -> str:
    number = counts.get("Datastreams", 0) + counts.get("MultiDatastreams", 0)
    if not number:
        return _("Nothing is measured at this point yet.")
    text = ngettext(
        "One series of readings is recorded at this point.",
        "%(number)s series of readings are recorded at this point.",
        number,
    )
    return text % {"number": formats.number(number)}


def _where(entity: EntityType, document: dict[str, Any]) -> str:
    name = "location" if entity.kind == "Location" else "feature"
    if values.position(document.get(name)) is None:
        return str(words.names(entity).meaning)
    return _("It lies at %(place)s.") % {"place": values.place(document[name])}


def _moved(document: dict[str, Any]) -> str:
    thing = (document.get("Thing") or {}).get("name") or formats.NO_VALUE
    places = ", ".join(str(place.get("name")) for place in document.get("Locations") or [])
    return _("%(thing)s has been at %(places)s since %(when)s.") % {
        "thing": thing,
        "places": places or formats.NO_VALUE,
        "when": values.period(document.get("time")),
    }


def _in_use(entity: EntityType, counts: dict[str, int]) -> str:
    number = counts.get("Datastreams", 0) + counts.get("MultiDatastreams", 0)
    if not number:
        return str(words.names(entity).meaning)
    text = ngettext(
        "It is used in one series of readings.",
        "It is used in %(number)s series of readings.",
        number,
    )
    return text % {"number": formats.number(number)}
