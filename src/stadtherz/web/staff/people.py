"""Who belongs to an organisation, and the trail of what they did.

Administrators look after the members of their own organisations; organisations, accounts and
access groups are for superusers.
"""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import FieldDoesNotExist
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.tables import Column, TitleColumn

from stadtherz.identity.public import (
    AuditEntry,
    GroupMembership,
    Membership,
    User,
    access_groups,
    actor_name,
    add_member,
    administered_by,
    organisations,
)
from stadtherz.web.staff.views import date_column
from stadtherz.web.staff.viewsets import Reach, StaffViewSet, visibility

NOTHING: frozenset[str] = frozenset()


def administers(user: Any) -> Reach:
    if visibility(user).everything:
        return Reach(everything=True)
    return Reach(administered_by(user))


def runs_everything(user: Any) -> Reach:
    """Everything for a superuser, nothing for anybody else."""
    return Reach(everything=visibility(user).everything)


class AdministratorViewSet(StaffViewSet):
    """Only administrators see and change, within their organisations."""

    owner_path = "organisation"

    def sees(self, user: Any) -> Reach:
        return administers(user)

    def changes(self, user: Any) -> Reach:
        return administers(user)


class SuperuserViewSet(StaffViewSet):
    """Only a superuser sees and changes."""

    owner_path = "organisation"

    def sees(self, user: Any) -> Reach:
        return runs_everything(user)

    def changes(self, user: Any) -> Reach:
        return runs_everything(user)


class MemberForm(forms.ModelForm):
    """Adds somebody by e-mail address, with an account if there is none yet."""

    email = forms.EmailField(label=_("E-mail"))
    name = forms.CharField(
        label=_("Name"),
        required=False,
        help_text=_("For a new account. An existing one keeps its name."),
    )
    password = forms.CharField(
        label=_("First password"),
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_(
            "For a new account: pass it on in person. Without one the person chooses a password "
            "with “Forgot your password?”. An existing account keeps its password."
        ),
    )

    class Meta:
        model = Membership
        fields = ["organisation", "role"]

    field_order = ["email", "name", "password", "organisation", "role"]

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if password:
            validate_password(password)
        return password

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        email = data.get("email", "").strip().lower()
        already = Membership.objects.filter(
            user__email=email, organisation=data.get("organisation")
        )
        if email and already.exists():
            self.add_error("email", _("This person is a member already."))
        return data

    def save(self, commit: bool = True) -> Membership:
        data = self.cleaned_data
        member = add_member(
            data["organisation"].pk,
            data["email"],
            data["role"],
            name=data["name"],
            password=data["password"],
        )
        self.instance = member
        return member


class MemberViewSet(AdministratorViewSet):
    """An organisation's members; adding one makes the account where it is missing."""

    model = Membership
    name = "member"
    icon = "group"
    menu_label = _("Members")
    list_display = ["user", "role", "organisation"]
    list_filter = ["role", "organisation"]
    search_fields = ["user__email", "user__name"]
    form_fields = ["role"]
    inspect_view_fields = ["user", "organisation", "role"]

    def get_form_class(self, for_update: bool = False) -> Any:
        return super().get_form_class(for_update) if for_update else MemberForm


class OrganisationViewSet(SuperuserViewSet):
    model = organisations().model
    owner_path = "pk"
    icon = "home"
    list_display = ["name", "slug", "email"]
    search_fields = ["name", "slug"]
    form_fields = ["name", "slug", "email"]


class AccessGroupViewSet(SuperuserViewSet):
    model = access_groups().model
    icon = "lock-open"
    list_display = ["name", "organisation"]
    list_filter = ["organisation"]
    search_fields = ["name"]
    form_fields = ["name", "organisation"]


class GroupMemberViewSet(SuperuserViewSet):
    model = GroupMembership
    owner_path = "group__organisation"
    icon = "group"
    list_display = ["user", "group"]
    list_filter = ["group"]
    form_fields = ["user", "group"]


