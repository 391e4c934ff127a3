"""What staff do every day, and that the trail says so."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from stadtherz.identity.public import ApiToken, AuditEntry, User, visibility_of_scope
from stadtherz.ingest.public import Device, DeviceField
from stadtherz.web.staff.viewsets import panel, panels
from stadtherz.web.tests.staff_cast import Town, form_of, signed_in, town

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator(home: Town) -> Client:
    return signed_in("administrator@lautern.example")


def newest() -> AuditEntry:
    return AuditEntry.objects.latest("pk")


def actor(email: str) -> str:
    return f"user:{User.objects.get(email=email).pk}"


# --- create, edit, delete ------------------------------------------------------------------------


def test_an_editor_adds_a_device_and_the_trail_says_so(editor: Client, home: Town) -> None:
    form = {"name": "Neu", "owner": home.organisation, "network": "tts", "dev_eui": "aa" * 8}
    editor.post(reverse("device:add"), form)
    device = Device.objects.get(name="Neu")
    entry = newest()
    assert (entry.action, entry.entity, entry.key) == ("create", "ingest.device", str(device.pk))
    assert entry.actor == actor("editor@lautern.example")
    assert entry.organisation_id == home.organisation
    assert entry.changes["name"] == "Neu"


def test_a_new_row_starts_with_the_editors_own_organisation(editor: Client, home: Town) -> None:
    form = editor.get(reverse("device:add")).context["form"]
    assert form["owner"].value() == home.organisation


def test_only_what_was_changed_is_in_the_trail(editor: Client, home: Town) -> None:
    url = reverse("device:edit", args=[home.device])
    editor.post(url, {**form_of(editor, url), "name": "Umbenannt"})
    assert newest().changes == {"name": "Umbenannt"}


def test_a_deleted_row_leaves_its_name_in_the_trail(editor: Client, home: Town) -> None:
    editor.post(reverse("device:delete", args=[home.device]))
    assert not Device.objects.filter(pk=home.device).exists()
    assert (newest().action, newest().changes) == ("delete", {"name": "Sonde lautern"})


def test_a_failed_change_leaves_no_entry(editor: Client, home: Town) -> None:
    before = newest().pk
    url = reverse("device:edit", args=[home.device])
    editor.post(url, {**form_of(editor, url), "dev_eui": "keine"})
    assert newest().pk == before


def test_what_others_need_is_not_deleted_but_explained(home: Town) -> None:
    User.objects.create_superuser("root@stadtherz.example")
    root = signed_in("root@stadtherz.example")
    page = root.post(reverse("organisation:delete", args=[home.organisation]), follow=True)
    assert page.status_code == 200
    assert "Andere Einträge" in page.content.decode() or "other records" in page.content.decode()
    assert Device.objects.filter(pk=home.device).exists()


# --- things and datastreams go through the store ---------------------------------------------------


def test_a_datastream_is_renamed_and_hidden_through_the_store(editor: Client, home: Town) -> None:
    url = reverse("datastream:edit", args=[home.stream])
    form = {**form_of(editor, url), "name": "Wasserstand am Steg", "access": "public"}
    response = editor.post(url, form)
    assert response.status_code == 302
    stream = DeviceField.objects.get(pk=home.field).datastream
    assert (stream.name, stream.access) == ("Wasserstand am Steg", "public")
    entry = newest()
    assert (entry.entity, entry.action) == ("Datastream", "update")
    assert entry.organisation_id == home.organisation


def test_a_change_that_the_store_refuses_is_told_at_its_field(editor: Client, home: Town) -> None:
    url = reverse("datastream:edit", args=[home.stream])
    page = editor.post(url, {**form_of(editor, url), "access": "group"})
    assert page.status_code == 200
    assert page.context["form"].errors


# --- refused uplinks -------------------------------------------------------------------------------


def test_a_refusal_that_is_still_wrong_is_refused_again(editor: Client, home: Town) -> None:
    page = editor.post(reverse("refused:replay", args=[home.refused]), follow=True)
    assert page.status_code == 200
    assert newest().action == "replay"


def test_a_replay_needs_a_post(editor: Client, home: Town) -> None:
    assert editor.get(reverse("refused:replay", args=[home.refused])).status_code == 405


def test_the_start_page_counts_open_refusals(editor: Client, home: Town) -> None:
    town("pirmasens")
    figures = editor.get("/verwaltung/").content.decode()
    assert "<strong>1</strong>" in figures


def test_a_panel_is_registered_once() -> None:
    before = len(panels())
    panel("x", lambda request: 0, "refused:index")
    assert len(panels()) == before


# --- members and tokens ----------------------------------------------------------------------------


def test_an_administrator_adds_a_member_with_a_first_password(
    administrator: Client, home: Town
) -> None:
    form = {
        "email": "neu@lautern.example",
        "name": "Neu",
        "password": "ein gutes Passwort",
        "organisation": home.organisation,
        "role": "editor",
    }
    administrator.post(reverse("member:add"), form)
    user = User.objects.get(email="neu@lautern.example")
    assert user.check_password("ein gutes Passwort")
    assert "ein gutes Passwort" not in str(newest().changes)
    assert signed_in(user.email).get(reverse("device:add")).status_code == 200


def test_the_same_person_is_not_added_twice(administrator: Client, home: Town) -> None:
    form = {"email": "Viewer@lautern.example", "organisation": home.organisation, "role": "editor"}
    page = administrator.post(reverse("member:add"), form)
    assert "email" in page.context["form"].errors


def test_a_weak_first_password_is_refused(administrator: Client, home: Town) -> None:
    form = {"email": "n@l.example", "organisation": home.organisation, "role": "viewer"}
    page = administrator.post(reverse("member:add"), {**form, "password": "kurz"})
    assert "password" in page.context["form"].errors
    assert not User.objects.filter(email="n@l.example").exists()


def bearer(text: str) -> dict[str, Any]:
    return {"headers": [(b"authorization", f"Bearer {text}".encode())]}


def test_a_new_token_is_shown_once_and_works(administrator: Client, home: Town) -> None:
    form = {"name": "Netz", "organisation": home.organisation, "scopes": ["ingest"], "days": 30}
    page = administrator.post(reverse("token:add"), form)
    text = page.context["text"]
    assert text in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert visibility_of_scope(bearer(text)).home == home.organisation
    for url in (reverse("token:index"), reverse("audit:index")):
        assert text not in administrator.get(url).content.decode()


def test_a_revoked_token_stays_in_the_list_and_in_the_trail(
    administrator: Client, home: Town
) -> None:
    administrator.post(reverse("token:delete", args=[home.token]))
    assert ApiToken.objects.get(pk=home.token).revoked is not None
    assert newest().action == "revoke"
    assert "Schlüssel lautern" in administrator.get(reverse("token:index")).content.decode()


def test_no_page_shows_a_digest(administrator: Client, home: Town) -> None:
    digest = ApiToken.objects.get(pk=home.token).digest
    for view in ("inspect", "history"):
        page = administrator.get(reverse(f"token:{view}", args=[home.token])).content.decode()
        assert digest not in page
    export = administrator.get(reverse("token:index"), {"export": "csv"})
    assert digest.encode() not in export.getvalue()


def test_a_superuser_makes_organisations_and_accounts(home: Town) -> None:
    User.objects.create_superuser("root@stadtherz.example")
    root = signed_in("root@stadtherz.example")
    root.post(reverse("organisation:add"), {"name": "Landstuhl", "slug": "landstuhl"})
    assert newest().entity == "store.organisation"
    form = {"email": "n@l.example", "language": "de", "password": "ein gutes Passwort"}
    root.post(reverse("user:add"), form)
    assert User.objects.get(email="n@l.example").check_password("ein gutes Passwort")
    assert "Passwort" not in str(newest().changes)
