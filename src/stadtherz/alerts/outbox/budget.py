"""What may be spent on a gateway in a day: parts of SMS, which is what providers charge for."""

from dataclasses import dataclass, field

from django.db.models import Sum
from django.utils.timezone import localtime

from stadtherz.alerts.models import Delivery, Gateway
from stadtherz.base.time import Micros, from_us, now_us, to_us

SPENT = "The gateway has sent as many SMS today as it may; only danger is still sent."


@dataclass(frozen=True, slots=True)
class Budget:
    """What has gone by each gateway today, read once and then counted on."""

    day: Micros = field(default_factory=lambda: midnight(now_us()))
    _spent: dict[int, int] = field(default_factory=dict)

    def allows(self, row: Gateway, parts: int) -> bool:
        return row.parts_a_day is None or self.spent(row) + parts <= row.parts_a_day

    def spent(self, row: Gateway) -> int:
        if row.pk not in self._spent:
            self._spent[row.pk] = spent_since(row, self.day)
        return self._spent[row.pk]

    def spend(self, row: Gateway, parts: int) -> None:
        if row.parts_a_day is not None:
            self._spent[row.pk] = self.spent(row) + parts


def spent_since(row: Gateway, moment: Micros) -> int:
    """Parts of the messages that it may have got since then; none is left out for lack of an answer."""
    found = Delivery.objects.filter(gateway=row.name, changed_at__gte=moment)
    found = found.exclude(status__in=[Delivery.Status.QUEUED, Delivery.Status.SKIPPED])
    return found.aggregate(parts=Sum("parts"))["parts"] or 0


def midnight(moment: Micros, days: int = 0) -> Micros:
    """When the local day began that holds this moment, or another day so many later."""
    local = localtime(from_us(moment)).replace(hour=0, minute=0, second=0, microsecond=0)
    if days:
        # Noon is never skipped or doubled by a change of the clocks.
        noon = from_us(to_us(local.replace(hour=12)) + days * 86_400_000_000)
        local = localtime(noon).replace(hour=0, minute=0, second=0, microsecond=0)
    return to_us(local)
