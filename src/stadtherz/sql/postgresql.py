"""The functions of `base.functions` as PostgreSQL functions, created by the store's migration."""

from typing import Any

from stadtherz.base.time import DAY, EARLIEST, HOUR, LATEST, MINUTE, SECOND
from stadtherz.sql.casts_postgresql import CASTS, READ_FROM_TEXT
from stadtherz.sql.functions import LONGEST, SHORT_ZONES, ZONE, engine_name

_SINCE_MIDNIGHT = f"mod(mod(us, {DAY}) + {DAY}, {DAY})"  # mod() of a negative is negative
_MIDNIGHT = f"(us - {_SINCE_MIDNIGHT})"
_DATE = f"(date '1970-01-01' + ({_MIDNIGHT} / {DAY})::int)"


def _calendar(part: str) -> str:
    return f"extract({part} FROM {_DATE})::double precision"


def _clock(width: int, wrap: int) -> str:
    return f"mod({_SINCE_MIDNIGHT} / {width}, {wrap})::double precision"


def _bounded(value: str, low: int, high: int) -> str:
    return f"CASE WHEN {value} BETWEEN {low} AND {high} THEN ({value})::bigint END"


def _lasting(value: str) -> str:
    return f"CASE WHEN abs({value}) <= {LONGEST} THEN trunc({value})::bigint END"


def _position(name: str) -> str:
    return f"CASE WHEN {name} < 0 THEN 0 WHEN {name} > 1e9 THEN 1e9 ELSE floor({name}) END::int"


_SUM, _DIFFERENCE = "a::numeric + b", "a::numeric - b"
_TWO_TEXTS = "t text, part text"
_TWO_TIMES = "a bigint, b bigint"
_TIME_AND_NUMBER = "a bigint, b double precision"
# Beyond these no duration is left but 0, and a double that overflows would be an error.
_NOT_HUGE = "least(greatest(b, -1e25), 1e25)"
_NOT_TINY = "CASE WHEN b = 0 THEN NULL WHEN abs(b) < 1e-25 THEN 1e-25 ELSE b END"
_IN_ZONE = "us bigint, zone text"
_PATH = "document jsonb, path text[]"
_VALUE = "(document #> path)"
_TYPE = f"coalesce(jsonb_typeof{_VALUE}, 'null')"

# name, parameters, result, body
_PLAIN: list[tuple[str, str, str, str]] = [
    ("div", "a double precision, b double precision", "double precision", "a / nullif(b, 0)"),
    (
        "mod",
        "a double precision, b double precision",
        "double precision",
        "a - b * trunc(a / nullif(b, 0))",
    ),
    (
        "whole_div",
        "a double precision, b double precision",
        "double precision",
        "trunc(a / nullif(b, 0))",
    ),
    ("duration_mul", _TIME_AND_NUMBER, "bigint", _lasting(f"a::double precision * {_NOT_HUGE}")),
    ("duration_div", _TIME_AND_NUMBER, "bigint", _lasting(f"a::double precision / {_NOT_TINY}")),
    ("time_add", _TWO_TIMES, "bigint", _bounded(_SUM, EARLIEST, LATEST)),
    ("time_sub", _TWO_TIMES, "bigint", _bounded(_DIFFERENCE, EARLIEST, LATEST)),
    ("duration_add", _TWO_TIMES, "bigint", _bounded(_SUM, -LONGEST, LONGEST)),
    ("duration_sub", _TWO_TIMES, "bigint", _bounded(_DIFFERENCE, -LONGEST, LONGEST)),
    ("contains", _TWO_TEXTS, "boolean", "strpos(t, part) > 0"),
    ("startswith", _TWO_TEXTS, "boolean", "starts_with(t, part)"),
    ("endswith", _TWO_TEXTS, "boolean", "right(t, length(part)) = part"),
    ("length", "t text", "double precision", "length(t)::double precision"),
    ("indexof", _TWO_TEXTS, "double precision", "(strpos(t, part) - 1)::double precision"),
    (
        "substring",
        "t text, n double precision",
        "text",
        f"substr(t, {_position('n')} + 1)",
    ),
    (
        "substring",
        "t text, n double precision, m double precision",
        "text",
        f"substr(t, {_position('n')} + 1, {_position('m')})",
    ),
    ("tolower", "t text", "text", "lower(t{unicode})"),
    ("toupper", "t text", "text", "upper(t{unicode})"),
    ("trim", "t text", "text", "btrim(t, ' ')"),
    ("concat", "a text, b text", "text", "a || b"),
    ("year", "us bigint", "double precision", _calendar("year")),
    ("month", "us bigint", "double precision", _calendar("month")),
    ("day", "us bigint", "double precision", _calendar("day")),
    ("hour", "us bigint", "double precision", _clock(HOUR, 24)),
    ("minute", "us bigint", "double precision", _clock(MINUTE, 60)),
    ("second", "us bigint", "double precision", _clock(SECOND, 60)),
    (
        "fractionalseconds",
        "us bigint",
        "double precision",
        f"mod({_SINCE_MIDNIGHT}, {SECOND})::double precision / {SECOND}",
    ),
    ("date", "us bigint", "bigint", _MIDNIGHT),
    ("time", "us bigint", "bigint", _SINCE_MIDNIGHT),
    (
        "totaloffsetminutes",
        "us bigint",
        "double precision",
        "CASE WHEN us IS NOT NULL THEN 0 END::double precision",
    ),
    ("totalseconds", "us bigint", "double precision", f"us::double precision / {SECOND}"),
    ("local", _IN_ZONE, "bigint", _bounded("us::numeric + sh_shift(us, zone)", EARLIEST, LATEST)),
    ("offset", _IN_ZONE, "double precision", f"sh_shift(us, zone)::double precision / {MINUTE}"),
    ("round", "x double precision", "double precision", "sign(x) * floor(abs(x) + 0.5)"),
    *CASTS,
    ("floor", "x double precision", "double precision", "floor(x)"),
    ("ceiling", "x double precision", "double precision", "ceil(x)"),
    (
        "json_number",
        _PATH,
        "double precision",
        f"CASE WHEN {_TYPE} = 'number' THEN (document #>> path)::double precision END",
    ),
    (
        "json_exact",
        _PATH,
        "numeric",
        f"CASE WHEN {_TYPE} = 'number' THEN (document #>> path)::numeric END",
    ),
    ("json_text", _PATH, "text", f"CASE WHEN {_TYPE} = 'string' THEN document #>> path END"),
    (
        "json_boolean",
        _PATH,
        "boolean",
        f"CASE WHEN {_TYPE} = 'boolean' THEN (document #>> path)::boolean END",
    ),
    ("json_document", _PATH, "jsonb", f"CASE WHEN {_TYPE} <> 'null' THEN {_VALUE} END"),
    (
        "json_rank",
        _PATH,
        "integer",
        f"CASE {_TYPE} WHEN 'null' THEN 0 WHEN 'boolean' THEN 1 WHEN 'number' THEN 2 "
        "WHEN 'string' THEN 3 ELSE 4 END",
    ),
]

