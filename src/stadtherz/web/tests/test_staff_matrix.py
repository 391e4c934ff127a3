"""Every address of every view set, for every kind of person."""

from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from wagtail.admin.viewsets import viewsets

from stadtherz.web.staff.viewsets import StaffViewSet
from stadtherz.web.tests.staff_cast import Town, client_of, town

pytestmark = pytest.mark.django_db

RANK = {"viewer": 0, "editor": 1, "administrator": 2, "superuser": 3, "nobody": 4}
DOWNLINKS = ("send_downlink", "downlink")
LISTS = ("index", "index_results")
SEEN = {"inspect": "", "history": "", "history_results": ""}
BOARD = ("board", "take", "act", "statistics", "preview")  # test_alarm_board, test_rule_editor
TABLE_STEPS = ("written", "times", "targets", "work", "report")  # test_staff_tables.py
ALERT_STEPS = ("again", "drill", "end", "secret", "swap", "take_back")  # test_staff_duty.py
CHANGED = {"edit": "change", "usage": "change", "delete": "delete"}


@dataclass(frozen=True)
class Rule:
    """Who at least sees, who at least changes, and what can be changed at all."""

    sees: str
    changes: str
    allowed: str


RULES = {
    "device": Rule("viewer", "editor", "add change delete"),
    "devicefield": Rule("viewer", "editor", "add change delete"),
    "devicetype": Rule("viewer", "editor", "add change delete"),
    "codec": Rule("viewer", "editor", "add change delete"),
    "connection": Rule("administrator", "administrator", "add change delete"),
    "downlinkserver": Rule("administrator", "administrator", "add change delete"),
    "messageform": Rule("viewer", "editor", "add change delete"),
    "pullsource": Rule("administrator", "administrator", "add change delete"),
    "refused": Rule("viewer", "editor", ""),
    "alert": Rule("viewer", "editor", ""),
    "delivery": Rule("viewer", "editor", ""),
    "contact": Rule("viewer", "editor", "add change delete"),
    "contactlist": Rule("viewer", "editor", "add change delete"),
    "roster": Rule("viewer", "editor", "add change delete"),
    "pause": Rule("viewer", "editor", "add"),
    "rule": Rule("viewer", "editor", "add change delete"),
    "drill": Rule("viewer", "editor", ""),
    "table": Rule("viewer", "editor", "add delete"),
    "tablemapping": Rule("viewer", "editor", "change delete"),
    "watchedfolder": Rule("viewer", "editor", "add change delete"),
    "thing": Rule("viewer", "editor", "change"),
    "datastream": Rule("viewer", "editor", "change"),
    "dataset": Rule("viewer", "editor", "add change delete"),
    "member": Rule("administrator", "administrator", "add change delete"),
    "token": Rule("administrator", "administrator", "add delete"),
    "audit": Rule("administrator", "administrator", ""),
    "gateway": Rule("superuser", "superuser", "add change delete"),
    "organisation": Rule("superuser", "superuser", "add change delete"),
    "user": Rule("superuser", "superuser", "add change"),
    "accessgroup": Rule("superuser", "superuser", "add change delete"),
    "groupmembership": Rule("superuser", "superuser", "add change delete"),
}
ROWS = {
    "device": "device",
    "devicefield": "field",
    "devicetype": "device_type",
    "codec": "codec",
    "connection": "connection",
    "downlinkserver": "downlink_server",
    "messageform": "message_form",
    "pullsource": "source",
    "refused": "refused",
    "alert": "alert",
    "delivery": "delivery",
    "contact": "contact",
    "contactlist": "contactlist",
    "roster": "roster",
    "pause": "pause",
    "rule": "rule",
    "drill": "drill",
    "table": "table",
    "tablemapping": "mapping",
    "watchedfolder": "folder",
    "thing": "thing",
    "datastream": "stream",
    "dataset": "dataset",
    "member": "member",
    "token": "token",
    "audit": "audit",
    "organisation": "organisation",
    "user": "account",
}


