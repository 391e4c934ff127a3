"""The views of a view set that the platform's own do not switch on: copying and reordering."""

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.test import RequestFactory

from stadtherz.identity.public import AuditEntry, User, add_member, visibility_of_user
from stadtherz.ingest.public import Device
from stadtherz.web.devices.ingest import DeviceViewSet
from stadtherz.web.staff.viewsets import Reach, StaffViewSet, reads, writes
from stadtherz.web.tests.staff_cast import Town, town

pytestmark = pytest.mark.django_db


@pytest.fixture
def elsewhere() -> Town:
    return town("pirmasens")


def request_of(email: str, method: str = "get", query: str = "") -> HttpRequest:
    request: Any = getattr(RequestFactory(), method)(f"/{query}")
    request.user = User.objects.get(email=email)
    request.visibility = visibility_of_user(request.user)
    return request  # type: ignore[no-any-return]


def copying() -> StaffViewSet:
    return DeviceViewSet("device", copy_view_enabled=True)


def ordering() -> StaffViewSet:
    """Any number will do as the order of rows here."""
    return DeviceViewSet("device", sort_order_field="last_f_cnt")


def test_a_copy_starts_with_the_values_of_the_original(home: Town) -> None:
    response = copying().copy_view(request_of("editor@lautern.example"), pk=home.device)
    assert response.context_data["form"].initial["name"] == "Sonde lautern"


def test_a_copy_is_never_saved_over_the_original(home: Town) -> None:
    """Wagtail's own view would do that to whoever sends the form to this address."""
    request = request_of("editor@lautern.example", "post")
    assert copying().copy_view(request, pk=home.device).status_code == 405


def test_only_what_one_may_change_is_copied(home: Town, elsewhere: Town) -> None:
    with pytest.raises(Http404):
        copying().copy_view(request_of("editor@lautern.example"), pk=elsewhere.device)
    add_member(elsewhere.organisation, "editor@lautern.example", "viewer")
    with pytest.raises(PermissionDenied):
        copying().copy_view(request_of("editor@lautern.example"), pk=elsewhere.device)


def three_devices(home: Town, elsewhere: Town) -> list[int]:
    """Two of ours with a foreign one between them."""
    second = Device.objects.create(
        owner_id=home.organisation, network="tts", dev_eui="00000000000000AB", name="Zweite"
    )
    keys = [home.device, elsewhere.device, second.pk]
    for place, key in enumerate(keys):
        Device.objects.filter(pk=key).update(last_f_cnt=place)
    return keys


def places(keys: list[int]) -> list[int | None]:
    found = dict(Device.objects.values_list("pk", "last_f_cnt"))
    return [found[key] for key in keys]


def test_own_rows_change_places_and_a_foreign_one_keeps_its_own(
    home: Town, elsewhere: Town
) -> None:
    keys = three_devices(home, elsewhere)
    request = request_of("editor@lautern.example", "post", "?position=0")
    assert ordering().reorder_view(request, pk=keys[2]).status_code == 200
    first, foreign, second = places(keys)
    assert foreign == 1
    assert second is not None
    assert first is not None
    assert second < first
    assert AuditEntry.objects.latest("pk").action == "reorder"


def test_a_foreign_row_is_not_moved(home: Town, elsewhere: Town) -> None:
    keys = three_devices(home, elsewhere)
    request = request_of("editor@lautern.example", "post", "?position=0")
    with pytest.raises(Http404):
        ordering().reorder_view(request, pk=keys[1])
    viewer = request_of("viewer@lautern.example", "post", "?position=0")
    with pytest.raises(PermissionDenied):
        ordering().reorder_view(viewer, pk=keys[0])
    assert places(keys) == [0, 1, 2]


def test_whoever_reaches_nothing_finds_nothing() -> None:
    assert not Reach()
    assert Reach(everything=True)
    assert not Reach().limit(Device.objects.all(), "owner").exists()


def test_a_viewer_reaches_to_read_and_not_to_write(home: Town) -> None:
    user = User.objects.get(email="viewer@lautern.example")
    assert reads(user).organisations == {home.organisation}
    assert not writes(user)
