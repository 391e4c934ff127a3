"""What people would be told by a rule, as its page shows it: each step's subject and SMS, and how long that is."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from stadtherz.alerts.public import Rule, Specimen, specimens


@dataclass(frozen=True, slots=True)
class Told:
    """A step in the words of one language; `length` is a sentence for staff, in theirs."""

    words: Specimen
    length: str


@dataclass(frozen=True, slots=True)
class InLanguage:
    """All steps in the words of one language."""

    code: str
    name: str
    steps: Sequence[Told]


def told(rule: Rule) -> Sequence[InLanguage]:
    """None where the rule watches nothing that is measured yet."""
    names = dict(settings.LANGUAGES)
    return [
        InLanguage(code, names[code], [Told(each, length_in_words(each)) for each in steps])
        for code, steps in groupby(specimens(rule), key=lambda each: each.language)
    ]


def length_in_words(specimen: Specimen) -> str:
    length = specimen.length
    counted = ngettext(
        "One SMS: %(places)s of %(room)s characters.",
        "%(parts)s SMS: %(places)s of %(room)s characters.",
        length.parts,
    )
    said = [counted % {"parts": length.parts, "places": length.places, "room": length.room}]
    if length.odd:
        said.append(
            _("Because of %(letters)s each holds 70 instead of 160.") % {"letters": length.odd}
        )
    if specimen.is_cut:
        said.append(_("The rest stands in the mail only; shorter names leave more room."))
    return " ".join(said)
