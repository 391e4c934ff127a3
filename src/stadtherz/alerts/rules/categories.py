"""Which category of CAP 1.2 a rule's warnings belong to, where staff have not chosen one.

It is read from the words of what is observed, German or English. The first list with a fitting
beginning of a word decides, so that the special comes before the general: the temperature of a road is
Transport, that of the air Met.
"""

import re
from collections.abc import Iterable

from stadtherz.alerts.models import Category, Rule
from stadtherz.store.public import streams

_BEGINNINGS: tuple[tuple[Category, str], ...] = (
    (Category.CBRNE, "radioactiv radioaktiv gamma ortsdosis dosisleistung chlorine chlorgas"),
    (Category.FIRE, "smoke rauch fire feuer waldbrand"),
    (
        Category.TRANSPORT,
        "traffic verkehr road fahrbahn straße strasse parking parkpl vehicle fahrzeug",
    ),
    (
        Category.HEALTH,
        "trinkwasser drinking bathing badewasser badegewässer legionell pollen uv hitze wbgt coli "
        "enterokok enterococ",
    ),
    (
        Category.GEO,
        "seismic erdbeben earthquake landslide hangrutsch inclination tilt neigung rissbreite crack setzung",
    ),
    (
        Category.INFRA,
        "battery batterie voltage spannung energy energie sewage abwasser kanal pump leitung fernwärme heiz heating "
        "fill füllstand fuellstand window fenster",
    ),
    (
        Category.ENV,
        "pm particul feinstaub nitrogen stickstoff no2 ozon sulfur sulphur schwefel co2 carbon kohlen noise "
        "lärm laerm sound schall soil boden turbid trübung conductiv leitfähig oxygen sauerstoff nitrat "
        "nitrit ph",
    ),
    (
        Category.MET,
        "water wasser level pegel gauge flood hochwasser discharge abfluss durchfluss rain regen niederschlag "
        "precipitation snow schnee wind böe temperatur humid feucht luftfeucht luftdruck pressure thunder "
        "gewitter lightning blitz hail hagel frost ice eis grundwasser sun sonne solar globalstrahlung "
        "visibility sicht",
    ),
)
_SHORT = 3
_WORDS = re.compile(r"[^\W\d_]+\d*")
_CAMEL = re.compile(r"(?<=[a-zäöüß])(?=[A-ZÄÖÜ])")


def suggested(*texts: str) -> Category | None:
    """By the words of names and definitions; None if they say nothing.

    >>> suggested("http://example.org/def/waterLevel", "Pegelstand").value
    'Met'
    """
    words = {
        word.lower() for text in texts for word in _WORDS.findall(_CAMEL.sub(" ", _last_part(text)))
    }
    for category, beginnings in _BEGINNINGS:
        if any(_begins(word, start) for word in words for start in beginnings.split()):
            return category
    return None


def _begins(word: str, start: str) -> bool:
    """A short one, such as pm, is a whole word or one with a number (pm10); else phase were ph."""
    if len(start) > _SHORT:
        return word.startswith(start)
    return start in (word, word.rstrip("0123456789"))


def _last_part(text: str) -> str:
    """Of an address what names the property: its host and folders say nothing of it."""
    return text.rsplit("/", 1)[-1] if "://" in text else text


def category_of(rule: Rule, datastream: int) -> Category:
    """What staff have chosen, else what is observed suggests; a silent device is Infra."""
    if rule.category:
        return Category(rule.category)
    if rule.measure == Rule.Measure.MISSING:
        return Category.INFRA
    for texts in _observed(rule, datastream):
        found = suggested(*texts)
        if found is not None:
            return found
    return Category.ENV


def _observed(rule: Rule, datastream: int) -> Iterable[tuple[str, ...]]:
    if rule.observed_property is not None:
        yield rule.observed_property.definition, rule.observed_property.name
    inputs = list(rule.inputs.order_by("pk").values_list("datastream_id", flat=True))
    known = streams([datastream, *inputs])
    for each in (datastream, *inputs):
        if each in known:
            yield known[each].observed_property, known[each].name
