"""One Django group per role: it opens the back office, and carries the services' permissions.

Whose data a member reaches is decided by role and organisation (`visibility`), never by groups.
"""

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType

from stadtherz.identity.models import Membership, User
from stadtherz.identity.roles import Role

_PREFIX = "role: "


def create_role_groups(**_: Any) -> None:
    """Runs after every migration; running it twice changes nothing."""
    for role in Role:
        role_group(role)


def role_group(role: Role) -> Group:
    group, created = Group.objects.get_or_create(name=_PREFIX + role.value)
    if created:
        group.permissions.add(_enter_back_office())
    return group


def follow_membership(instance: Membership, **_: Any) -> None:
    """A membership came, changed or went: the user's role groups say the same afterwards."""
    user = User.objects.filter(pk=instance.user_id).first()
    if user is not None:
        _set_role_groups(user)


def _set_role_groups(user: User) -> None:
    roles = Membership.objects.filter(user=user).values_list("role", flat=True).distinct()
    others = user.groups.exclude(name__startswith=_PREFIX)
    user.groups.set([*others, *(role_group(Role(role)) for role in roles)])


def _enter_back_office() -> Permission:
    # Wagtail's own migration makes this row; it is missing after a flush, which tests do.
    kind, _ = ContentType.objects.get_or_create(app_label="wagtailadmin", model="admin")
    permission, _ = Permission.objects.get_or_create(
        content_type=kind,
        codename="access_admin",
        defaults={"name": "Can access Wagtail admin"},
    )
    return permission
