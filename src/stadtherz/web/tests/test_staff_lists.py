"""Lists survive whatever is asked of them, and choices are cut everywhere, also in inline forms."""

from typing import Any

import pytest
from django.forms import inlineformset_factory, modelform_factory
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.alerts.public import Pause
from stadtherz.base.visibility import SYSTEM, Scope, Visibility
from stadtherz.identity.public import AuditEntry, User, record, visibility_of_user
from stadtherz.ingest.public import Device, DeviceField, DeviceType, RefusedUplink
from stadtherz.web.devices.ingest import DeviceFieldViewSet, DeviceViewSet, RefusedUplinkViewSet
from stadtherz.web.staff.people import entity_name
from stadtherz.web.staff.views import limit_choices, local_time, organisation_of
from stadtherz.web.staff.viewsets import OrganisationPolicy, Reach
from stadtherz.web.tests.staff_cast import Town, signed_in, town
from stadtherz.web.tests.test_staff_matrix import RULES, ours

pytestmark = pytest.mark.django_db


@pytest.fixture
def elsewhere() -> Town:
    return town("pirmasens")


@pytest.fixture
def root(home: Town) -> Client:
    User.objects.create_superuser("root@stadtherz.example")
    return signed_in("root@stadtherz.example")


@pytest.mark.parametrize(
    ("page", "row", "called"),
    [
        ("roster:swap", "roster", "Dienst tauschen"),
        ("device:send_downlink", "device", "Dem Gerät eine Nachricht senden"),
    ],
)
def test_a_page_of_our_own_is_headed_by_its_name_and_leads_back_to_its_list(
    root: Client, home: Town, page: str, row: str, called: str
) -> None:
    shown = root.get(reverse(page, args=[getattr(home, row)])).content.decode()
    way = shown.partition('aria-label="Breadcrumb"')[2].partition("</nav>")[0]
    assert called in way.rpartition("<li")[2]
    assert f'href="{reverse(f"{row}:index")}"' in way


# --- lists ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(RULES))
def test_every_list_can_be_searched_and_sorted_by_anything(root: Client, name: str) -> None:
    url = reverse(f"{name}:index_results")
    for query in ("q=Sonde", "q=%25%27%22", "ordering=-name", "ordering=password", "p=0", "p=x"):
        assert root.get(f"{url}?{query}").status_code == 200, query


@pytest.mark.parametrize("name", list(RULES))
def test_every_filter_survives_a_value_that_is_none(root: Client, name: str) -> None:
    views = next(views for views in ours() if views.name == name)
    asked = views.list_filter if isinstance(views.list_filter, list | dict) else []
    for field in asked:
        for value in ("", "1", "nichts", "-1", "2026-13-45"):
            page = root.get(reverse(f"{name}:index_results"), {field: value})
            assert page.status_code == 200, (field, value)


def test_yes_and_no_are_said_in_words(root: Client, home: Town) -> None:
    page = root.get(reverse("contact:index")).content.decode()
    assert 'data-label="Aktiv">ja</td>' in page


def test_a_filter_still_finds_own_rows(home: Town, elsewhere: Town) -> None:
    editor = signed_in("editor@lautern.example")
    page = editor.get(reverse("devicefield:index_results"), {"device": home.device})
    assert [row.pk for row in page.context["object_list"]] == [home.field]


def test_an_empty_list_says_so_and_leads_to_the_first_entry(root: Client) -> None:
    none_fits = root.get(reverse("device:index"), {"q": "xyz"}).content.decode()
    Pause.objects.all().delete()
    shown = root.get(reverse("pause:index")).content.decode()
    assert "Hier steht noch nichts." in shown
    assert f'<a href="{reverse("pause:add")}">Legen Sie den ersten Eintrag an.</a>' in shown
    assert "Nichts passt dazu." in none_fits
    assert "den ersten Eintrag" not in none_fits


def test_a_list_that_nobody_fills_by_hand_leads_nowhere(root: Client) -> None:
    RefusedUplink.objects.all().delete()
    shown = root.get(reverse("refused:index")).content.decode()
    assert "Hier steht noch nichts." in shown
    assert "den ersten Eintrag" not in shown


def found(client: Client, name: str, words: str) -> bool:
    """Whether a search of a list finds anything."""
    page = client.get(reverse(f"{name}:index_results"), {"q": words}).content.decode()
    return "Nichts passt" not in page


def test_a_search_finds_what_is_stored_in_the_other_language(root: Client, home: Town) -> None:
    Thing = type(DeviceField.objects.get(pk=home.field).datastream.thing)  # noqa: N806 - a class
    Thing.objects.filter(pk=home.thing).update(name="Soil moisture, Überflutungsfläche Nord")
    assert found(root, "thing", "Bodenfeuchte nord")
    assert found(root, "thing", "überflutung")  # SQLite knows no capital Ü
    assert not found(root, "thing", "Luftfeuchte")
    DeviceType.objects.filter(pk=home.device_type).update(
        proposals=[{"path": "h", "name": "Relative humidity", "unit": "%", "definition": ""}]
    )
    assert found(root, "devicetype", "Luftfeuchte")
    assert not found(root, "devicetype", "Wasserstand")


