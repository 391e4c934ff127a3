import pytest

from stadtherz.base.time import now_us
from stadtherz.base.visibility import ANONYMOUS
from stadtherz.demo import city, people, worries
from stadtherz.identity.public import User, organisations
from stadtherz.ingest.public import Device, DeviceDay, known_devices
from stadtherz.store.public import extents, streams, streams_visible_to

pytestmark = pytest.mark.django_db(transaction=True)


def test_setting_up_twice_changes_nothing() -> None:
    first = city.set_up(history=True)
    before = {
        stream: extent.count for stream, extent in extents(list(first.streams.values())).items()
    }
    again = city.set_up(history=True)
    assert again.streams == first.streams
    assert organisations().count() == 2
    after = {
        stream: extent.count for stream, extent in extents(list(first.streams.values())).items()
    }
    assert after == before


def test_every_stream_says_where_it_was_really_measured() -> None:
    made = city.set_up(history=False)
    for info in streams(made.streams.values()).values():
        assert info.properties["recorded_at"]
        assert info.properties["licence"] == "Public Domain"
        assert info.position is not None


def test_the_neighbours_gauge_is_for_the_neighbour_only() -> None:
    made = city.set_up(history=False)
    hidden = made.stream("neighbour.level")
    assert streams_visible_to(ANONYMOUS) == frozenset(made.streams.values()) - {hidden}


def test_an_interrupted_settling_is_simply_repeated() -> None:
    made = city.set_up(history=False)
    people.settle(made)
    known = people.settle(made)
    account = known.accounts["editor"]
    user = User.objects.get(email=account.email)
    assert user.check_password(account.password)


def test_the_page_on_device_health_has_something_to_show() -> None:
    for _ in range(2):
        made = city.set_up(history=True)
    now = now_us()
    found = {
        row.device.dev_eui: {condition.value for condition in row.conditions}
        for row in known_devices(Device.objects.filter(owner=made.organisation), now)
    }
    assert "silent" in found[worries.SILENT]
    assert "battery_low" in found[worries.EMPTY]
    assert "silent" not in found[worries.EMPTY]
    assert DeviceDay.objects.filter(device__dev_eui=worries.EMPTY).count() == 60
