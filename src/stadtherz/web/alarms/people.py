"""The back office of alerts: people, how to reach them, and what happens when a list is called."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.generic import View
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.admin.panels import FieldPanel, FieldRowPanel, InlinePanel, ObjectList
from wagtail.admin.ui.tables import Column

from stadtherz.alerts.public import (
    Channel,
    Contact,
    ContactList,
    Drill,
    Stage,
    course,
    device_link,
    new_webhook_secret,
)
from stadtherz.base.time import now_us
from stadtherz.web.alarms.drills import StartDrillView
from stadtherz.web.staff.views import Limited, StaffInspectView, local_time
from stadtherz.web.staff.viewsets import StaffViewSet


def _ways(contact: Contact) -> str:
    return ", ".join(str(address) for address in contact.addresses.all())


class ContactForm(WagtailAdminModelForm):
    """Some addresses have to be the organisation's own, which only the whole form knows."""

    def is_valid(self) -> bool:
        valid: bool = super().is_valid()
        if not valid:
            return False
        owner = self.cleaned_data["owner"]
        for each in self.formsets["addresses"].forms:
            if each.cleaned_data and not each.cleaned_data.get("DELETE"):
                valid = self._fits(each, owner.pk) and valid
        return valid

    def _fits(self, form: forms.ModelForm, owner: int) -> bool:
        try:
            form.instance.check_owner(owner)
        except ValidationError as wrong:
            form.add_error(None, wrong)
            return False
        return True


class ContactInspectView(StaffInspectView):
    """A person with the link for their devices and the webhooks' secrets, for whoever may change them."""

    template_name = "staff/contact.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        more: dict[str, Any] = {}
        if self.views.rows(self.request.user, changing=True).filter(pk=self.object.pk).exists():
            url = self.views.get_url_name("secret")
            hooks = self.object.addresses.filter(channel=Channel.WEBHOOK)
            more = {
                "device_link": settings.STADTHERZ["public_url"] + device_link(self.object.pk),
                "hooks": [(each, reverse(url, args=[self.object.pk, each.pk])) for each in hooks],
            }
        return {**super().get_context_data(**kwargs), **more}


class SecretView(Limited, View):
    """Makes a webhook's secret and shows it in the answer itself, so that its text is stored nowhere."""

    permission_required = "change"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int, address: int) -> HttpResponse:
        contact = Contact.objects.get(pk=pk)
        hook = get_object_or_404(contact.addresses.filter(channel=Channel.WEBHOOK), pk=address)
        context = {
            "page_title": _("Secret of the webhook"),
            "header_title": _("Secret of the webhook"),
            "header_icon": "key",
            "hook": hook,
            "text": new_webhook_secret(hook.pk),
            "back": reverse(self.views.get_url_name("inspect"), args=[pk]),
        }
        self.audit("secret", contact, {"address": hook.pk})
        response = TemplateResponse(request, "staff/webhook_secret.html", context)
        response["Cache-Control"] = "no-store"
        return response


class ContactViewSet(StaffViewSet):
    model = Contact
    icon = "user"
    inspect_view_class = ContactInspectView
    menu_label = _("Contacts")
    list_display = [
        "name",
        Column("addresses", label=_("Addresses"), accessor=_ways),
        "language",
        "active",
    ]
    list_filter = ["active", "language"]
    search_fields = ["name", "addresses__address"]
    inspect_view_fields = [
        "name",
        "addresses",
        "language",
        "quiet_from",
        "quiet_until",
        "wakes",
        "active",
    ]
    labels = {"addresses": _("Addresses")}
    shown = {"addresses": _ways, "wakes": lambda row: row.get_wakes_display()}
    edit_handler = ObjectList(
        [
            FieldPanel("owner"),
            FieldPanel("name"),
            InlinePanel("addresses", heading=_("Addresses"), label=_("Address"), min_num=1),
            FieldPanel("language"),
            FieldRowPanel(
                [FieldPanel("quiet_from"), FieldPanel("quiet_until"), FieldPanel("wakes")],
                heading=_("Quiet hours"),
            ),
            FieldPanel("active"),
        ],
        base_form_class=ContactForm,
    )

    def rows(self, user: Any, *, changing: bool = False) -> QuerySet[Any]:
        return super().rows(user, changing=changing).prefetch_related("addresses")

    @property
    def secret_view(self) -> Any:
        return self.construct_view(SecretView)

    def get_urlpatterns(self) -> list[URLPattern]:
        secret = path("secret/<int:pk>/<int:address>/", self.secret_view, name="secret")
        return [*super().get_urlpatterns(), secret]