def test_a_search_finds_a_refusal_by_its_facts(home: Town) -> None:
    RefusedUplink.objects.filter(pk=home.refused).update(facts={"dev_eui": "70B3D57ED0012345"})
    editor = signed_in("editor@lautern.example")
    found = editor.get(reverse("refused:index_results"), {"q": "ed0012345"})
    assert [row.pk for row in found.context["object_list"]] == [home.refused]


def test_a_list_does_not_ask_the_database_more_for_more_rows(
    home: Town, django_assert_max_num_queries: Any
) -> None:
    for number in range(15):
        Device.objects.create(
            owner_id=home.organisation, network="tts", dev_eui=f"FF{number:014X}", name=f"N{number}"
        )
    editor = signed_in("editor@lautern.example")
    editor.get(reverse("device:index_results"))
    with django_assert_max_num_queries(15):
        editor.get(reverse("device:index_results"))


# --- choices in forms ----------------------------------------------------------------------------


def request_of(email: str) -> HttpRequest:
    request: Any = RequestFactory().get("/")
    request.user = User.objects.get(email=email)
    request.visibility = visibility_of_user(request.user)
    return request  # type: ignore[no-any-return]


def offered(form: Any, field: str) -> set[int]:
    return set(form.fields[field].queryset.values_list("pk", flat=True))


def test_rows_of_inline_forms_offer_own_choices_only(home: Town, elsewhere: Town) -> None:
    formset = inlineformset_factory(Device, DeviceField, fields=["datastream"])
    form: Any = modelform_factory(Device, fields=["name"])()
    form.formsets = {"fields": formset(instance=Device.objects.get(pk=home.device))}
    limit_choices(form, DeviceViewSet(), request_of("editor@lautern.example"))
    rows = form.formsets["fields"]
    for row in (*rows.forms, rows.empty_form):
        assert offered(row, "datastream") == {home.stream}


def test_what_a_row_has_already_stays_a_choice(home: Town, elsewhere: Town) -> None:
    """Else saving anything would silently drop it."""
    DeviceField.objects.filter(pk=home.field).update(datastream_id=elsewhere.stream)
    row = DeviceField.objects.get(pk=home.field)
    form = modelform_factory(DeviceField, fields=["datastream"])(instance=row)
    limit_choices(form, DeviceFieldViewSet(), request_of("editor@lautern.example"))
    assert offered(form, "datastream") == {home.stream, elsewhere.stream}


def test_a_choice_without_an_owner_is_empty_unless_it_is_declared_open(home: Town) -> None:
    class Open(DeviceFieldViewSet):
        open_choices = ("content_type",)

    from django.contrib.auth.models import Permission  # belongs to no organisation

    for views, empty in ((DeviceFieldViewSet(), True), (Open(), False)):
        form = modelform_factory(Permission, fields=["content_type"])()
        limit_choices(form, views, request_of("editor@lautern.example"))
        assert (not offered(form, "content_type")) is empty


# --- rules ---------------------------------------------------------------------------------------

ids = st.frozensets(st.integers(1, 6), max_size=4)


@given(organisations=ids, writes=ids, everything=st.booleans(), owner=st.integers(1, 6))
def test_reach_says_the_same_as_visibility(
    organisations: frozenset[int], writes: frozenset[int], everything: bool, owner: int
) -> None:
    seen = Visibility(
        organisations=organisations, writes=writes, everything=everything, scopes=frozenset(Scope)
    )
    reach = Reach(seen.writes, seen.everything)
    assert (reach.everything or owner in reach.organisations) == seen.may_write(owner)


def test_a_view_set_that_only_shows_allows_no_change_even_to_a_superuser(home: Town) -> None:
    policy = OrganisationPolicy(RefusedUplinkViewSet())
    root = User.objects.create_superuser("root@stadtherz.example")
    assert policy.user_has_permission(root, "view")
    for action in ("add", "change", "delete"):
        assert not policy.user_has_permission(root, action)


def test_a_permission_for_a_row_asks_whose_it_is(home: Town, elsewhere: Town) -> None:
    policy = OrganisationPolicy(DeviceViewSet())
    editor = User.objects.get(email="editor@lautern.example")
    own, foreign = (Device.objects.get(pk=pk) for pk in (home.device, elsewhere.device))
    for action in ("view", "change", "delete"):
        assert policy.user_has_permission_for_instance(editor, action, own)
        assert not policy.user_has_permission_for_instance(editor, action, foreign)


# --- small helpers -------------------------------------------------------------------------------


def test_the_owner_of_a_row_is_found_along_its_path(home: Town) -> None:
    field = DeviceField.objects.get(pk=home.field)
    assert organisation_of(field, "device__owner") == home.organisation
    user = User.objects.create_superuser("root@stadtherz.example")
    assert organisation_of(user, "memberships__organisation") is None


def test_microseconds_are_shown_as_a_local_time() -> None:
    with override("de"):
        assert local_time(1_764_144_000_000_000) == "26.11.2025 09:00"
    assert local_time(None) == ""


def test_the_trail_names_kinds_of_records_for_people() -> None:
    with override("de"):
        for entity, name in (
            ("ingest.device", "Gerät"),
            ("Datastream", "Messreihe"),
            ("x.y", "x.y"),
        ):
            record(SYSTEM, "create", entity, 1)
            assert entity_name(AuditEntry.objects.latest("pk")) == name
