"""API tokens in the back office: made (and shown once), listed, revoked."""

from datetime import timedelta
from typing import Any

from django import forms
from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.tables import Column

from stadtherz.base.time import now
from stadtherz.base.visibility import Scope
from stadtherz.identity.public import ApiToken, issue_token, revoke
from stadtherz.web.staff.people import AdministratorViewSet
from stadtherz.web.staff.views import StaffCreateView, StaffDeleteView, date_column

SCOPES = [
    (Scope.READ.value, _("Read the organisation’s data")),
    (Scope.WRITE.value, _("Change the organisation’s data")),
    (Scope.INGEST.value, _("Deliver measurements")),
]


_WORDS = {**dict(SCOPES), Scope.ADMIN.value: _("Administer the organisation")}


def _scopes(token: ApiToken) -> str:
    return ", ".join(str(_WORDS.get(scope, scope)) for scope in token.scopes)


class TokenForm(forms.ModelForm):
    scopes = forms.MultipleChoiceField(
        label=_("Is allowed to"), choices=SCOPES, widget=forms.CheckboxSelectMultiple
    )
    days = forms.IntegerField(
        label=_("Valid for days"),
        required=False,
        min_value=1,
        max_value=3650,
        help_text=_("Empty: until it is revoked."),
    )

    class Meta:
        model = ApiToken
        fields = ["name", "organisation", "scopes", "device"]

    text = ""  # of the new token, for the one page that shows it

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        device = data.get("device")
        if device is None:
            return data
        if device.owner_id != getattr(data.get("organisation"), "pk", device.owner_id):
            self.add_error("device", _text("This belongs to another organisation."))
        if data.get("scopes", []) != [Scope.INGEST.value]:
            self.add_error("device", _text("Such a token can only deliver measurements."))
        return data

    def save(self, commit: bool = True) -> ApiToken:
        data = self.cleaned_data
        days = data["days"]
        token, self.text = issue_token(
            data["name"],
            data["organisation"].pk,
            data["scopes"],
            device=data["device"].pk if data["device"] else None,
            expires=now() + timedelta(days=days) if days else None,
        )
        self.instance = token
        return token


class TokenCreateView(StaffCreateView):
    """Shows the token in the answer itself: no redirect, so its text is stored nowhere."""

    def save_action(self) -> HttpResponse:
        context = {"token": self.object, "text": self.form.text, "index_url": self.index_url_name}
        return TemplateResponse(self.request, "staff/token_created.html", context)


class TokenRevokeView(StaffDeleteView):
    """Where others delete, a token is revoked: the row stays, so that the trail can name it."""

    page_title = _("Revoke")
    success_message = _("Token “%(object)s” revoked.")

    @property
    def confirmation_message(self) -> str:
        return _text("Revoke this token? Whatever uses it is refused from then on.")

    def delete_action(self) -> None:
        revoke(self.object)
        self.audit("revoke", self.object, {"name": self.object.name})


class TokenViewSet(AdministratorViewSet):
    model = ApiToken
    name = "token"
    allowed = frozenset({"add", "delete"})
    icon = "key"
    menu_label = _("API tokens")
    add_view_class = TokenCreateView
    delete_view_class = TokenRevokeView
    list_display = [
        "name",
        "prefix",
        Column("scopes", label=_("Is allowed to"), accessor=_scopes),
        "organisation",
        "device",
        date_column("last_used", _("Last used")),
        date_column("expires", _("Expires")),
        date_column("revoked", _("Revoked")),
    ]
    list_filter = ["organisation"]
    search_fields = ["name", "prefix"]
    shown = {"scopes": _scopes}
    inspect_view_fields = [
        "name",
        "prefix",
        "organisation",
        "scopes",
        "network",
        "device",
        "created",
        "last_used",
        "expires",
        "revoked",
    ]

    def get_form_class(self, for_update: bool = False) -> Any:
        return TokenForm
