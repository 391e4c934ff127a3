"""Times in which nobody is told.

A pause of a thing or of a rule silences everything about it, danger too: whoever sets it knows what
will be wrong. A pause of the whole organisation lets danger through: nobody can know what else will
happen meanwhile. The end of what people were told of is told to them in a pause, too.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from stadtherz.alerts.models import Alert, AlertEvent, AlertNote, Pause
from stadtherz.alerts.people.calling import urgency
from stadtherz.base.errors import Invalid
from stadtherz.base.time import Micros, from_us, now, now_us
from stadtherz.kit.declaration import Severity

Change = AlertEvent.Change


def pause(
    *,
    owner: int,
    ends: datetime,
    reason: str,
    by: str,
    starts: datetime | None = None,
    thing: int | None = None,
    rule: int | None = None,
) -> Pause:
    """Silence a thing, a rule or, without both, the organisation until `ends`."""
    begins = starts or now()
    if not reason.strip():
        raise Invalid("reason", str(_("Say why nobody shall be told.")))
    if ends <= max(begins, now()):
        raise Invalid("ends", str(_("The end must be in the future and after the beginning.")))
    with transaction.atomic():
        made = Pause.objects.create(
            owner_id=owner,
            thing_id=thing,
            rule_id=rule,
            starts=begins,
            ends=ends,
            reason=reason.strip(),
            by=by,
        )
        note_beginning(made)
    return made


def note_beginning(made: Pause) -> None:
    """Write into the open alerts it concerns that they are silenced."""
    note(made, AlertNote.Act.PAUSED, made.by, made.reason)


def end_pause(pk: int, who: str) -> bool:
    """End it now; one that has not begun is deleted. False if it was over already."""
    moment = now()
    with transaction.atomic():
        found = Pause.objects.select_for_update(of=("self",)).filter(pk=pk).first()
        if found is None or found.ends <= moment:
            return False
        if found.starts >= moment:
            found.delete()
            return True
        found.ends, found.settled = moment, True
        found.save(update_fields=["ends", "settled"])
        note(found, AlertNote.Act.RESUMED, who, found.reason)
    return True


def in_force(alert: Alert, severity: str, moment: Micros) -> bool:
    """Whether a pause silences this alert at this severity. A test alarm is never silenced."""
    if alert.drill or alert.owner_id is None:
        return False
    at = from_us(moment)
    running = Pause.objects.filter(owner=alert.owner_id, starts__lte=at, ends__gt=at)
    found = running.values_list("thing", "rule")
    return any(_covers(thing, rule, alert, severity) for thing, rule in found)


def silencing(alerts: Iterable[Alert]) -> dict[int, Pause]:
    """The pause that silences each of these now, by the alert's id; of several the one that lasts longest."""
    listed = [alert for alert in alerts if not alert.drill]
    at, owners = now(), {alert.owner_id for alert in listed}
    running = Pause.objects.filter(owner__in=owners - {None}, starts__lte=at, ends__gt=at)
    return {
        alert.pk: each
        for each in running.order_by("ends")
        for alert in listed
        if alert.owner_id == each.owner_id
        and _covers(each.thing_id, each.rule_id, alert, alert.severity)
    }


def mutes(alert: Alert, event: AlertEvent) -> bool:
    """Whether an event happens in a pause. An all-clear never does: it goes only to those who know."""
    if event.change == Change.CLEARED:
        return False
    return in_force(alert, event.severity, now_us())


def _covers(thing: int | None, rule: int | None, alert: Alert, severity: str) -> bool:
    if thing is None and rule is None:
        return urgency(severity) < urgency(Severity.DANGER)
    if rule is not None and rule != alert.rule_id:
        return False
    return thing is None or (alert.datastream is not None and alert.datastream.thing_id == thing)


def note(about: Pause, act: AlertNote.Act, who: str, why: str) -> None:
    moment = now_us()
    AlertNote.objects.bulk_create(
        AlertNote(alert=alert, act=act, at=moment, who=who, why=why)
        for alert in _open_alerts_of(about)
    )


def _open_alerts_of(about: Pause) -> QuerySet[Alert]:
    found = Alert.objects.filter(owner=about.owner_id, cleared_at=None, drill=False)
    if about.thing_id is not None:
        found = found.filter(datastream__thing=about.thing_id)
    if about.rule_id is not None:
        found = found.filter(rule=about.rule_id)
    return found
