"""One public warning for a whole town: how long until everybody is owed a mail, and how fast those leave.

    python -m bench.recipients [--quick]

The warning is raised while nobody sends; then all who subscribed are queued, then the product's own thread
hands mails to a server in a process of its own for a while. Its pace decides how long a town waits.
STADTHERZ_ENGINE chooses an (empty) PostgreSQL database.
"""

import tempfile
import time
from pathlib import Path

import click
from django.urls import reverse

from bench import gateways, timing, town
from stadtherz.alerts.citizens.telling import spread
from stadtherz.alerts.models import Delivery, Subscriber, Topic
from stadtherz.alerts.public import (
    Channel,
    Transition,
    Wording,
    add_contact,
    add_contact_list,
    add_gateway,
    change,
    start_delivery,
    stop_delivery,
)
from stadtherz.base.time import now, now_us
from stadtherz.identity.public import organisation_id
from stadtherz.kit.declaration import Severity

_FULL, _QUICK = 10_000, 20
_SECONDS = {_FULL: 20.0, _QUICK: 2.0}


@click.command()
@click.option("--quick", is_flag=True, help="Only show that it runs.")
def main(*, quick: bool) -> None:
    """Print the table of recipients."""
    number = _QUICK if quick else _FULL
    stream = town.build(1).streams[0]
    _subscribe(number)
    owner = organisation_id("bench")
    staff = add_contact(owner=owner, name="On call", email="on.call@bench.example")
    duty = add_contact_list(owner=owner, name="Duty", contacts=[staff])
    raised = timing.seconds(lambda: change(_warning(stream, duty)))
    reverse("web:warnings")  # a running server has its pages read already
    queued = timing.seconds(lambda: spread(Channel.PUSH))
    owed = Delivery.objects.exclude(subscriber=None).count()
    if owed != number:
        raise SystemExit(f"{owed} of {number} subscribers are owed a mail")
    with tempfile.TemporaryDirectory() as folder, gateways.running(Path(folder)) as taking:
        add_gateway("relay", "smtp", {"host": "127.0.0.1", "port": taking.smtp, "security": "none"})
        pace, first = _sent(taking, _SECONDS[number])
    rows = [
        ("the warning is raised", f"{1000 * raised:.0f} ms", ""),
        (f"all {number:,} are queued", f"{queued:.1f} s", timing.rate(number / queued)),
        ("who has to act is told after", f"{1000 * first:.0f} ms", ""),
        ("mails leave", f"all in {number / pace / 60:.1f} min", timing.rate(pace)),
    ]
    timing.show(f"A public warning for {number:,} people", ("", "takes", "a second"), rows)


def _subscribe(number: int) -> None:
    made = Subscriber.objects.bulk_create(
        [
            Subscriber(channel="email", address=f"b{n}@web.example", key=str(n), confirmed_at=now())
            for n in range(number)
        ],
        batch_size=2000,
    )
    Topic.objects.bulk_create([Topic(subscriber=each) for each in made], batch_size=2000)


def _warning(stream: int, duty: int) -> Transition:
    words = Wording("Alarm: Mill Brook", "The brook is at 2.50 m.", (("Level", "250 cm"),), "/")
    return Transition(
        kind="bench.level",
        subject="1",
        datastream=stream,
        before=0,
        after=1,
        step="Alarm",
        severity=Severity.DANGER,
        title={"de": "Alarm", "en": "Alarm"},
        texts={"de": words, "en": words},
        observation=1,
        at=now_us(),
        recipients=duty,
        public=True,
    )


def _sent(taking: gateways.Gateways, seconds: float) -> tuple[float, float]:
    """Mails a second, and after how many seconds the one who has to act was told."""
    began = time.time()
    start_delivery()
    while time.time() - began < seconds and Delivery.objects.filter(status="queued").exists():
        time.sleep(0.2)
    stop_delivery()
    taken = taking.taken()
    if not taken:
        raise SystemExit("no mail has left")
    duty = next(each.at for each in taken if each.to == "on.call@bench.example")
    return len(taken) / max(taken[-1].at - began, 1e-9), duty - began


if __name__ == "__main__":
    main()
