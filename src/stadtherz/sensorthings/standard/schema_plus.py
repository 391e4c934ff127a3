"""What STAplus (OGC 22-022r1) adds: to whom things belong, under which licence, and what belongs together.

An Observation has no row in a table, so groups and relations hold its id (docs/decisions/0014).
"""

from stadtherz.sensorthings.standard.model import (
    EntityType,
    Link,
    Own,
    Property,
    Reverse,
    Shape,
    Through,
)

_NAME = Property("name", "name", required=True)
_DESCRIPTION = Property("description", "description", required=True)
_SHORT = Property("description", "description", silent=True)
_PROPERTIES = Property("properties", "properties", Shape.JSON, silent=True)
_CREATED = Property("creationTime", "creation_time", Shape.TIME, stamped=True)
_ENDED = Property("endTime", "end_time", Shape.TIME, silent=True)
_PRIVACY = Property("privacyPolicy", "privacy_policy", silent=True)

_PARTY = Link("Party", "Party", Own("party_id"))
_LICENSE = Link("License", "License", Own("license_id"))
_DATASTREAMS = "store_campaign_datastreams"
_GROUPS = "store_campaign_groups"
_RELATIONS = "store_observationgroup_relations"
_GROUPED = "store_grouped"
_CAMPAIGNS = Link("Campaigns", "Campaign", Through(_DATASTREAMS, "datastream_id", "campaign_id"))

THING_LINKS = (_PARTY,)
DATASTREAM_LINKS = (_PARTY, _LICENSE, _CAMPAIGNS)
"""Of MultiDatastreams, too."""

OBSERVATION_LINKS = (
    Link(
        "ObservationGroups",
        "ObservationGroup",
        Through(_GROUPED, "observation", "group_id"),
        quiet=True,
    ),
    Link("Objects", "Relation", Reverse("subject"), quiet=True),
    Link("Subjects", "Relation", Reverse("object"), quiet=True),
)
"""Objects are the Relations of which it is the subject, Subjects those of which it is the object."""


def _streams(column: str) -> tuple[Link, Link]:
    return (
        Link("Datastreams", "Datastream", Reverse(column)),
        Link("MultiDatastreams", "MultiDatastream", Reverse(column)),
    )


PARTY = EntityType(
    "Party",
    "Parties",
    "store_party",
    (
        Property("role", "role", required=True, choices=("individual", "institutional")),
        _SHORT,
        Property("displayName", "display_name", silent=True),
        Property("authId", "auth_id", silent=True),
    ),
    (
        Link("Things", "Thing", Reverse("party_id")),
        *_streams("party_id"),
        Link("ObservationGroups", "ObservationGroup", Reverse("party_id")),
        Link("Campaigns", "Campaign", Reverse("party_id")),
    ),
)
LICENSE = EntityType(
    "License",
    "Licenses",
    "store_license",
    (
        _NAME,
        Property("description", "description", silent=True, nothing=""),
        Property("definition", "definition", required=True),
        Property("logo", "logo", silent=True),
        Property("attributionText", "attribution_text", silent=True),
        _PROPERTIES,
    ),
    (
        *_streams("license_id"),
        Link("ObservationGroups", "ObservationGroup", Reverse("license_id")),
        Link("Campaigns", "Campaign", Reverse("license_id")),
    ),
)
CAMPAIGN = EntityType(
    "Campaign",
    "Campaigns",
    "store_campaign",
    (
        _NAME,
        _DESCRIPTION,
        Property("classification", "classification", silent=True),
        Property("termsOfUse", "terms_of_use", required=True),
        _PRIVACY,
        _CREATED,
        Property("startTime", "start_time", Shape.TIME, silent=True),
        _ENDED,
        Property("url", "url", silent=True),
        _PROPERTIES,
    ),
    (
        Link(
            "Datastreams",
            "Datastream",
            Through(_DATASTREAMS, "campaign_id", "datastream_id", held="datastreams"),
        ),
        Link(
            "MultiDatastreams",
            "MultiDatastream",
            Through(_DATASTREAMS, "campaign_id", "datastream_id", held="datastreams"),
        ),
        _PARTY,
        Link(
            "ObservationGroups",
            "ObservationGroup",
            Through(_GROUPS, "campaign_id", "observationgroup_id", held="groups"),
        ),
        _LICENSE,
    ),
)
OBSERVATION_GROUP = EntityType(
    "ObservationGroup",
    "ObservationGroups",
    "store_observationgroup",
    (
        _NAME,
        _DESCRIPTION,
        Property("purpose", "purpose", silent=True),
        _CREATED,
        _ENDED,
        Property("termsOfUse", "terms_of_use", silent=True),
        _PRIVACY,
        Property("dataQuality", "data_quality", Shape.JSON, silent=True),
        _PROPERTIES,
    ),
    (
        _LICENSE,
        Link(
            "Observations",
            "Observation",
            Through(_GROUPED, "group_id", "observation", held="observations"),
        ),
        Link(
            "Relations",
            "Relation",
            Through(_RELATIONS, "observationgroup_id", "relation_id", held="relations"),
        ),
        _PARTY,
        Link("Campaigns", "Campaign", Through(_GROUPS, "observationgroup_id", "campaign_id")),
    ),
)
RELATION = EntityType(
    "Relation",
    "Relations",
    "store_relation",
    (
        Property("role", "role", required=True),
        _SHORT,
        Property("externalResource", "external_resource", silent=True),
        _PROPERTIES,
    ),
    (
        Link("Subject", "Observation", Own("subject"), required=True),
        Link("Object", "Observation", Own("object")),
        Link(
            "ObservationGroups",
            "ObservationGroup",
            Through(_RELATIONS, "relation_id", "observationgroup_id"),
        ),
    ),
)

ENTITY_TYPES = (PARTY, LICENSE, CAMPAIGN, OBSERVATION_GROUP, RELATION)