# PostgreSQL reads the sign of an offset the other way round (POSIX), so those are not its work, and any
# word is a zone to it. Here an unknown zone gives null.
_SHIFT = f"""
CREATE OR REPLACE FUNCTION sh_shift(us bigint, zone text) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE seconds bigint := us / 1000000;
BEGIN
    IF us IS NULL OR zone IS NULL THEN RETURN NULL; END IF;
    IF zone = 'Z' THEN RETURN 0; END IF;
    IF zone ~ '^[+-]([01][0-9]|2[0-3]):[0-5][0-9]$' THEN
        RETURN extract(epoch FROM zone::interval)::bigint * 1000000;
    END IF;
    IF zone !~ '{ZONE}' AND zone <> ALL (string_to_array('{" ".join(SHORT_ZONES)}', ' ')) THEN RETURN NULL; END IF;
    RETURN (extract(epoch FROM to_timestamp(seconds::double precision) AT TIME ZONE zone)::bigint
        - seconds) * 1000000;
EXCEPTION WHEN OTHERS THEN RETURN NULL;
END $$
"""
# A Location may hold any JSON (18-088 §8.2.2), so a text that is no geometry must give null.
_GEOMETRY = """
CREATE OR REPLACE FUNCTION sh_geometry(document jsonb) RETURNS geometry
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE shape geometry;
BEGIN
    shape := ST_GeomFromGeoJSON(document::text);
    RETURN shape;
EXCEPTION WHEN OTHERS THEN RETURN NULL;
END $$
"""
# GEOS refuses collections in relations; the answer is unknown, not an error.
_RELATION = """
CREATE OR REPLACE FUNCTION {name}(a jsonb, b jsonb{more}) RETURNS {gives}
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN {function}(sh_geometry(a), sh_geometry(b){argument});
EXCEPTION WHEN OTHERS THEN RETURN NULL;
END $$
"""
_RELATIONS = {
    "geo.distance": "ST_Distance",
    "geo.intersects": "ST_Intersects",
    "st_equals": "ST_Equals",
    "st_disjoint": "ST_Disjoint",
    "st_touches": "ST_Touches",
    "st_within": "ST_Within",
    "st_overlaps": "ST_Overlaps",
    "st_crosses": "ST_Crosses",
    "st_intersects": "ST_Intersects",
    "st_contains": "ST_Contains",
    "st_relate": "ST_Relate",
}
_EXTENSION = """
DO $$ BEGIN
    IF EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'postgis') THEN
        CREATE EXTENSION IF NOT EXISTS postgis;
    END IF;
EXCEPTION WHEN insufficient_privilege THEN NULL;
END $$
"""


def install_on_postgresql(cursor: Any) -> None:
    """Create or replace the functions; those over geometries only where PostGIS exists."""
    cursor.execute(_SHIFT)
    for statement in READ_FROM_TEXT:
        cursor.execute(statement)
    cursor.execute("SELECT 1 FROM pg_collation WHERE collname = 'und-x-icu'")
    unicode = ' COLLATE "und-x-icu"' if cursor.fetchone() else ""
    for name, takes, gives, body in _PLAIN:
        cursor.execute(
            f"CREATE OR REPLACE FUNCTION {engine_name(name)}({takes}) RETURNS {gives} "
            f"LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT {body.replace('{unicode}', unicode)} $$"
        )
    cursor.execute(_EXTENSION)
    cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'postgis'")
    if cursor.fetchone():
        _install_geometry(cursor)


def _install_geometry(cursor: Any) -> None:
    cursor.execute(_GEOMETRY)
    cursor.execute(
        "CREATE OR REPLACE FUNCTION sh_geo_length(a jsonb) RETURNS double precision "
        "LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT ST_Length(sh_geometry(a)) $$"
    )
    for name, function in _RELATIONS.items():
        pattern = name == "st_relate"
        cursor.execute(
            _RELATION.format(
                name=engine_name(name),
                more=", pattern text" if pattern else "",
                gives="double precision" if name == "geo.distance" else "boolean",
                function=function,
                argument=", pattern" if pattern else "",
            )
        )
