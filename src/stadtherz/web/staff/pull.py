"""Sources in the back office: which servers are copied, how far, and what went wrong last."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.generic import View
from wagtail.admin import messages
from wagtail.admin.ui.tables import BooleanColumn, Column

from stadtherz.ingest.public import PullSource
from stadtherz.web.staff.people import AdministratorViewSet
from stadtherz.web.staff.views import Limited, StaffInspectView, local_time, moment_column

_KEPT = "***"


class PullSourceForm(forms.ModelForm):
    token = forms.CharField(
        label=_("Token"),
        required=False,
        strip=True,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_(
            "Only if the server demands one; for a user and a password write user:password."
        ),
    )

    class Meta:
        model = PullSource
        fields = [
            "name",
            "owner",
            "url",
            "things",
            "datastreams",
            "every",
            "again_days",
            "remove",
            "access",
            "active",
        ]
        widgets = {
            "things": forms.Textarea(attrs={"rows": 2}),
            "datastreams": forms.Textarea(attrs={"rows": 2}),
        }

    field_order = ["name", "owner", "url", "token"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["owner"].disabled = True  # what was copied stays where it is
            self.fields["url"].help_text = _(
                "Only if the same server has moved; for another one make another source."
            )
        if self.instance.secret:
            self.fields["token"].help_text = _("A token is kept. Empty: it stays.")

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if self.instance.secret and "url" in self.changed_data and not data.get("token"):
            # Whoever may change the address must not get to know the token that way.
            self.add_error(
                "token", _("Enter the token again: it is not sent to another address unasked.")
            )
        return data

    def save(self, commit: bool = True) -> PullSource:
        """The trail of changes reads what was entered, so nothing of the token is left here."""
        if token := self.cleaned_data["token"]:
            self.instance.keep_token(token)
            self.cleaned_data["token"] = _KEPT
        self.instance.next_due = self.instance.failures = 0  # with what was changed, at once
        saved: PullSource = super().save(commit=commit)
        return saved


class PullSourceInspectView(StaffInspectView):
    """A sentence on how it is, the button to fetch at once, and what is set."""

    template_name = "staff/pull_source.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        source = self.object
        may = self.views.changes(self.request.user) and source.active
        return {
            **super().get_context_data(**kwargs),
            "doing": _doing(source),
            "problem_at": local_time(source.problem_at),
            "fetch_url_name": self.views.get_url_name("fetch") if may else "",
        }


def _doing(source: PullSource) -> str:
    if not source.active:
        return _text("This source is switched off.")
    if source.ok_at is None:
        return _text("Nothing was fetched completely yet.")
    measured = ngettext(
        "%(count)s measurement was copied so far",
        "%(count)s measurements were copied so far",
        source.readings,
    ) % {"count": source.readings}
    return _text("Last fetched: %(when)s. %(measured)s, of %(streams)s datastreams.") % {
        "when": local_time(source.ok_at),
        "measured": measured,
        "streams": source.streams,
    }


class FetchView(Limited, View):
    """Has a source fetched as soon as the background comes to it."""

    permission_required = "change"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        source = PullSource.objects.get(pk=pk)
        PullSource.objects.filter(pk=pk).update(next_due=0, failures=0)
        self.audit("fetch", source, {})
        messages.success(request, _text("It is fetched in a moment. Load this page again then."))
        return redirect(self.views.get_url_name("inspect"), pk)


class PullSourceViewSet(AdministratorViewSet):
    """Only for administrators: a source brings data in, and may have a token."""

    model = PullSource
    owner_path = "owner"
    icon = "download"
    menu_label = _("Sources")
    inspect_view_class = PullSourceInspectView
    list_display = [
        "name",
        "url",
        BooleanColumn("active", label=_("Active"), sort_key="active"),
        moment_column("ok_at", _("Last fetched")),
        Column("readings", label=_("Measurements"), sort_key="readings"),
        Column("problem", label=_("Problem"), accessor=lambda row: row.problem_sentence or "–"),
    ]
    list_filter = ["active", "owner"]
    search_fields = ["name", "url"]
    inspect_view_fields = [
        "name",
        "owner",
        "url",
        "things",
        "datastreams",
        "every",
        "again_days",
        "remove",
        "access",
        "active",
    ]

    def get_form_class(self, for_update: bool = False) -> Any:
        return PullSourceForm

    @property
    def fetch_view(self) -> Any:
        return self.construct_view(FetchView)

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            *super().get_urlpatterns(),
            path("fetch/<int:pk>/", self.fetch_view, name="fetch"),
        ]
