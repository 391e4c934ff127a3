"""What somebody of another organisation tries, on every path."""

import csv
import io
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from stadtherz.identity.public import (
    ApiToken,
    AuditEntry,
    Membership,
    User,
    access_groups,
    add_member,
)
from stadtherz.ingest.public import Device, DeviceField, RefusedUplink
from stadtherz.web.tests.staff_cast import Town, form_of, signed_in, town

pytestmark = pytest.mark.django_db


@pytest.fixture
def elsewhere() -> Town:
    return town("pirmasens")


@pytest.fixture
def administrator(home: Town) -> Client:
    return signed_in("administrator@lautern.example")


def device_form(owner: int, **changes: Any) -> dict[str, Any]:
    form = {"name": "Neu", "owner": owner, "network": "tts", "dev_eui": "00000000000000AA"}
    return {**form, **changes}


# --- lists, searches, filters, exports -----------------------------------------------------------


@pytest.mark.parametrize(
    "query", ["", "?q=Sonde", "?owner=2", "?ordering=-name", "?p=2", "?q=pirmasens&p=999"]
)
def test_no_list_names_a_foreign_device(editor: Client, elsewhere: Town, query: str) -> None:
    for view in ("index", "index_results"):
        page = editor.get(reverse(f"device:{view}") + query).content.decode()
        assert "Sonde pirmasens" not in page


def test_the_filters_offer_no_foreign_rows(editor: Client, elsewhere: Town) -> None:
    for name in ("device", "devicefield", "datastream", "refused"):
        page = editor.get(reverse(f"{name}:index")).content.decode()
        assert "irmasens" not in page, name


def test_a_filter_by_a_foreign_organisation_gives_nothing_foreign(
    editor: Client, elsewhere: Town
) -> None:
    page = editor.get(reverse("device:index"), {"owner": elsewhere.organisation})
    assert all(row.name != "Sonde pirmasens" for row in page.context["object_list"])


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_an_export_holds_own_rows_only(
    administrator: Client, home: Town, elsewhere: Town, kind: str
) -> None:
    response = administrator.get(reverse("audit:index"), {"export": kind})
    body = b"".join(response.streaming_content) if response.streaming else response.content
    assert b"irmasens" not in body
    if kind == "csv":
        rows = list(csv.reader(io.StringIO(body.decode())))
        assert len(rows) - 1 == AuditEntry.objects.filter(organisation=home.organisation).count()


# --- forms ---------------------------------------------------------------------------------------


def test_no_form_offers_a_foreign_row(editor: Client, home: Town, elsewhere: Town) -> None:
    for url in (
        reverse("device:add"),
        reverse("devicefield:add"),
        reverse("devicefield:edit", args=[home.field]),
        reverse("datastream:edit", args=[home.stream]),
    ):
        assert "irmasens" not in editor.get(url).content.decode(), url


def test_nothing_is_created_for_a_foreign_organisation(editor: Client, elsewhere: Town) -> None:
    page = editor.post(reverse("device:add"), device_form(elsewhere.organisation))
    assert "owner" in page.context["form"].errors
    assert Device.objects.filter(name="Neu").count() == 0


def test_a_foreign_device_is_neither_changed_nor_deleted(editor: Client, elsewhere: Town) -> None:
    for view in ("edit", "delete"):
        form = device_form(elsewhere.organisation)
        response = editor.post(reverse(f"device:{view}", args=[elsewhere.device]), form)
        assert response.status_code == 404
    assert Device.objects.get(pk=elsewhere.device).name == "Sonde pirmasens"


def test_an_own_device_is_not_given_away(editor: Client, home: Town, elsewhere: Town) -> None:
    form = device_form(elsewhere.organisation)
    editor.post(reverse("device:edit", args=[home.device]), form)
    assert Device.objects.get(pk=home.device).owner_id == home.organisation


@pytest.mark.parametrize("field", ["device", "datastream"])
def test_an_own_field_is_not_tied_to_a_foreign_row(
    editor: Client, home: Town, elsewhere: Town, field: str
) -> None:
    url = reverse("devicefield:edit", args=[home.field])
    foreign = {"device": elsewhere.device, "datastream": elsewhere.stream}[field]
    page = editor.post(url, {**form_of(editor, url), field: foreign})
    assert field in page.context["form"].errors
    row = DeviceField.objects.get(pk=home.field)
    assert (row.device_id, row.datastream_id) == (home.device, home.stream)


def test_a_datastream_is_not_shown_to_a_foreign_group(
    editor: Client, home: Town, elsewhere: Town
) -> None:
    group = access_groups().create(name="Fremde", organisation_id=elsewhere.organisation)
    url = reverse("datastream:edit", args=[home.stream])
    page = editor.post(url, {**form_of(editor, url), "access": "group", "group": group.pk})
    assert "group" in page.context["form"].errors


def test_fields_that_a_form_does_not_show_cannot_be_smuggled_in(
    editor: Client, home: Town, elsewhere: Town
) -> None:
    url = reverse("datastream:edit", args=[home.stream])
    editor.post(url, {**form_of(editor, url), "owner": elsewhere.organisation, "thing": 999})
    stream = DeviceField.objects.get(pk=home.field).datastream
    assert stream.owner_id == home.organisation
    assert stream.thing_id == home.thing


def test_an_editor_here_who_only_views_there_changes_nothing_there(
    editor: Client, elsewhere: Town
) -> None:
    add_member(elsewhere.organisation, "editor@lautern.example", "viewer")
    assert editor.get(reverse("device:inspect", args=[elsewhere.device])).status_code == 200
    response = editor.get(reverse("device:edit", args=[elsewhere.device]))
    assert response["Location"] == "/verwaltung/"
    page = editor.post(reverse("device:add"), device_form(elsewhere.organisation))
    assert "owner" in page.context["form"].errors