def sentences(recipients: ContactList) -> list[str]:
    """What happens when this list is called, one sentence a stage."""
    told: list[str] = []
    for stage in course(recipients, now_us()):
        told.append(_calls(stage))
        if stage.remind_minutes:
            told.append(
                ngettext(
                    "They are reminded every minute until somebody answers.",
                    "They are reminded every %(minutes)s minutes until somebody answers.",
                    stage.remind_minutes,
                )
                % {"minutes": stage.remind_minutes}
            )
    return told


def _calls(stage: Stage) -> str:
    people = _people(stage)
    if not stage.after:
        return _text("At once: %(people)s.") % {"people": people}
    return ngettext(
        "After %(minutes)s minute without an answer, list “%(name)s”: %(people)s.",
        "After %(minutes)s minutes without an answer, list “%(name)s”: %(people)s.",
        stage.after,
    ) % {"minutes": stage.after, "name": stage.recipients.name, "people": people}


def _people(stage: Stage) -> str:
    duty = [
        _text("who is on duty of “%(roster)s” (now %(person)s)")
        % {"roster": each.roster, "person": each.person or _text("nobody")}
        for each in stage.duty
    ]
    return _enumerated([*stage.people, *duty]) or _text("nobody")


def _enumerated(names: Sequence[str]) -> str:
    """Names as they are read aloud."""
    if len(names) < 2:
        return "".join(names)
    return _text("%(names)s and %(last)s") % {"names": ", ".join(names[:-1]), "last": names[-1]}


class ContactListInspectView(StaffInspectView):
    """A list in sentences, and the button that tries it out."""

    template_name = "staff/contact_list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        may = bool(self.views.changes(self.request.user))
        last = Drill.objects.filter(recipients=self.object).first()
        return {
            **super().get_context_data(**kwargs),
            "sentences": sentences(self.object),
            "last_drill": last,
            "last_drill_at": local_time(last.at) if last else "",
            "drill_url": reverse(self.views.get_url_name("drill"), args=[self.object.pk])
            if may
            else "",
        }


class ContactListViewSet(StaffViewSet):
    model = ContactList
    icon = "group"
    menu_label = _("Contact lists")
    inspect_view_class = ContactListInspectView
    list_display = [
        "name",
        Column("happens", label=_("What happens"), accessor=lambda row: " ".join(sentences(row))),
    ]
    search_fields = ["name"]
    inspect_view_fields = ["name", "owner"]
    edit_handler = ObjectList(
        [
            FieldPanel("owner"),
            FieldPanel("name"),
            FieldPanel("contacts", widget=forms.CheckboxSelectMultiple),
            FieldPanel("rosters", widget=forms.CheckboxSelectMultiple),
            FieldPanel("remind_minutes"),
            FieldRowPanel(
                [FieldPanel("escalate_minutes"), FieldPanel("escalate_to")],
                heading=_("If nobody answers"),
            ),
            FieldPanel("drills"),
        ]
    )

    @property
    def drill_view(self) -> Any:
        return self.construct_view(StartDrillView)

    def get_urlpatterns(self) -> list[URLPattern]:
        return [*super().get_urlpatterns(), path("drill/<int:pk>/", self.drill_view, name="drill")]
