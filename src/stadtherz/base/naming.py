"""How a datastream or a rule is called beside its place: many are named after it, and nobody reads a name twice."""


def beside(name: str, place: str) -> str:
    """The name without its place's.

    >>> beside("Pegel Mühlbach: Wasserstand", "Pegel Mühlbach"), beside("Mühle", "Mühlbach")
    ('Wasserstand', 'Mühle')
    """
    rest = name.removeprefix(place)
    own = rest.lstrip(" :,–-")
    is_named_after = bool(place) and rest != name and rest[:1] in " :,–-"
    return own if is_named_after and own else name


def at(place: str, name: str, between: str = ": ") -> str:
    """Place and datastream, each once.

    >>> at("Mühlbach", "Mühlbach: Wasserstand"), at("Mühlbach", "Mühlbach")
    ('Mühlbach: Wasserstand', 'Mühlbach')
    """
    return place if place == name else f"{place}{between}{beside(name, place)}"
