"""How people call what the model names: types, properties, links."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from stadtherz.kit.declaration import Text
from stadtherz.kit.public import in_words, series_in_words
from stadtherz.sensorthings.public import EntityType, Link, Property


@dataclass(frozen=True, slots=True)
class Names:
    """A type in the singular and the plural, what it is, and its icon."""

    one: Text
    many: Text
    meaning: Text
    icon: str


_NAMES = {
    "Thing": Names(
        _("Measuring point"),
        _("Measuring points"),
        _("What is measured at: a gauge house, a tree, a lamp post"),
        "place",
    ),
    "Location": Names(
        _("Place"), _("Places"), _("Where a measuring point stands, on the map"), "map"
    ),
    "HistoricalLocation": Names(
        _("Former place"),
        _("Former places"),
        _("Since when a measuring point has been at a place"),
        "map",
    ),
    "Datastream": Names(
        pgettext_lazy("one", "Series"),
        pgettext_lazy("many", "Series"),
        _("Readings of one quantity by one sensor at one measuring point"),
        "chart",
    ),
    "MultiDatastream": Names(
        pgettext_lazy("one", "Combined series"),
        pgettext_lazy("many", "Combined series"),
        _("Readings of several quantities at once"),
        "chart",
    ),
    "Sensor": Names(_("Sensor"), _("Sensors"), _("The instrument that measures"), "sensor"),
    "ObservedProperty": Names(
        _("Quantity"), _("Quantities"), _("What is measured, such as a water level"), "waves"
    ),
    "Observation": Names(_("Reading"), _("Readings"), _("One value at one time"), "data"),
    "FeatureOfInterest": Names(
        _("Object of observation"),
        _("Objects of observation"),
        _("What a reading is about, mostly the place"),
        "place",
    ),
    "Actuator": Names(
        _("Actuator"), _("Actuators"), _("The device that acts: a valve, a lamp, a barrier"), "idea"
    ),
    "TaskingCapability": Names(
        _("Ability"), _("Abilities"), _("What a measuring point can be told to do"), "idea"
    ),
    "Task": Names(_("Task"), _("Tasks"), _("What a measuring point was told to do"), "check"),
    "FeatureType": Names(
        _("Kind of object"),
        _("Kinds of objects"),
        _("What an object of observation is: a river, a room, a tree"),
        "place",
    ),
    "Party": Names(
        _("Party"), _("Parties"), _("Somebody who measures: a person or an institution"), "people"
    ),
    "License": Names(_("Licence"), _("Licences"), _("On what terms data may be used"), "info"),
    "Campaign": Names(
        _("Campaign"), _("Campaigns"), _("Series that were recorded for one purpose"), "people"
    ),
    "ObservationGroup": Names(
        _("Group of readings"), _("Groups of readings"), _("Readings that belong together"), "data"
    ),
    "Relation": Names(
        _("Relation"), _("Relations"), _("What one reading has to do with another"), "data"
    ),
}

_PROPERTIES: dict[str, Text] = {
    "attribution_text": _("To be named"),
    "auth_id": _("Identifier"),
    "classification": _("Classification"),
    "creation_time": _("Created"),
    "data_quality": _("Quality"),
    "definition": _("Definition"),
    "description": _("Description"),
    "display_name": _("Name"),
    "encoding_type": _("Encoding"),
    "end_time": _("End"),
    "external_resource": _("Leads to"),
    "feature": _("Place"),
    "location": _("Place"),
    "metadata": _("Data sheet"),
    "observation_type": _("Kind of results"),
    "observed_area": _("Observed area"),
    "parameters": _("Notes"),
    "privacy_policy": _("Privacy"),
    "purpose": _("Purpose"),
    "role": _("Role"),
    "start_time": _("Begin"),
    "terms_of_use": _("Terms of use"),
    "phenomenon": _("Time of measurement"),
    "properties": _("Further properties"),
    "result": _("Result"),
    "result_encoding": _("How results are written"),
    "result_quality": _("Quality"),
    "result_time": _("Time of the result"),
    "tasking_parameters": _("Parameters"),
    "time": _("Since"),
    "unit_of_measurement": _("Unit"),
    "valid": _("Valid"),
}

# What the product itself and many others write into the properties of an entity.
_MEMBERS: dict[str, Text] = {
    "attribution": _("To be named"),
    "demo": _("Demonstration"),
    "licence": _("Licence"),
    "license": _("Licence"),
    "place": _("Place"),
    "recorded_at": _("Recorded at"),
    "source": _("Source"),
}

_LINKS: dict[str, Text] = {
    "Thing": _("Measuring point"),
    "Things": _("Measuring points"),
    "Locations": _("Places"),
    "HistoricalLocations": _("Former places"),
    "Datastream": pgettext_lazy("one", "Series"),
    "Datastreams": pgettext_lazy("many", "Series"),
    "MultiDatastream": pgettext_lazy("one", "Combined series"),
    "MultiDatastreams": pgettext_lazy("many", "Combined series"),
    "Sensor": _("Sensor"),
    "ObservedProperty": _("Quantity"),
    "ObservedProperties": _("Quantities"),
    "Observations": _("Readings"),
    "FeatureOfInterest": _("Object of observation"),
    "Actuator": _("Actuator"),
    "TaskingCapability": _("Ability"),
    "TaskingCapabilities": _("Abilities"),
    "Tasks": _("Tasks"),
    "Party": _("Party"),
    "License": _("Licence"),
    "Campaigns": _("Campaigns"),
    "ObservationGroups": _("Groups of readings"),
    "Relations": _("Relations"),
    "Subject": _("About"),
    "Object": _("Leads to"),
    "Subjects": _("Relations that lead here"),
    "Objects": _("Relations of this reading"),
    "ProximateFeatureOfInterest": _("Object of observation"),
    "UltimateFeaturesOfInterest": _("What the readings stand for"),
    "DatastreamsProximate": _("Series measured here"),
    "DatastreamsUltimate": _("Series that stand for it"),
    "Features": _("Objects of observation"),
    "FeatureTypes": _("Kinds of objects"),
}


# What only series and sensors have, in one version of the standard or the other.
_NAMED_BY_QUANTITY = {
    "unitOfMeasurement",
    "unitOfMeasurements",
    "resultType",
    "observationType",
    "metadata",
}


def names(entity: EntityType) -> Names:
    """The words for a type; its own name where there are none yet."""
    own = Names(entity.name, entity.plural, "", "data")
    return _NAMES.get(entity.name) or _NAMES.get(entity.kind, own)  # two types may be of one kind


def label(prop: Property) -> Text:
    """What a property is called. Two that share a column are told apart by their own names."""
    if prop.column == "result" and len(prop.columns) > 1:
        return _("Time of the result")  # of a Datastream, which has no result
    return _PROPERTIES.get(prop.column, prop.name)


def member(name: str) -> str:
    """A member of an entity's properties: a usual one in words, others by their own names."""
    return str(_MEMBERS.get(name, name))


def called(document: dict[str, Any]) -> str:
    """An entity's name; a standard quantity's in the reader's language, also within the name of a series or
    a sensor. What people named themselves stays as they wrote it."""
    name = str(document.get("name") or "")
    if document.get("definition"):
        return in_words(name)
    return series_in_words(name) if _NAMED_BY_QUANTITY & document.keys() else name


def described(document: dict[str, Any]) -> str:
    """What is said of it, unless that only repeats its name."""
    told = str(document.get("description") or "")
    return "" if told == document.get("name") else in_words(told)


def link_label(link: Link) -> Text:
    return _LINKS.get(link.name, link.name)
