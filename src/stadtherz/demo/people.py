"""The standing cast of the demo: who can sign in, and what for."""

from stadtherz.base.visibility import Scope
from stadtherz.demo.city import CITY, City
from stadtherz.identity.public import create_token
from stadtherz.project.credentials import Credentials
from stadtherz.project.founding import new_account

_CITY_NAME = f"Stadt {CITY}"
_NEIGHBOUR_NAME = "Verbandsgemeinde Otterbach"


def settle(city: City) -> Credentials:
    """Create the demo's accounts and tokens; to be called once for a data folder."""
    known = Credentials()
    known.accounts["admin"] = new_account(
        "admin@kaiserslautern.example",
        "Betrieb",
        city.organisation,
        _CITY_NAME,
        "administrator",
        superuser=True,
    )
    known.accounts["editor"] = new_account(
        "umwelt@kaiserslautern.example", "Umweltamt", city.organisation, _CITY_NAME, "editor"
    )
    known.accounts["viewer"] = new_account(
        "leitstelle@kaiserslautern.example", "Leitstelle", city.organisation, _CITY_NAME, "viewer"
    )
    known.accounts["neighbour"] = new_account(
        "umwelt@otterbach.example", "Umweltamt", city.neighbour, _NEIGHBOUR_NAME, "editor"
    )
    ingest = frozenset({Scope.INGEST})
    known.tokens["admin"] = create_token("admin", city.organisation, frozenset(Scope))
    known.tokens["city"] = create_token("LoRaWAN", city.organisation, ingest)
    known.tokens["neighbour"] = create_token("LoRaWAN", city.neighbour, ingest)
    return known