class AccountForm(forms.ModelForm):
    """An account; the password is asked only for a new one."""

    password = forms.CharField(
        label=_("First password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        validators=[validate_password],
    )

    class Meta:
        model = User
        fields = ["email", "name", "language", "is_superuser"]
        labels = {"is_superuser": _("Superuser")}
        help_texts = {"is_superuser": _("Sees and changes everything, in all organisations.")}

    def save(self, commit: bool = True) -> User:
        user: User = super().save(commit=False)
        user.set_password(self.cleaned_data["password"])
        user.save()
        return user


class AccountChangeForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ["email", "name", "language", "is_active", "is_superuser"]
        labels = AccountForm.Meta.labels
        help_texts = AccountForm.Meta.help_texts


class AccountViewSet(SuperuserViewSet):
    """All accounts; they are switched off rather than deleted, so that the trail keeps its names."""

    model = User
    name = "user"
    owner_path = "memberships__organisation"
    allowed = frozenset({"add", "change"})
    icon = "user"
    menu_label = _("Accounts")
    list_display = ["email", "name", "is_active", "is_superuser", "last_login"]
    list_filter = ["is_active", "is_superuser"]
    search_fields = ["email", "name"]
    inspect_view_fields = ["email", "name", "language", "is_active", "is_superuser", "last_login"]

    def get_form_class(self, for_update: bool = False) -> Any:
        return AccountChangeForm if for_update else AccountForm


ACTIONS = {
    "create": _("created"),
    "update": _("changed"),
    "delete": _("deleted"),
    "revoke": _("revoked"),
    "reorder": _("reordered"),
    "replay": _("run again"),
    "password": _("password set"),
}


def entity_name(entry: AuditEntry) -> str:
    """What kind of record an entry is about, in the active language."""
    known = _content_type(entry)
    return known.name if known else entry.entity


def _content_type(entry: AuditEntry) -> ContentType | None:
    app, _dot, model = entry.entity.rpartition(".")
    try:
        return ContentType.objects.get_by_natural_key(app or "store", model.lower())
    except ContentType.DoesNotExist:
        return None


def action_name(entry: AuditEntry) -> str:
    return str(ACTIONS.get(entry.action, entry.action))


def actor_text(entry: AuditEntry) -> str:
    name = actor_name(entry.actor)
    return str(_("The system")) if name == "system" else name


def changes_text(entry: AuditEntry) -> str:
    """What was changed, a line for each field, by the words that the forms use."""
    return format_html_join(
        "", "{}: {}<br>", ((_field_name(entry, key), value) for key, value in entry.changes.items())
    )


def _field_name(entry: AuditEntry, key: str) -> str:
    known = _content_type(entry)
    model = known.model_class() if known else None
    try:
        return str(getattr(model._meta.get_field(key), "verbose_name", key)) if model else key
    except FieldDoesNotExist:
        return key


def _inspect_url(entry: AuditEntry) -> str:
    return reverse("audit:inspect", args=[entry.pk])


class AuditViewSet(AdministratorViewSet):
    """The trail of changes, for reading."""

    model = AuditEntry
    name = "audit"
    allowed = NOTHING
    icon = "history"
    menu_label = _("Audit trail")
    list_display = [
        TitleColumn("entity", label=_("Record type"), accessor=entity_name, get_url=_inspect_url),
        "key",
        Column("action", label=_("Action"), accessor=action_name),
        Column("actor", label=_("By"), accessor=actor_text),
        "organisation",
        date_column("at", _("Time")),
    ]
    list_filter = {
        "action": ["exact"],
        "entity": ["exact"],
        "at": ["date"],
        "organisation": ["exact"],
    }
    search_fields = ["entity", "key", "actor"]
    shown = {
        "action": action_name,
        "actor": actor_text,
        "entity": entity_name,
        "changes": changes_text,
    }
    inspect_view_fields = ["at", "actor", "organisation", "action", "entity", "key", "changes"]
    list_export = ["at", "actor", "organisation", "action", "entity", "key", "changes"]

    def title_of(self, row: Any) -> str:
        return f"{entity_name(row)} {row.key}: {action_name(row)}"
