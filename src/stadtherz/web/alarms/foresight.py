"""What a rule would have done: asked of the part of alerts that judges rules, in the background.

A year of readings takes a moment. The first look at the page starts the reckoning, later ones find it
under way or done; a rule that has been changed is reckoned anew.
"""

import logging
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock

from django.db import connections

from stadtherz.alerts.public import Change, Preview, Rule, RuleStep, preview, ranked_steps
from stadtherz.base.time import Micros

log = logging.getLogger(__name__)

_MOST = 50  # reckonings that are remembered


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One warning that the rule would have given, with the gravest step of its course."""

    at: Micros
    value: float | None
    step: str
    severity: str
    datastream: int


@dataclass(frozen=True, slots=True)
class Foresight:
    """How far the reckoning is; `warnings` counts once it is done, `problem` says why it is not."""

    done: bool
    warnings: Sequence[Foreseen] = ()
    problem: str = ""


# --- in the background -----------------------------------------------------------------------------

_workers = ThreadPoolExecutor(1, thread_name_prefix="rule-preview")
_known: dict[tuple[int, str], Future[Sequence[Foreseen]]] = {}
_lock = Lock()


def foresight(rule: Rule, since: Micros, until: Micros) -> Foresight:
    """What is known now; begins the reckoning if nobody has."""
    key = (rule.pk, rule.changed_at.isoformat())
    with _lock:
        if key not in _known:
            while len(_known) >= _MOST:
                _known.pop(next(iter(_known))).cancel()
            _known[key] = _workers.submit(_reckon, rule, since, until)
        future = _known[key]
    if not future.done():
        return Foresight(done=False)
    try:
        return Foresight(done=True, warnings=future.result())
    except Exception as error:  # noqa: BLE001 - whatever it was, the page tells it
        with _lock:
            _known.pop(key, None)
        return Foresight(done=True, problem=str(error))


def _reckon(rule: Rule, since: Micros, until: Micros) -> Sequence[Foreseen]:
    try:
        return episodes(rule, preview(rule, since, until))
    except Exception:
        log.exception("The preview of rule %s has failed", rule.pk)
        raise
    finally:
        connections.close_all()


def episodes(rule: Rule, played: Preview) -> Sequence[Foreseen]:
    """Each time from normal to normal again, with the gravest step that was reached in it."""
    steps = ranked_steps(rule)
    worst: dict[int, Change] = {}
    begun: dict[int, Change] = {}
    found: list[Foreseen] = []
    for each in played.changes:
        if each.before == 0:
            begun[each.datastream] = worst[each.datastream] = each
        elif each.after > worst[each.datastream].after:
            worst[each.datastream] = each
        if each.after == 0:
            found.append(_episode(steps, begun.pop(each.datastream), worst[each.datastream]))
    found += [_episode(steps, first, worst[stream]) for stream, first in begun.items()]
    return sorted(found, key=lambda each: each.at)


def _episode(steps: Sequence[RuleStep], first: Change, worst: Change) -> Foreseen:
    step = steps[worst.after - 1]
    return Foreseen(first.at, worst.value, step.name, step.severity, first.datastream)
