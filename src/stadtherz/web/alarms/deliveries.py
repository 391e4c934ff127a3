"""The back office of messages: which reached whom, by which way, and what became of the others."""

from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import get_language, gettext, gettext_noop
from django.utils.translation import gettext_lazy as _
from django.views.generic import View
from wagtail.admin import messages
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column, TitleColumn

from stadtherz.alerts.public import Alert, Contact, Delivery, send_again
from stadtherz.web import formats
from stadtherz.web.alarms import words
from stadtherz.web.staff.views import Limited, StaffIndexView, StaffInspectView, moment_column
from stadtherz.web.staff.viewsets import StaffViewSet, panel

_MOST_ALERTS = 200  # choices of a filter


def _person(delivery: Delivery) -> str:
    """Who was told; of citizens nobody here reads the address."""
    if delivery.subscriber_id is not None:
        return gettext("subscriber")
    return str(delivery.contact or delivery.user or "–")


def _page(delivery: Delivery) -> str:
    return reverse("delivery:inspect", args=[delivery.pk])


def _named(alert: Alert) -> str:
    """An alert as people know it: what, where, when."""
    return f"{words.kind(alert)}: {words.place(alert)}, {formats.when(alert.opened_at)}"


def _alert(delivery: Delivery) -> str:
    return _named(delivery.event.alert)


class _AlertField(ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return _named(obj)


class _AlertFilter(django_filters.ModelChoiceFilter):
    field_class = _AlertField


def _choices(request: HttpRequest) -> QuerySet[Alert]:
    """The newest alerts, and the one that was asked for; `limit_filters` leaves the reader's own."""
    newest = Alert.objects.order_by("-pk").values_list("pk", flat=True)[:_MOST_ALERTS]
    asked = request.GET.get("alert", "")
    wanted = [*newest, *([int(asked)] if asked.isascii() and asked.isdecimal() else [])]
    rows = Alert.objects.filter(pk__in=wanted).order_by("-pk")
    return rows.select_related("datastream__thing", "rule", "recipients")


class DeliveryFilters(WagtailFilterSet):
    """By what it was about and whom it was for, besides the columns' own."""

    alert = _AlertFilter(label=_("Alert"), field_name="event__alert", queryset=_choices)
    contact = django_filters.ModelChoiceFilter(
        label=_("Person"), queryset=Contact.objects.order_by("name")
    )


class DeliveryIndexView(StaffIndexView):
    base_filterset_class = DeliveryFilters


class DeliveryInspectView(StaffInspectView):
    """How far a message has come, and the button to send it again where that makes sense."""

    template_name = "staff/delivery.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        may = bool(self.views.changes(self.request.user))
        stuck = self.object.status in {Delivery.Status.UNCERTAIN, Delivery.Status.FAILED}
        url_name = self.views.get_url_name("again") if may and stuck else ""
        return {**super().get_context_data(**kwargs), "again_url_name": url_name}


class SendAgainView(Limited, View):
    """A person decides that a message whose fate is unknown is sent once more."""

    permission_required = "change"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        if send_again(pk):
            messages.success(request, str(_("The message will be sent again.")))
            self.audit("send again", Delivery.objects.get(pk=pk), {})
        else:
            messages.warning(request, str(_("This message is not stuck; nothing was changed.")))
        return redirect(self.views.get_url_name("inspect"), pk)


def _subject(delivery: Delivery) -> str:
    return str(delivery.event.wording(get_language() or "de")["subject"])


def _error(delivery: Delivery) -> str:
    """Our own words in the reader's language; a mail server's as they came."""
    return gettext(delivery.error) if delivery.error else ""


def _receipt(delivery: Delivery) -> str:
    return str(delivery.get_receipt_display()) if delivery.receipt else "–"


def _instead(delivery: Delivery) -> str:
    """The message that failed, for which this one stands in."""
    return _way_of(delivery.instead_of) if delivery.instead_of is not None else "–"


def _replaced(delivery: Delivery) -> str:
    found = Delivery.objects.filter(instead_of=delivery).first()
    return "–" if found is None else _way_of(found)


def _way_of(delivery: Delivery) -> str:
    return f"{delivery.get_channel_display()}, {delivery.get_status_display()}"


# What `alerts` may leave in a delivery, for the translators.
_ERRORS = (
    gettext_noop("No mail server is set (STADTHERZ_SMTP_URL)."),
    gettext_noop("No gateway is set for this way."),
    gettext_noop("This is no telephone number."),
    gettext_noop("The contact has been removed."),
    gettext_noop("The contact has been switched off."),
    gettext_noop("The account has been switched off."),
    gettext_noop("The gateways do not take messages at present. It is tried again."),
    gettext_noop("The gateway has sent as many SMS today as it may; only danger is still sent."),
    gettext_noop("The process ended before the server's answer came."),
)


class DeliveryViewSet(StaffViewSet):
    """Which message reached whom; sending again is the only change."""

    model = Delivery
    owner_path = "event__alert__owner"
    allowed = frozenset()
    icon = "mail"
    menu_label = _("Messages")
    inspect_view_class = DeliveryInspectView
    index_view_class = DeliveryIndexView
    list_display = [
        TitleColumn(
            "person",
            label=_("Person"),
            accessor=_person,
            get_url=_page,
            sort_key="contact__name",
        ),
        Column("event", label=_("What happened"), accessor=_subject),
        Column("channel", label=_("Way"), accessor="get_channel_display", sort_key="channel"),
        Column("status", label=_("Status"), accessor="get_status_display", sort_key="status"),
        Column("receipt", label=_("Receipt"), accessor=_receipt, sort_key="receipt"),
        Column("error", label=_("Error"), accessor=_error),
        moment_column("changed_at", _("Last changed")),
    ]
    list_filter = ["status", "channel", "receipt", "gateway"]
    inspect_view_fields = [
        "contact",
        "event",
        "channel",
        "status",
        "receipt",
        "receipt_at",
        "gateway",
        "parts",
        "attempts",
        "next_attempt",
        "message_id",
        "instead_of",
        "replacement",
        "error",
        "owed_at",
        "changed_at",
    ]
    moments = ("next_attempt", "changed_at", "owed_at", "receipt_at")
    labels = {
        "replacement": _("Was sent another way instead"),
        "contact": _("Person"),
        "event": _("Alert"),
    }
    shown = {
        "error": _error,
        "receipt": _receipt,
        "instead_of": _instead,
        "replacement": _replaced,
        "contact": _person,
        "event": _alert,
    }

    def title_of(self, row: Any) -> str:
        return _subject(row)

    def rows(self, user: Any, *, changing: bool = False) -> QuerySet[Any]:
        found = super().rows(user, changing=changing)
        return found.select_related("contact", "user", "event")

    @property
    def again_view(self) -> Any:
        return self.construct_view(SendAgainView)

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            *super().get_urlpatterns(),
            path("again/<int:pk>/", self.again_view, name="again"),
        ]


def stuck_messages(request: HttpRequest) -> int:
    """How many messages have failed or may not have arrived, or wait because their way is blocked."""
    stuck = Q(status__in=(Delivery.Status.UNCERTAIN, Delivery.Status.FAILED))
    blocked = Q(status=Delivery.Status.QUEUED) & ~Q(error="")
    return DeliveryViewSet().rows(request.user).filter(stuck | blocked).count()


panel(_("messages that may not have arrived"), stuck_messages, "delivery:index", urgent=True)
