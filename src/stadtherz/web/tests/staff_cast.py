"""The cast of the staff tests: two towns, their people, and one row of everything in each."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.test import Client

from stadtherz.alerts.public import (
    Delivery,
    Roster,
    RosterMember,
    Rule,
    add_contact,
    add_contact_list,
    pause,
    start_drill,
)
from stadtherz.base.time import now
from stadtherz.base.visibility import SYSTEM
from stadtherz.base.vocabulary import WATER_LEVEL
from stadtherz.identity.public import (
    ApiToken,
    AuditEntry,
    Membership,
    User,
    add_member,
    create_organisation,
    create_token,
    record,
)
from stadtherz.ingest.public import (
    Codec,
    Device,
    DeviceField,
    DeviceType,
    DownlinkServer,
    MessageForm,
    RefusedUplink,
    TableImport,
    WatchedFolder,
    add_connection,
    add_source,
    tables,
)
from stadtherz.store import public as store

ROLES = ("viewer", "editor", "administrator")


@dataclass(frozen=True)
class Town:
    """An organisation with one row of everything."""

    slug: str
    organisation: int
    stream: int
    thing: int
    dataset: int
    device: int
    field: int
    device_type: int
    codec: int
    connection: int
    downlink_server: int
    message_form: int
    source: int
    refused: int
    table: int
    mapping: int
    folder: int
    member: int
    token: int
    audit: int
    account: int
    contact: int
    contactlist: int
    roster: int
    pause: int
    drill: int
    alert: int
    rule: int
    delivery: int


def town(slug: str) -> Town:
    owner = create_organisation(slug, slug.title())
    stream = store.register_stream(_stream(slug, owner))
    device = Device.objects.create(
        owner_id=owner, network="tts", dev_eui=f"{owner:016X}", name=f"Sonde {slug}"
    )
    codec = Codec.objects.create(owner_id=owner, name=f"Höhe {slug}", text="level 0 u8")
    message_form = MessageForm.objects.create(
        owner_id=owner, name=f"Wetter {slug}", key="wetter", device="id", time="at"
    )
    product = DeviceType.objects.create(
        owner_id=owner, vendor="Maker", name=f"Sonde {slug}", key=f"maker/{slug}", codec=codec
    )
    field = DeviceField.objects.create(device=device, datastream_id=stream, path="level")
    refused = RefusedUplink.objects.create(
        owner_id=owner,
        network="tts",
        reason="broken_document",
        document=b"{<script>",
        fingerprint=slug,
        received_at=1,
        last_at=1,
    )
    rules = tables.Rules(
        tables.Form(), tables.Times("Zeit"), (tables.Target("Wasserstand", stream),)
    )
    mapping = tables.save_mapping(owner, f"Monatsdatei {slug}", rules)
    for role in ROLES:
        add_member(owner, f"{role}@{slug}.example", role, name=f"{role} {slug}")
    create_token(f"Schlüssel {slug}", owner, ["ingest"])
    record(SYSTEM, "create", "test", 1, organisation=owner)
    return Town(
        slug=slug,
        organisation=owner,
        stream=stream,
        thing=field.datastream.thing_id,
        dataset=_dataset(slug, owner, stream),
        device=device.pk,
        field=field.pk,
        device_type=product.pk,
        codec=codec.pk,
        connection=_connection(slug, owner),
        downlink_server=DownlinkServer.objects.create(
            owner_id=owner, network="loriot", url=f"https://{slug}.example", application="BE7A0001"
        ).pk,
        message_form=message_form.pk,
        source=add_source(
            owner, f"Quelle {slug}", url=f"https://{slug}.example/v1.1", token=f"geheim-{slug}"
        ).pk,
        refused=refused.pk,
        table=TableImport.objects.create(owner_id=owner, name=f"{slug}.csv", created_at=1).pk,
        mapping=mapping.pk,
        folder=WatchedFolder.objects.create(owner_id=owner, name=slug, mapping=mapping).pk,
        account=User.objects.get(email=f"viewer@{slug}.example").pk,
        member=Membership.objects.get(user__email=f"viewer@{slug}.example").pk,
        token=ApiToken.objects.get(organisation_id=owner).pk,
        audit=AuditEntry.objects.filter(organisation_id=owner).latest("pk").pk,
        **_alerts(slug, owner),
    )


def _alerts(slug: str, owner: int) -> dict[str, int]:
    """Somebody on duty, whose list has had a test alarm, and a pause."""
    contact = add_contact(owner=owner, name=f"Wehr {slug}", email=f"wehr@{slug}.example")
    recipients = add_contact_list(owner=owner, name=f"Liste {slug}", contacts=[contact])
    roster = Roster.objects.create(owner_id=owner, name=f"Bereitschaft {slug}")
    RosterMember.objects.create(roster=roster, contact_id=contact)
    drill = start_drill(recipients, "Chef")
    until = now() + timedelta(days=1)
    return {
        "contact": contact,
        "contactlist": recipients,
        "roster": roster.pk,
        "pause": pause(owner=owner, ends=until, reason=f"Bau {slug}", by="Chef").pk,
        "drill": drill.pk,
        "alert": drill.alert_id or 0,
        "rule": Rule.objects.create(owner_id=owner, name_de=f"Regel {slug}").pk,
        "delivery": Delivery.objects.get(event__alert=drill.alert_id).pk,
    }


def _connection(slug: str, owner: int) -> int:
    where = {"network": "tts", "host": f"{slug}.example", "user_name": "user"}
    return add_connection(owner, f"Netz {slug}", password=f"geheim-{slug}", **where).pk


def _dataset(slug: str, owner: int, stream: int) -> int:
    values = {"slug": slug, "title": f"Daten {slug}", "owner": owner, "datastreams": [stream]}
    return store.dataset(store.create_dataset(values, SYSTEM), SYSTEM).id


def _stream(slug: str, owner: int) -> store.NewStream:
    return store.NewStream(
        owner=owner,
        thing_name=f"Pegel {slug}",
        thing_description="",
        location=None,
        sensor_name=f"Ultraschall {slug}",
        sensor_description="",
        observed=WATER_LEVEL,
        name=f"Wasserstand {slug}",
        description="",
        access="organisation",
    )


def signed_in(email: str) -> Client:
    client = Client()
    client.force_login(
        User.objects.get(email=email), backend="django.contrib.auth.backends.ModelBackend"
    )
    return client


def client_of(role: str, home: Town, elsewhere: Town) -> Client:
    """The browser of a person with this role, seen from `home`."""
    if role == "anonymous":
        return Client()
    if role == "stranger":
        return signed_in(f"administrator@{elsewhere.slug}.example")
    if role == "superuser":
        if not User.objects.filter(email="root@stadtherz.example").exists():
            User.objects.create_superuser("root@stadtherz.example", name="Root")
        return signed_in("root@stadtherz.example")
    return signed_in(f"{role}@{home.slug}.example")


def form_of(client: Client, url: str) -> dict[str, Any]:
    """The values a browser would send back if somebody opened this form and pressed save."""
    form = client.get(url).context["form"]
    values = {bound.html_name: bound.value() for bound in form}
    return {name: value for name, value in values.items() if value not in (None, False)}
