"""What SensorThings adds for Things that act (OGC 17-079r1, Tasking Core): types beside those of 18-088.

The actuator is to a TaskingCapability what the Sensor is to a Datastream; a Task says what a Thing is to do.
"""

from stadtherz.sensorthings.standard.model import (
    Access,
    EntityType,
    Link,
    Own,
    Property,
    Reverse,
    Shape,
)

_NAME = Property("name", "name", required=True)
_DESCRIPTION = Property("description", "description", required=True)
_PROPERTIES = Property("properties", "properties", Shape.JSON, silent=True)

CAPABILITIES = Link("TaskingCapabilities", "TaskingCapability", Reverse("thing_id"))
"""Of a Thing."""

ACTUATOR = EntityType(
    "Actuator",
    "Actuators",
    "store_actuator",
    (
        _NAME,
        _DESCRIPTION,
        Property("encodingType", "encoding_type", required=True),
        Property("metadata", "metadata", Shape.JSON, required=True),
        _PROPERTIES,
    ),
    (Link("TaskingCapabilities", "TaskingCapability", Reverse("actuator_id")),),
)
TASKING_CAPABILITY = EntityType(
    "TaskingCapability",
    "TaskingCapabilities",
    "store_taskingcapability",
    (
        _NAME,
        _DESCRIPTION,
        Property("taskingParameters", "tasking_parameters", Shape.PARAMETERS, required=True),
        _PROPERTIES,
    ),
    (
        Link("Thing", "Thing", Own("thing_id"), required=True),
        Link("Actuator", "Actuator", Own("actuator_id"), required=True),
        Link("Tasks", "Task", Reverse("tasking_capability_id")),
    ),
    Access.OWN_AND_THING,
)
TASK = EntityType(
    "Task",
    "Tasks",
    "store_task",
    (
        Property("creationTime", "creation_time", Shape.TIME, derived=True, stamped=True),
        Property("taskingParameters", "tasking_parameters", Shape.JSON, required=True),
        _PROPERTIES,  # more than the standard has: what became of it
    ),
    (Link("TaskingCapability", "TaskingCapability", Own("tasking_capability_id"), required=True),),
    Access.CAPABILITY,
)

ENTITY_TYPES = (ACTUATOR, TASKING_CAPABILITY, TASK)
