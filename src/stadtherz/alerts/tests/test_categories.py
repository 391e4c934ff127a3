"""What is observed suggests a category of CAP 1.2, in German and in English."""

import pytest

from stadtherz.alerts.rules.categories import suggested


@pytest.mark.parametrize(
    ("texts", "category"),
    [
        (("http://example.org/level", "Wasserstand"), "Met"),
        (("urn:x-stadtherz:rain_rate", "Niederschlag"), "Met"),
        (("", "Windgeschwindigkeit"), "Met"),
        (("", "air temperature"), "Met"),
        (("", "Road surface temperature"), "Transport"),
        (("", "Fahrbahntemperatur"), "Transport"),
        (("", "PM10"), "Env"),
        (("", "PM2.5 (Feinstaub)"), "Env"),
        (("", "CO2"), "Env"),
        (("", "noise level"), "Env"),
        (("", "Trinkwasser: Trübung"), "Health"),
        (("", "UV-Index"), "Health"),
        (("", "Neigung der Stützmauer"), "Geo"),
        (("", "Batteriespannung"), "Infra"),
        (("", "Füllstand"), "Infra"),
        (("", "smoke density"), "Fire"),
        (("", "Gamma-Ortsdosisleistung"), "CBRNE"),
        (("http://vocab.example.org/property/soilMoisture", ""), "Env"),
        (("http://water.example.org/p/17", "x"), None),
        (("", "Phase"), None),
        ((), None),
    ],
)
def test_words_suggest_a_category(texts: tuple[str, ...], category: str | None) -> None:
    assert suggested(*texts) == category
