"""Why an uplink was refused: a code for machines, kept with its facts, and a sentence for people.

The sentence is made when it is shown, so one kept refusal reads in every language.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from stadtherz.ingest.quality.facts import Facts


class Reason(StrEnum):
    BAD_TOKEN = "bad_token"  # noqa: S105 - the name of a reason
    NO_SCOPE = "no_scope"
    STRONG_TOKEN = "strong_token"  # noqa: S105 - the name of a reason
    UNKNOWN_DEVICE = "unknown_device"
    INACTIVE_DEVICE = "inactive_device"
    OTHER_DEVICE = "other_device"
    UNKNOWN_FORM = "unknown_form"
    FORM_MISFIT = "form_misfit"
    BROKEN_DOCUMENT = "broken_document"
    TOO_LARGE = "too_large"
    NOTHING_USABLE = "nothing_usable"
    IMPOSSIBLE_VALUE = "impossible_value"
    FOREIGN_DATASTREAM = "foreign_datastream"
    UNIT_UNFIT = "unit_unfit"
    CODEC_FAILED = "codec_failed"
    CODEC_BUSY = "codec_busy"
    STORE_UNAVAILABLE = "store_unavailable"


STATUS: dict[Reason, int] = {
    Reason.BAD_TOKEN: 401,
    Reason.NO_SCOPE: 403,
    Reason.STRONG_TOKEN: 403,
    Reason.UNKNOWN_DEVICE: 404,
    Reason.INACTIVE_DEVICE: 404,
    Reason.OTHER_DEVICE: 403,
    Reason.UNKNOWN_FORM: 404,
    Reason.FORM_MISFIT: 422,
    Reason.BROKEN_DOCUMENT: 400,
    Reason.TOO_LARGE: 413,
    Reason.NOTHING_USABLE: 422,
    Reason.IMPOSSIBLE_VALUE: 422,
    Reason.FOREIGN_DATASTREAM: 422,
    Reason.UNIT_UNFIT: 422,
    Reason.CODEC_FAILED: 422,
    Reason.CODEC_BUSY: 503,
    Reason.STORE_UNAVAILABLE: 503,
}

CHOICES = [
    (Reason.BAD_TOKEN.value, _("Unknown token")),
    (Reason.NO_SCOPE.value, _("Token may not send measurements")),
    (Reason.STRONG_TOKEN.value, _("Token may do too much for an address")),
    (Reason.UNKNOWN_DEVICE.value, _("Unknown device")),
    (Reason.INACTIVE_DEVICE.value, _("Device switched off")),
    (Reason.OTHER_DEVICE.value, _("Token of another device")),
    (Reason.UNKNOWN_FORM.value, _("Unknown message form")),
    (Reason.FORM_MISFIT.value, _("Message form does not fit")),
    (Reason.BROKEN_DOCUMENT.value, _("Message cannot be read")),
    (Reason.TOO_LARGE.value, _("Message too large")),
    (Reason.NOTHING_USABLE.value, _("No known field in the message")),
    (Reason.IMPOSSIBLE_VALUE.value, _("Impossible value")),
    (Reason.FOREIGN_DATASTREAM.value, _("Datastream of another organisation")),
    (Reason.UNIT_UNFIT.value, _("Units do not fit together")),
    (Reason.CODEC_FAILED.value, _("Codec cannot read the payload")),
    (Reason.CODEC_BUSY.value, _("Codecs overloaded")),
    (Reason.STORE_UNAVAILABLE.value, _("Could not be stored")),
]


def sentence(reason: str, facts: Mapping[str, Any]) -> str:
    """What happened and what helps, in the active language."""
    said = _sentence(reason, facts)
    if "reading" not in facts:
        return said
    among = gettext(
        "That is reading {reading} of {readings} in the message; {refused} could not be stored whole."
    )
    return f"{said} {among.format_map(Facts(facts))}"


def _sentence(reason: str, facts: Mapping[str, Any]) -> str:
    if reason == Reason.IMPOSSIBLE_VALUE:
        return " ".join(_impossible(problem) for problem in facts.get("problems", ()))
    if reason in (Reason.CODEC_FAILED, Reason.CODEC_BUSY):
        return codec_sentence(facts)
    if reason == Reason.FORM_MISFIT:
        return misfit_sentence(facts)
    if reason == Reason.BAD_TOKEN and facts.get("signature") in _SIGNATURES:
        return str(_SIGNATURES[facts["signature"]])
    if reason == Reason.BROKEN_DOCUMENT:
        facts = {**facts, "problem": problem_words(str(facts.get("problem", "?")))}
        if facts.get("field") == "document":  # the message itself: nobody calls it a field
            return gettext("The message cannot be read: {problem}.").format_map(Facts(facts))
    if reason == Reason.UNKNOWN_FORM and not facts.get("form"):
        return gettext(
            "The address names no message form: it ends with that of one that is set up here, as in /ingest/json/weather."
        )
    return str(_SENTENCES.get(reason, reason)).format_map(Facts(facts))


def problem_words(problem: str) -> str:
    """What a reader says against a field, in the active language; what is not known stays as it is."""
    if match := _EXPECTED.fullmatch(problem):
        expected = [_KINDS[each] for each in match[1].split(" | ") if each in _KINDS]
        found = _KINDS.get(match[2])
        if expected and found:
            told = gettext("{found} stands there, and {expected} belongs there")
            return told.format(found=found, expected=expected[0])
    if match := _NO_LINE.fullmatch(problem):
        told = gettext("line {number} is not as InfluxDB’s line protocol has it: {line}")
        return told.format(number=match[1], line=match[2])
    if match := _NO_JSON.fullmatch(problem):
        told = gettext("it is no JSON from character {column} of line {line} on")
        return told.format(line=match[1], column=match[2])
    if match := _NO_XML.fullmatch(problem):
        told = gettext("it is no whole XML from character {column} of line {line} on")
        return told.format(line=match[1], column=match[2])
    known = _PROBLEMS.get(problem)
    return problem if known is None else str(known)


_EXPECTED = re.compile(r"Expected `([^`]+)`, got `([^`]+)`")
_NO_LINE = re.compile(r"line (\d+) is not as InfluxDB's line protocol has it: (.*)")
_NO_JSON = re.compile(r"is not JSON: .*line (\d+) column (\d+) \(char \d+\)", re.DOTALL)
_NO_XML = re.compile(r"is broken XML: line (\d+) column (\d+)")
_KINDS: dict[str, Any] = {
    "str": _("a text"),
    "int": _("a whole number"),
    "float": _("a number"),
    "bool": _("true or false"),
    "object": _("an object"),
    "array": _("a list"),
    "null": _("nothing"),
}
_PROBLEMS: dict[str, Any] = {
    "must be base64": _("it is no Base64"),
    "must be hexadecimal digits, two a byte": _("it is no row of hexadecimal digits, two a byte"),
    "is missing, and no other message is there": _("it is missing, and no other message is there"),
    "is not UTF-8": _("it is not UTF-8"),
    "must be ns, us, ms, s, m or h": _("it must be ns, us, ms, s, m or h"),
    "is packed with gzip, and cannot be unpacked": _(
        "it is packed with gzip, and cannot be unpacked"
    ),
    "has more than 1000 lines": _("it has more than 1,000 lines"),
    "is nested more than 32 levels deep": _("it is nested more than 32 levels deep"),
    "is XML that declares its own type or entities, which is not taken": _(
        "it is XML that declares its own type or entities (<!DOCTYPE …>), which is not taken"
    ),
    "is XML with more than 20000 elements": _("it is XML with more than 20,000 elements"),
    "is XML in an encoding that nobody here knows": _(
        "it is XML in an encoding that nobody here knows; choose UTF-8"
    ),
}


_SENTENCES: dict[str, Any] = {
    Reason.BAD_TOKEN: _("The token is missing or unknown. Create one in the back office."),
    Reason.NO_SCOPE: _("This token may not send measurements. It needs the scope “ingest”."),
    Reason.STRONG_TOKEN: _(
        "The token stood in the address, where others may read it, and may do more than deliver measurements."
        " Revoke it and create one that may only deliver, best for this device alone."
    ),
    Reason.UNKNOWN_DEVICE: _(
        "The device {dev_eui} is not registered here. Register it, then replay."
    ),
    Reason.INACTIVE_DEVICE: _("The device {dev_eui} is switched off. Switch it on, then replay."),
    Reason.OTHER_DEVICE: _("This token may only deliver for its own device, not for {dev_eui}."),
    Reason.UNKNOWN_FORM: _("There is no message form “{form}” here. Set it up, then replay."),
    Reason.BROKEN_DOCUMENT: _("The message cannot be read: {field}: {problem}."),
    Reason.TOO_LARGE: _("The message is larger than {limit}."),
    Reason.NOTHING_USABLE: _("None of the device’s fields is in the message. Expected: {paths}."),
    Reason.FOREIGN_DATASTREAM: _("The datastream of {field} belongs to another organisation."),
    Reason.UNIT_UNFIT: _(
        "The unit of {field} does not fit its datastream any more. Choose another, then replay."
    ),
    Reason.STORE_UNAVAILABLE: _("The measurement could not be stored just now. Send it again."),
}


# Of what ThingPark signs (`signing`).
_SIGNATURES: dict[str, Any] = {
    "missing": _(
        "The message bears no signature of ThingPark, although its key is kept here. Activate uplink/downlink security"
        " at the application server in ThingPark."
    ),
    "wrong": _(
        "ThingPark’s signature does not fit the message. Compare the key of the application server with the one under"
        " “Servers for messages to devices”, then replay."
    ),
    "stale": _(
        "ThingPark’s signature is not from the last ten minutes, so somebody may have sent an old message again."
        " If all are refused, check the clock of this platform."
    ),
    "no_key": _(
        "ThingPark’s signature cannot be checked, because the key cannot be read any more. Enter it again under"
        " “Servers for messages to devices”, then replay."
    ),
}


def _impossible(problem: Mapping[str, Any]) -> str:
    facts = Facts(problem)
    match problem.get("kind"):
        case "not_a_number":
            return gettext("{field}: {value} is not a number.").format_map(facts)
        case "no_unit_said":
            return gettext(
                "{field}: “{value}” has a unit, but the device’s field does not say in which unit it comes. Choose one there."
            ).format_map(facts)
        case "unknown_unit":
            return gettext("{field}: nobody here knows the unit of “{value}”.").format_map(facts)
        case "other_unit":
            return gettext(
                "{field}: “{value}” cannot be turned into {expected}, the unit that is expected there."
            ).format_map(facts)
        case "error_code":
            return gettext("{field}: {value} is an error code of the sensor.").format_map(facts)
        case "no_time":
            return gettext("{field}: {value} has no time that can be true.").format_map(facts)
        case "too_low":
            return gettext("{field}: {value} is below the allowed minimum {minimum}.").format_map(
                facts
            )
        case "too_high":
            return gettext("{field}: {value} is above the allowed maximum {maximum}.").format_map(
                facts
            )
    return gettext("{field}: {value} is outside {minimum} to {maximum}.").format_map(facts)


def codec_sentence(facts: Mapping[str, Any]) -> str:
    """Why a codec gave no values, in the active language."""
    told = facts.get("told") or ""
    known = Facts({**facts, "told": f" ({told})" if told else ""})
    said = _codec_fault(facts.get("fault"))
    if facts.get("line"):
        said += " " + gettext("It was at line {line} of its text.")
    return (gettext("The codec “{codec}” gave no values: ") + said).format_map(known)


def _codec_fault(fault: str | None) -> str:
    return str(_CODEC_FAULTS.get(fault or "", _("it failed{told}.")))


_CODEC_FAULTS = {
    "syntax": _("its text is no JavaScript{told}."),
    "no_function": _("it has no function decodeUplink, Decoder or Decode."),
    "threw": _("it stopped with an error{told}."),
    "errors": _("it cannot read this payload{told}."),
    "no_object": _("what it gave is no object with data."),
    "promise": _("it is asynchronous (gives a promise), which is not possible here."),
    "cycle": _("what it gave contains itself."),
    "too_deep": _("what it gave is nested more than 32 levels deep."),
    "too_large": _("what it gave is too large."),
    "too_slow": _("it takes too long."),
    "memory": _("it takes too much memory."),
    "recursion": _("it calls itself without end."),
    "killed": _("it did not end and was stopped."),
    "busy": _("there was no time for it just now. Send or replay the message again."),
    "unavailable": _("its process does not start. Send or replay the message again."),
    "too_short": _("the payload ends before its last value{told}."),
    "bad_map": _("its table cannot be read{told}."),
    "unreadable": _("the payload is not of its kind{told}."),
}


def misfit_sentence(facts: Mapping[str, Any]) -> str:
    """What a message form looks for and does not find, in the active language."""
    known = Facts(facts)
    part = str(_FORM_PARTS.get(facts.get("part", ""), "{part}"))
    fault = str(_FORM_FAULTS.get(facts.get("fault", ""), _FORM_FAULTS["missing"]))
    return f"{part} {fault}".format_map(known)


_FORM_PARTS = {
    "device": _("Identifier of the device ({expression}):"),
    "time": _("Time of the measurement ({expression}):"),
    "time_zone": _("Time zone ({expression}):"),
    "message_id": _("Identifier of the message ({expression}):"),
    "readings": _("List of readings ({expression}):"),
    "payload": _("Payload for the codec ({expression}):"),
    "lines": _("Line {expression}:"),
}
_FORM_FAULTS = {
    "missing": _("it is not in the message."),
    "no_name": _("“{value}” is no text of 1 to 100 printable characters and no whole number."),
    "no_time": _("“{value}” is no time such as 2026-11-26T07:00:00Z and no seconds since 1970."),
    "ahead": _("{value} is in the future. Correct the form’s time zone or the device’s clock."),
    "no_zone": _("nobody knows it. Write for example Europe/Berlin."),
    "no_hex": _("“{value}” is no row of hexadecimal digits, two for each byte."),
    "no_base64": _("“{value}” is no Base64."),
    "no_list": _("“{value}” is no list."),
    "no_table": _(
        "there is no table: no rows under names, and no lists of the same length for each name."
    ),
    "senml_no_pack": _("this is no list of records as SenML has it."),
    "senml_field": _("{value} is nothing that SenML allows there."),
    "senml_several": _("a record has one value, not several: {value}."),
    "senml_no_name": _("record {value} has no name."),
    "senml_must": _("“{value}” must be understood by who reads it, and is not known here."),
    "senml_version": _("version {value} of SenML is newer than what is known here (10)."),
    "no_line": _("it is not as InfluxDB’s line protocol has it: {value}"),
    "empty": _("the list is empty."),
    "too_many": _(
        "{value} are too many for one message; at most 1,000 fit. Send several messages."
    ),
}
