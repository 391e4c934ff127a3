"""What follows when staff make, change, switch off or delete a rule, also while it is warning.

A rule that is switched on, or changed, judges the newest reading at once. One that is switched off or
deleted ends its alerts with a word to those who had been told.
"""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db.models import F
from django.db.models.signals import pre_delete
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from stadtherz.alerts.models import Alert, Rule, RuleState
from stadtherz.alerts.publishing import made_private
from stadtherz.alerts.rules.known import Rules, connect, rules
from stadtherz.alerts.rules.telling import KIND, subject_of
from stadtherz.alerts.states import change
from stadtherz.alerts.values import Transition, Wording
from stadtherz.base.time import Micros, now_us
from stadtherz.kit.declaration import Severity
from stadtherz.store.public import exclusive, streams

_AT_ONCE = 500  # states made in one transaction

_settled: list[int] = []


def settle(now: Micros) -> None:
    """Bring states in line with the rules in force, if those have changed since this process looked."""
    known = rules()
    if _settled == [known.version]:
        return
    with exclusive():
        _end_those(RuleState.objects.filter(rule__active=False))
        others = RuleState.objects.filter(rule__active=True).exclude(edition=F("rule__changed_at"))
        others.update(look_at=now)
        _hide_what_is_private()
    _begin(known, now)
    _settled[:] = [known.version]


def _hide_what_is_private() -> None:
    """A rule that is for the public no more takes its warnings in force back at once."""
    shown = Alert.objects.filter(cleared_at=None, public=True, rule__public=False)
    for alert in shown.select_for_update(of=("self",)).order_by("kind", "subject"):
        alert.public = False
        alert.save(update_fields=["public"])
        made_private(alert)


def _begin(known: Rules, now: Micros) -> None:
    """In portions: on SQLite nobody else writes meanwhile."""
    wanted = {
        (rule.id, rule.anchor or stream)
        for stream, of_stream in known.by_stream.items()
        for rule in of_stream
    }
    missing = sorted(wanted - set(RuleState.objects.values_list("rule", "datastream")))
    for portion in (missing[i : i + _AT_ONCE] for i in range(0, len(missing), _AT_ONCE)):
        new = [
            RuleState(rule_id=rule, datastream_id=stream, look_at=now) for rule, stream in portion
        ]
        with exclusive():
            RuleState.objects.bulk_create(new, ignore_conflicts=True)


def _end_those(states: Any) -> None:
    rows = list(states.select_for_update(of=("self",)).order_by("rule", "datastream"))
    for state in rows:
        if state.rank:
            _end(state)
    RuleState.objects.filter(pk__in=[row.pk for row in rows]).delete()


def _end(state: RuleState) -> None:
    """The alert is over because nobody watches any more, and those who were told of it learn so."""
    alert = Alert.objects.filter(
        kind=KIND, subject=subject_of(state.rule_id, state.datastream_id), cleared_at=None
    ).first()
    if alert is None:
        return
    now = now_us()
    change(
        Transition(
            kind=KIND,
            subject=alert.subject,
            datastream=state.datastream_id,
            before=alert.rank,
            after=0,
            step="",
            severity=Severity.OK,
            title={},
            texts=dict(_texts(state)),
            observation=None,
            at=now,
            recipients=alert.recipients_id,
            public=alert.public,
            rule=alert.rule_id,
            owner=alert.owner_id,
            watched=False,
        )
    )


def _texts(state: RuleState) -> Iterable[tuple[str, Wording]]:
    stream = streams([state.datastream_id])[state.datastream_id]
    path = f"/Datastreams({stream.id})"
    for code, _name in settings.LANGUAGES:
        with override(code):
            words = {"rule": state.rule.name, "place": stream.thing_name}
            yield (
                code,
                Wording(
                    subject=_("No longer watched: %(place)s, %(rule)s") % words,
                    sentence=_(
                        "The rule “%(rule)s” was switched off or deleted. Whether %(place)s is back to normal "
                        "is not known."
                    )
                    % words,
                    facts=((_("Place"), stream.thing_name), (_("Rule"), state.rule.name)),
                    link=reverse("web:entities", kwargs={"version": "1.1", "path": path}),
                ),
            )


def _deleted(instance: Rule, origin: Any, **_signal: Any) -> None:
    """Where the datastream goes, its alerts go with it, and there is nobody to tell of what."""
    if isinstance(origin, Rule) or getattr(origin, "model", None) is Rule:
        _end_those(RuleState.objects.filter(rule=instance))


def watch_changes() -> None:
    """Called when Django starts."""
    connect()
    pre_delete.connect(_deleted, sender=Rule, dispatch_uid="alerts.rules.deleted")
