"""Warnings through a modem of one's own: out, back in, and what became of them, by the real daemons."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.cache import cache

from stadtherz.alerts.channels.outcomes import NotHandedOver
from stadtherz.alerts.channels.sms import split
from stadtherz.alerts.channels.spool import gammu
from stadtherz.alerts.models import Address, Alert, Channel, Contact, Delivery, Gateway
from stadtherz.alerts.outbox.listening import listen
from stadtherz.alerts.public import add_gateway, change, send_due
from stadtherz.alerts.tests import modems
from stadtherz.alerts.tests.factories import Ward, make_ward
from stadtherz.alerts.tests.modems import Modem, Telephone
from stadtherz.alerts.tests.processes import eventually
from stadtherz.base.errors import Invalid

NUMBER = "+4915111111111"
Status = Delivery.Status
Receipt = Delivery.Receipt


@pytest.fixture
def ward(transactional_db: None) -> Ward:
    cache.clear()  # which counts what each number answers
    made = make_ward([])
    contact = Contact.objects.create(owner_id=made.organisation, name="Wehr")
    Address.objects.create(contact=contact, channel=Channel.SMS, address=NUMBER, use="always")
    Address.objects.create(
        contact=contact, channel=Channel.EMAIL, address="w@stadt.example", use="instead"
    )
    contact.lists.add(made.recipients)
    return made


@pytest.fixture
def telephone(tmp_path: Path) -> Iterator[Telephone]:
    with modems.gammu(tmp_path / "gammu") as running:
        yield running


@pytest.fixture
def modem(tmp_path: Path) -> Iterator[Modem]:
    with modems.smsd(tmp_path / "smsd") as running:
        yield running


@pytest.fixture
def folders(tmp_path: Path) -> modems.Folders:
    """Those of a daemon that does not run."""
    return modems.Folders(modems._made(tmp_path / "dead"))


def only() -> Delivery:
    return Delivery.objects.get(channel=Channel.SMS)


def warned(ward: Ward) -> Delivery:
    change(ward.goes(0, 1, observation=1))
    send_due()
    assert send_due() == 0
    return only()


def heard() -> bool:
    listen()
    return Alert.objects.get().acknowledged_at is not None


def told(receipt: str) -> bool:
    listen()
    return only().receipt == receipt


def test_gammu_sends_a_warning_and_the_answer_comes_back(ward: Ward, telephone: Telephone) -> None:
    add_gateway("modem", "gammu", telephone.settings())
    sent = warned(ward)
    assert (sent.status, sent.receipt) == (Status.SENT, Receipt.NONE)
    assert eventually(lambda: telephone.names("sent") == [sent.message_id])
    assert f"to {NUMBER}" in telephone.log()
    assert eventually(lambda: told(Receipt.BUFFERED))

    telephone.arrives(NUMBER, f"übernehme {Alert.objects.get().code}, bin müde")
    assert eventually(heard)
    assert Alert.objects.get().acknowledged_by == "Wehr"
    assert telephone.names("inbox") == []  # nobody's words lie about
    assert eventually(lambda: len(telephone.names("sent")) == 2)  # and that was confirmed


@pytest.mark.parametrize("text", ["Größe [5 €] ~ „x“", "жук 👋", "x" * 400])
def test_gammu_reads_every_letter(telephone: Telephone, text: str) -> None:
    """It writes into its log what it puts into each SMS."""
    name = gammu(telephone.settings()).send(NUMBER, text, "7", goes_next=lambda: None)
    assert eventually(lambda: telephone.names("sent") == [name])
    assert f": {text[:150]}" in telephone.log()
    parts = len(split(text))
    assert f"Transmitted {name} (total: {parts})" in telephone.log()


def test_smsd_sends_a_warning_and_the_answer_comes_back(ward: Ward, modem: Modem) -> None:
    add_gateway("modem", "smstools", modem.settings())
    sent = warned(ward)
    assert eventually(lambda: modem.names("sent") == [sent.message_id])
    (pdu,) = modem.sent
    assert "945111111111F1" in pdu  # our number, swapped in pairs
    assert eventually(lambda: told(Receipt.BUFFERED))

    modem.arrives(arriving("4915111111111", f"übernehme {Alert.objects.get().code}"))
    assert eventually(heard)
    assert Alert.objects.get().acknowledged_by == "Wehr"
    assert eventually(lambda: len(modem.sent) == 2)


def test_what_smsd_cannot_send_goes_another_way(ward: Ward, modem: Modem) -> None:
    modem.refuses = True
    add_gateway("modem", "smstools", modem.settings())
    lost = warned(ward)
    assert eventually(lambda: told(Receipt.UNDELIVERED))
    assert Delivery.objects.get(channel=Channel.EMAIL).instead_of == lost


def arriving(sender: str, text: str) -> str:
    """An SMS-DELIVER in UCS-2 as a modem shows it (3GPP TS 23.040, 9.2.2.1)."""
    digits = sender + "F" * (len(sender) % 2)
    swapped = "".join(digits[at + 1] + digits[at] for at in range(0, len(digits), 2))
    coded = text.encode("utf-16-be")
    return (
        f"0004{len(sender):02X}91{swapped}000862117221000000{len(coded):02X}{coded.hex().upper()}"
    )


def test_a_modem_that_takes_nothing_is_passed_over(ward: Ward, folders: modems.Folders) -> None:
    add_gateway("modem", "gammu", folders.settings())
    warned(ward)
    (name,) = folders.names("outbox")
    grow_old(folders, name, minutes=10)
    change(ward.goes(1, 0, observation=2))
    send_due()
    assert set(Delivery.objects.values_list("status", flat=True)) == {Status.SENT, Status.QUEUED}
    assert "10 minutes" in Gateway.objects.get().last_error


def test_a_warning_of_yesterday_is_taken_back_and_goes_another_way(
    ward: Ward, folders: modems.Folders
) -> None:
    add_gateway("modem", "gammu", folders.settings())
    lost = warned(ward)
    grow_old(folders, lost.message_id, minutes=61)
    listen()
    assert folders.names("outbox") == []
    assert only().receipt == Receipt.UNDELIVERED
    assert Delivery.objects.get(channel=Channel.EMAIL).instead_of == lost


def test_files_of_others_are_left_alone(ward: Ward, folders: modems.Folders) -> None:
    other = folders.folder / "outbox" / "OUT+4915100.txt"
    other.write_text("Geburtstag")
    grow_old(folders, other.name, minutes=600)
    add_gateway("modem", "gammu", folders.settings())
    listen()
    assert other.exists()
    assert warned(ward).status == Status.SENT


def test_an_answer_in_parts_is_read_whole_and_only_when_it_is_written(
    ward: Ward, folders: modems.Folders
) -> None:
    add_gateway("modem", "gammu", folders.settings())
    warned(ward)
    inbox = folders.folder / "inbox"
    for part, text in enumerate((f"ok {Alert.objects.get().code} ", "bin gleich da")):
        path = inbox / f"IN20261127_215019_00_{NUMBER}_{part:02}.txt"
        path.write_bytes(b"\xff\xfe" + text.encode("utf-16-le") if part else text.encode())
    assert not heard()  # it may still be written
    for name in folders.names("inbox"):
        grow_old(folders, name, minutes=1, place="inbox")
    assert heard()
    assert folders.names("inbox") == []


def test_of_two_that_share_a_modem_one_reads_at_a_time(ward: Ward, folders: modems.Folders) -> None:
    """Or both would answer the same SMS."""
    add_gateway("modem", "gammu", folders.settings())
    path = folders.folder / "inbox" / f"IN20261127_215019_00_{NUMBER}_00.txt"
    path.write_text("OK 1")
    grow_old(folders, path.name, minutes=1, place="inbox")
    with gammu(folders.settings()).alone() as first:
        assert first
        listen()
        assert folders.names("inbox") == [path.name]
    listen()
    assert folders.names("inbox") == []


def test_what_cannot_be_taken_away_is_not_answered_again_and_again(
    ward: Ward, folders: modems.Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_gateway("modem", "gammu", folders.settings())
    warned(ward)
    came = folders.folder / "inbox" / f"IN20261127_215019_00_{NUMBER}_00.txt"
    came.write_text("ok")
    grow_old(folders, came.name, minutes=1, place="inbox")
    # The tests may run as somebody who may write everywhere.
    monkeypatch.setattr("stadtherz.alerts.channels.spool._is_writable", lambda f: f != came.parent)
    assert not heard()
    with pytest.raises(NotHandedOver, match="inbox"):
        gammu(folders.settings()).check()


def test_a_message_that_cannot_be_laid_down_is_not_handed_over(folders: modems.Folders) -> None:
    spool = gammu(folders.settings())
    (folders.folder / "outbox").rmdir()
    with pytest.raises(NotHandedOver):
        spool.send(NUMBER, "Test", "7", goes_next=lambda: None)


@pytest.mark.parametrize("missing", ["folder", "inbox", "sent", "failed"])
def test_a_folder_that_is_not_there_is_named(
    transactional_db: None, folders: modems.Folders, missing: str
) -> None:
    settings = {**folders.settings(), missing: "/nowhere"}
    with pytest.raises(Invalid) as refused:
        add_gateway("modem", "gammu", settings)
    assert refused.value.field == missing


def grow_old(folders: modems.Folders, name: str, *, minutes: int, place: str = "outbox") -> None:
    then = time.time() - minutes * 60 - 1
    os.utime(folders.folder / place / name, (then, then))
