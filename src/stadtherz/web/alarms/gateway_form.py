"""The form of a gateway: what every one has, and what its kind wants to be told."""

import json
from typing import Any

from django import forms
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from stadtherz.alerts.public import (
    GATEWAY_KINDS,
    Channel,
    Gateway,
    GatewaySetting,
    channel_of,
    check_settings,
    keep_secret,
)
from stadtherz.base.errors import Invalid

KEPT = "***"
_PREFIX = "set_"
# Whoever may change these must not get to know the password that way.
_PLACE = ("host", "url", "port", "tls", "security", "insecure")

# What `alerts` says of settings that do not fit, for the translators.
_REASONS = (
    gettext_noop("is missing"),
    gettext_noop("is no whole number"),
    gettext_noop("is not there"),
    gettext_noop("is no address such as https://gateway.example"),
    gettext_noop("must begin with https://, or everybody on the way can read along"),
    gettext_noop("must be tls or starttls, or everybody on the way reads the password"),
    gettext_noop("must be on, or everybody on the way can read along"),
    gettext_noop("must be plain letters"),
    gettext_noop("is a number, or up to 11 plain letters"),
    gettext_noop("is no telephone number such as +4915123456789"),
    gettext_noop("is no e-mail address such as name@city.example"),
)


def reason(problem: Invalid) -> str:
    """Why something does not fit, in the reader's language where it is one of ours."""
    return f"{_text('This does not fit:')} {_text(problem.reason)}"


class GatewayForm(forms.ModelForm):
    """`kind` is given for a new one; a saved one keeps its own."""

    class Meta:
        model = Gateway
        fields = ("name", "position", "per_second", "parts_a_day", "told", "active")

    def __init__(self, *args: Any, kind: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        row = self.instance
        row.kind = row.kind or kind
        row.channel = channel_of(row.kind)
        self.from_environment = "from" in row.settings
        self.settings = () if self.from_environment else GATEWAY_KINDS[row.kind].settings
        for setting in self.settings:
            self.fields[_PREFIX + setting.name] = self._field(setting)
        own = [_PREFIX + setting.name for setting in self.settings]
        self.order_fields(["name", *own, *self.Meta.fields[1:]])
        if row.channel != Channel.SMS:
            del self.fields["parts_a_day"]
        if self.from_environment:
            self.fields["name"].disabled = True

    def _field(self, setting: GatewaySetting) -> forms.Field:
        known = self.instance.settings.get(setting.name, setting.default)
        common: dict[str, Any] = {"label": setting.label, "help_text": setting.help}
        if setting.secret:
            return self._secret_field(common)
        common["initial"] = known
        if setting.type is bool:
            return forms.BooleanField(required=False, **common)
        if setting.choices:
            return forms.ChoiceField(choices=setting.choices, **common)
        if setting.type is int:
            common |= {"min_value": setting.least, "max_value": setting.most}
            return forms.IntegerField(required=setting.required, **common)
        if isinstance(known, dict):
            common["initial"] = json.dumps(known, ensure_ascii=False, indent=1)
        long = setting.name in ("form", "ca")
        widget = forms.Textarea(attrs={"rows": 3}) if long else forms.TextInput()
        return forms.CharField(
            required=setting.required, widget=widget, max_length=10_000, **common
        )

    def _secret_field(self, common: dict[str, Any]) -> forms.Field:
        if self.instance.secret:
            common["help_text"] = _("One is kept. Empty: it stays.")
        hidden = forms.PasswordInput(attrs={"autocomplete": "new-password"})
        return forms.CharField(
            required=False, strip=False, max_length=4096, widget=hidden, **common
        )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.errors or self.from_environment:
            return data
        try:
            self.instance.settings = check_settings(self.instance, self._given())
        except Invalid as problem:
            name = _PREFIX + problem.field
            told = reason(problem)
            self.add_error(name if name in self.fields else None, told)
        moved = any(_PREFIX + name in self.changed_data for name in _PLACE)
        if self.instance.secret and moved and not data.get(f"{_PREFIX}secret"):
            told = _text("Enter it again: it is not sent to another address unasked.")
            self.add_error(f"{_PREFIX}secret", told)
        return data

    def _given(self) -> dict[str, Any]:
        given = {
            setting.name: self.cleaned_data.get(_PREFIX + setting.name) for setting in self.settings
        }
        form = given.get("form")
        if isinstance(form, str) and form.lstrip().startswith("{"):
            try:
                given["form"] = json.loads(form)
            except ValueError as problem:
                raise Invalid("form", f"is no JSON: {problem}") from problem
        return given

    def save(self, commit: bool = True) -> Gateway:
        """The trail of changes reads what was entered, so nothing of the password is left here."""
        if secret := self.cleaned_data.get(f"{_PREFIX}secret"):
            keep_secret(self.instance, secret)
            self.cleaned_data[f"{_PREFIX}secret"] = KEPT
        saved: Gateway = super().save(commit=commit)
        return saved
