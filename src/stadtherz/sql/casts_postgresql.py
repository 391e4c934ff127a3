"""What `casts` has, as PostgreSQL functions."""

from stadtherz.sql.casts import (
    DATE,
    INSTANT,
    LARGEST_SINGLE,
    NUMBER,
    SMALLEST,
    SMALLEST_SINGLE,
    WHOLE,
)

_MOMENT = (  # in two steps, for intervals are multiplied as doubles
    "(timestamp 'epoch' + (us / 1000000) * interval '1 second'"
    " + mod(us, 1000000) * interval '1 microsecond')"
)
_ROUNDED = "(sign(x) * floor(abs(x) + 0.5))"

# name, parameters, result, body
CASTS: list[tuple[str, str, str, str]] = [
    (
        "number_text",
        "x double precision",
        "text",
        f"CASE WHEN x = trunc(x) AND abs(x) < {WHOLE} THEN x::bigint::text ELSE x::text END",
    ),
    ("boolean_text", "b boolean", "text", "b::text"),
    (
        "time_text",
        "us bigint",
        "text",
        f'to_char({_MOMENT}, CASE WHEN mod(us, 1000) = 0 THEN \'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"\' '
        'ELSE \'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\' END)',
    ),
    (
        "text_boolean",
        "t text",
        "boolean",
        "CASE t WHEN 'true' THEN true WHEN 'false' THEN false END",
    ),
    (
        "whole",
        "x double precision, low double precision, high double precision",
        "double precision",
        f"CASE WHEN {_ROUNDED} BETWEEN low AND high THEN {_ROUNDED} + 0.0 END",
    ),
    (
        "single",
        "x double precision",
        "double precision",
        f"CASE WHEN abs(x) < {SMALLEST_SINGLE} AND x <> 0 THEN NULL WHEN abs(x) <= {LARGEST_SINGLE} "
        "THEN x::real::double precision END",
    ),
    (
        "list_has_text",
        "document jsonb, t text",
        "boolean",
        "jsonb_typeof(document) = 'array' AND document @> to_jsonb(t)",
    ),
    (
        "list_has_number",
        "document jsonb, x double precision",
        "boolean",
        "jsonb_typeof(document) = 'array' AND document @> to_jsonb(x)",
    ),
    (
        "list_some",
        "document jsonb, told text, path text",
        "boolean",
        "CASE WHEN jsonb_typeof(document) = 'array' "
        "THEN jsonb_path_exists(document, path::jsonpath, '{}', true) END",
    ),
]

_READ = """
CREATE OR REPLACE FUNCTION sh_text_{name}(t text) RETURNS {gives}
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    IF t IS NULL OR t !~ '{pattern}' OR strpos(t, chr(10)) > 0 THEN RETURN NULL; END IF;
    RETURN {value};
EXCEPTION WHEN OTHERS THEN RETURN NULL;
END $$
"""
_EPOCH = "(extract(epoch FROM {})::numeric * 1000000)::bigint"
_LARGE = (
    f"CASE WHEN t::double precision = 0 OR abs(t::double precision) >= {SMALLEST} "
    "THEN t::double precision END"
)
READ_FROM_TEXT = [
    _READ.format(name="number", gives="double precision", pattern=NUMBER, value=_LARGE),
    _READ.format(
        name="time", gives="bigint", pattern=INSTANT, value=_EPOCH.format("t::timestamptz")
    ),
    _READ.format(
        name="date",
        gives="bigint",
        pattern=DATE,
        value=_EPOCH.format("(t || 'T00:00:00Z')::timestamptz"),
    ),
]
"""Texts that look like a value and are none, such as the 30th of February, are null."""
