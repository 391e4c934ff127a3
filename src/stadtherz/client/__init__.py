"""Send measurements to a city, and read them, in a line of Python.

    from stadtherz.client import City

    city = City("https://daten.example", token="sh_...")
    city.send("pegel-nord", 84.5)
    print(city.latest("pegel-nord").value)

The standard library is enough. A datastream is named by its id (a number), by the `externalId` of its
properties, or by its name. What the server has acknowledged is on its disk, once; what it could not
be told lies in a small file of this machine and goes out with the next sending, also after a crash.
"""

from stadtherz.client.city import Batch, City, Reading
from stadtherz.client.problems import Away, CityError, NotAllowed, Refused, UnknownStream

__all__ = [
    "Away",
    "Batch",
    "City",
    "CityError",
    "NotAllowed",
    "Reading",
    "Refused",
    "UnknownStream",
]
