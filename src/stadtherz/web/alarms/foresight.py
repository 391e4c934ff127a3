"""What a rule would have done: asked of the part of alerts that judges rules, in the background.

A year of readings takes a moment. The first look at the page starts the reckoning, later ones find it
under way or done; a rule that has been changed is reckoned anew.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Any

from django.db import connections

from stadtherz.alerts import public as alerts
from stadtherz.alerts.public import Rule
from stadtherz.base.time import Micros

log = logging.getLogger(__name__)

_MOST = 50  # reckonings that are remembered


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One warning that the rule would have given."""

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


def is_ready() -> bool:
    """Whether rules are judged at all by what is installed."""
    return _preview() is not None


def mistakes(rule: Rule) -> Mapping[str, str]:
    """What the judge cannot work with, by the field's name."""
    found: Callable[[Rule], Mapping[str, str]] | None = getattr(alerts, "mistakes", None)
    return {} if found is None else found(rule)


def _preview() -> Callable[[Rule, Micros, Micros], Any] | None:
    return getattr(alerts, "preview", None)


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
    preview = _preview()
    try:
        if preview is None:
            return ()
        return [
            Foreseen(each.at, each.value, str(each.step), str(each.severity), each.datastream)
            for each in preview(rule, since, until).events
        ]
    except Exception:
        log.exception("The preview of rule %s has failed", rule.pk)
        raise
    finally:
        connections.close_all()