def test_keys_of_no_object_are_not_found(editor: Client) -> None:
    for key in ("0", "999999999999999999999999", "-1", "1%00", "1_2F", "abc"):
        assert editor.get(f"/verwaltung/device/edit/{key}/").status_code == 404


# --- refused uplinks -----------------------------------------------------------------------------


def test_a_foreign_refusal_is_not_replayed(editor: Client, elsewhere: Town) -> None:
    response = editor.post(reverse("refused:replay", args=[elsewhere.refused]))
    assert response.status_code == 404
    assert RefusedUplink.objects.get(pk=elsewhere.refused).replayed_at is None


def test_a_viewer_replays_nothing(home: Town) -> None:
    viewer = signed_in("viewer@lautern.example")
    viewer.post(reverse("refused:replay", args=[home.refused]))
    assert RefusedUplink.objects.get(pk=home.refused).replayed_at is None
    assert "replay" not in viewer.get(
        reverse("refused:inspect", args=[home.refused])
    ).content.decode().replace("replayed", "")


def test_what_a_network_sent_is_shown_as_text(editor: Client, home: Town) -> None:
    page = editor.get(reverse("refused:inspect", args=[home.refused])).content.decode()
    assert "{&lt;script&gt;" in page
    assert "{<script>" not in page


# --- members, accounts, tokens -------------------------------------------------------------------


def test_an_administrator_adds_no_member_elsewhere(administrator: Client, elsewhere: Town) -> None:
    form = {"email": "x@x.example", "organisation": elsewhere.organisation, "role": "administrator"}
    page = administrator.post(reverse("member:add"), form)
    assert "organisation" in page.context["form"].errors
    assert not User.objects.filter(email="x@x.example").exists()


def test_an_administrator_makes_nobody_superuser(administrator: Client, home: Town) -> None:
    form = {"email": "x@x.example", "organisation": home.organisation, "role": "viewer"}
    administrator.post(reverse("member:add"), {**form, "is_superuser": "on"})
    assert User.objects.get(email="x@x.example").is_superuser is False
    for name in ("user:add", "organisation:add", "accessgroup:add"):
        assert administrator.post(reverse(name), {"email": "y@x.example"}).status_code == 302
    assert not User.objects.filter(email="y@x.example").exists()


def test_an_administrator_does_not_take_over_a_known_account(
    administrator: Client, home: Town, elsewhere: Town
) -> None:
    victim = User.objects.get(email="editor@pirmasens.example")
    form = {
        "email": victim.email,
        "name": "Böse",
        "password": "ein fremdes Passwort",
        "organisation": home.organisation,
        "role": "viewer",
    }
    administrator.post(reverse("member:add"), form)
    victim.refresh_from_db()
    assert victim.name == "editor pirmasens"
    assert not victim.check_password("ein fremdes Passwort")


def test_a_membership_is_moved_neither_to_a_person_nor_to_a_place(
    administrator: Client, home: Town, elsewhere: Town
) -> None:
    form = {"role": "editor", "organisation": elsewhere.organisation, "user": elsewhere.account}
    administrator.post(reverse("member:edit", args=[home.member]), form)
    member = Membership.objects.get(pk=home.member)
    assert (member.role, member.organisation_id) == ("editor", home.organisation)
    assert member.user_id == home.account


def test_an_editor_makes_no_token(editor: Client, home: Town) -> None:
    form = {"name": "Mein", "organisation": home.organisation, "scopes": ["write"]}
    assert editor.post(reverse("token:add"), form)["Location"] == "/verwaltung/"
    assert not ApiToken.objects.filter(name="Mein").exists()


def test_no_token_is_made_for_elsewhere_or_with_more_than_the_offered_scopes(
    administrator: Client, home: Town, elsewhere: Town
) -> None:
    form = {"name": "Mein", "organisation": elsewhere.organisation, "scopes": ["write"]}
    administrator.post(reverse("token:add"), form)
    form = {"name": "Mein", "organisation": home.organisation, "scopes": ["admin"]}
    administrator.post(reverse("token:add"), form)
    assert not ApiToken.objects.filter(name="Mein").exists()


def test_a_foreign_token_is_not_revoked(administrator: Client, elsewhere: Town) -> None:
    assert administrator.post(reverse("token:delete", args=[elsewhere.token])).status_code == 404
    assert ApiToken.objects.get(pk=elsewhere.token).revoked is None


# --- sessions ------------------------------------------------------------------------------------


def test_a_session_of_somebody_deactivated_opens_nothing(editor: Client, home: Town) -> None:
    User.objects.filter(email="editor@lautern.example").update(is_active=False)
    response = editor.get(reverse("device:index"))
    assert response["Location"].startswith("/konto/login/")


def test_somebody_removed_from_the_organisation_is_out_at_once(editor: Client, home: Town) -> None:
    Membership.objects.filter(user__email="editor@lautern.example").delete()
    response = editor.get(reverse("device:index"))
    assert response["Location"].startswith("/konto/login/")


def test_a_form_without_its_csrf_token_changes_nothing(home: Town) -> None:
    client = Client(enforce_csrf_checks=True)
    user = User.objects.get(email="editor@lautern.example")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    form = device_form(home.organisation)
    assert client.post(reverse("device:add"), form).status_code == 403
    assert not Device.objects.filter(name="Neu").exists()