def answer(client: Client, url: str) -> str:
    response = client.get(url)
    if response.status_code != 302:
        return str(response.status_code)
    target = response["Location"]
    return "login" if target.startswith("/konto/login/") else f"denied to {target}"


def expected(role: str, rule: Rule, view: str, *, foreign: bool) -> str:
    """The status in words: what this person gets at this address."""
    if role == "anonymous":
        return "login"
    rank = RANK["administrator" if role == "stranger" else role]
    if rank < RANK[rule.sees]:
        return "denied to /verwaltung/"
    if foreign and view in {**SEEN, **CHANGED}:
        return "404"
    needed = "add" if view == "add" else CHANGED.get(view)
    if needed and (needed not in rule.allowed or rank < RANK[rule.changes]):
        return "denied to /verwaltung/"
    return "200"


@pytest.fixture
def towns() -> tuple[Town, Town]:
    return town("lautern"), town("pirmasens")


@pytest.mark.parametrize(
    "role", ["anonymous", "viewer", "editor", "administrator", "stranger", "superuser"]
)
def test_each_role_gets_what_its_rule_says(role: str, towns: tuple[Town, Town]) -> None:
    home, elsewhere = towns
    client = client_of(role, home, elsewhere)
    wrong = []
    for name, rule in RULES.items():
        for view, url in addresses(name, home):
            wanted = expected(role, rule, view, foreign=role == "stranger")
            if (got := answer(client, url)) != wanted:
                wrong.append(f"{role} {url}: {got} instead of {wanted}")
    assert not wrong, "\n".join(wrong)


def addresses(name: str, home: Town) -> list[tuple[str, str]]:
    found = [(view, reverse(f"{name}:{view}")) for view in (*LISTS, "add")]
    if name in ROWS:
        key = getattr(home, ROWS[name])
        found += [(view, reverse(f"{name}:{view}", args=[key])) for view in (*SEEN, *CHANGED)]
    return found


def ours() -> list[StaffViewSet]:
    viewsets.populate()
    return [views for views in viewsets.viewsets if isinstance(views, StaffViewSet)]


def test_every_view_set_of_the_platform_stands_in_the_matrix() -> None:
    platform = {v.name for v in ours() if type(v).__module__.startswith("stadtherz.web")}
    assert platform == set(RULES)


def test_no_view_set_of_ours_has_an_address_that_the_matrix_does_not_know() -> None:
    known = {
        *LISTS,
        "add",
        *SEEN,
        *CHANGED,
        "replay",
        "set_up",
        "propose",
        "fetch",
        *DOWNLINKS,
        "swap",
        "stickers",
        *TABLE_STEPS,
        *ALERT_STEPS,
        *BOARD,
    }
    for views in ours():
        if type(views).__module__.startswith("stadtherz.web"):
            names = {str(url.name) for url in views.get_urlpatterns()}
            # The wizards' have their own tests: test_staff_onboarding, test_staff_device_lists,
            # test_guided_rules; who may try a gateway: test_staff_gateways.
            own = {"begin", "guided", "try"}
            assert {name for name in names - own if not name.startswith("connect")} <= known


def test_wagtails_own_areas_are_closed_even_for_a_superuser(towns: tuple[Town, Town]) -> None:
    client = client_of("superuser", *towns)
    for area in ("users/", "groups/", "images/", "documents/", "pages/", "reports/site-history/"):
        assert client.get(f"/verwaltung/{area}").status_code == 404
    assert client.get("/verwaltung/bulk/identity/user/delete/?id=1").status_code == 404
    assert client.get("/verwaltung/api/main/pages/").status_code == 404


def test_wagtails_second_sign_in_leads_to_ours(client: Any) -> None:
    response = client.get("/verwaltung/login/?next=/verwaltung/")
    assert response["Location"] == "/konto/login/?next=/verwaltung/"
    assert client.get("/verwaltung/password_reset/").status_code == 404
