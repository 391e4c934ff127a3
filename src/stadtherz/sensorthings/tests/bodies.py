"""Bodies of valid entities, each with one line to change what a test is about."""

from typing import Any

UNIT = {"name": "centimetre", "symbol": "cm", "definition": "ucum:cm"}
DEGREE = {"name": "degree", "symbol": "°C", "definition": "ucum:Cel"}
NO_UNIT = {"name": None, "symbol": None, "definition": None}
_OM = "http://www.opengis.net/def/observationType/OGC-OM/2.0/"
MEASUREMENT = f"{_OM}OM_Measurement"
TRUTH = f"{_OM}OM_TruthObservation"
COMPLEX = f"{_OM}OM_ComplexObservation"


def thing(name: str = "Gauge", **more: Any) -> dict[str, Any]:
    return {"name": name, "description": "at the bridge", **more}


def location(
    name: str = "Bridge", longitude: float = 7.77, latitude: float = 49.44, **more: Any
) -> dict[str, Any]:
    return {
        "name": name,
        "description": "where it stands",
        "encodingType": "application/geo+json",
        "location": {"type": "Point", "coordinates": [longitude, latitude]},
        **more,
    }


def sensor(name: str = "Radar", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "description": "looks down",
        "encodingType": "application/pdf",
        "metadata": "https://example.org/radar.pdf",
        **more,
    }


def observed_property(name: str = "Water level", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "definition": f"https://example.org/{name.lower().replace(' ', '-')}",
        "description": "above zero",
        **more,
    }


def datastream(name: str = "Level", **more: Any) -> dict[str, Any]:
    """With Sensor and ObservedProperty, so that it fits below a Thing."""
    return {
        "name": name,
        "description": "every ten minutes",
        "observationType": MEASUREMENT,
        "unitOfMeasurement": UNIT,
        "Sensor": sensor(),
        "ObservedProperty": observed_property(),
        **more,
    }


def multi_datastream(name: str = "Weather", **more: Any) -> dict[str, Any]:
    """With Sensor and two ObservedProperties: temperature in degrees, and whether it rains."""
    return {
        "name": name,
        "description": "every ten minutes",
        "observationType": COMPLEX,
        "multiObservationDataTypes": [MEASUREMENT, TRUTH],
        "unitOfMeasurements": [DEGREE, NO_UNIT],
        "Sensor": sensor(),
        "ObservedProperties": [observed_property("Temperature"), observed_property("Rain")],
        **more,
    }


DIMMER = {
    "type": "DataRecord",
    "field": [
        {
            "name": "status",
            "label": "On or off",
            "type": "Category",
            "constraint": {"type": "AllowedTokens", "value": ["on", "off"]},
        },
        {
            "name": "level",
            "label": "How bright",
            "type": "Quantity",
            "uom": {"code": "%"},
            "constraint": {"type": "AllowedValues", "interval": [[0, 100]]},
            "optional": True,
        },
        {
            "name": "colour",
            "label": "Colour",
            "type": "Text",
            "constraint": {"type": "AllowedTokens", "pattern": "^#([A-Fa-f0-9]{6})$"},
            "optional": True,
        },
    ],
}


def actuator(name: str = "Dimmer", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "description": "in the lamp post",
        "encodingType": "application/pdf",
        "metadata": "https://example.org/dimmer.pdf",
        **more,
    }


def capability(name: str = "Light", **more: Any) -> dict[str, Any]:
    """A TaskingCapability with its Actuator, so that it fits below a Thing."""
    return {
        "name": name,
        "description": "turns the lamp on and off",
        "taskingParameters": DIMMER,
        "Actuator": actuator(),
        **more,
    }


def task(status: str = "on", **more: Any) -> dict[str, Any]:
    return {"taskingParameters": {"status": status, **more}}


def party(name: str = "Ada", **more: Any) -> dict[str, Any]:
    return {"role": "individual", "displayName": name, "authId": f"oidc:{name}", **more}


def license_of(name: str = "CC BY 4.0", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "definition": "https://creativecommons.org/licenses/by/4.0/",
        "attributionText": "City of Eppishausen",
        **more,
    }


def campaign(name: str = "Summer of water", **more: Any) -> dict[str, Any]:
    return {"name": name, "description": "who finds wells", "termsOfUse": "free for all", **more}


def observation_group(name: str = "Flood", **more: Any) -> dict[str, Any]:
    return {"name": name, "description": "what belongs to the flood", **more}


def relation(role: str = "https://example.org/replaces", **more: Any) -> dict[str, Any]:
    return {"role": role, **more}


def observation(result: Any = 1, time: str = "2026-01-01T00:00:00Z", **more: Any) -> dict[str, Any]:
    return {"phenomenonTime": time, "result": result, **more}


def feature(name: str = "Reach", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "description": "of the river",
        "encodingType": "application/geo+json",
        "feature": {"type": "Point", "coordinates": [7.78, 49.45]},
        **more,
    }


def station(
    name: str = "Gauge", *, results: tuple[Any, ...] = (1, 2, 3), **more: Any
) -> dict[str, Any]:
    """A Thing with everything below it; readings are an hour apart."""
    readings = [observation(r, f"2026-01-01T{hour:02}:00:00Z") for hour, r in enumerate(results)]
    streams = [datastream(f"{name} level", Observations=readings)]
    return thing(name, Locations=[location(f"{name} place")], Datastreams=streams, **more)
