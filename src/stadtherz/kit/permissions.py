"""Declared permissions as Django's: made after every migration and given to their roles' groups.

Django's app label is the service's key, so `user.has_perm("noise.edit_limits")` asks for exactly what
the declaration names. Permissions that are declared no more are taken away again.
"""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import Permission as DjangoPermission
from django.contrib.contenttypes.models import ContentType

from stadtherz.identity.public import Role, role_group
from stadtherz.kit.declaration import Permission, Service
from stadtherz.kit.registry import services

_MODEL = "service"  # of the content type that stands for a whole service


def sync_permissions(**_: Any) -> None:
    """Make Django's permissions say what the declarations say; running it twice changes nothing."""
    for service in services():
        _sync(service)


def _sync(service: Service) -> None:
    kind, _created = ContentType.objects.get_or_create(app_label=service.key, model=_MODEL)
    made = [_make(kind, permission) for permission in service.permissions]
    outdated = DjangoPermission.objects.filter(content_type=kind)
    outdated.exclude(pk__in=[permission.pk for permission in made]).delete()
    for declared, permission in zip(service.permissions, made, strict=True):
        _give(permission, declared.roles)


def _make(kind: ContentType, declared: Permission) -> DjangoPermission:
    codename = declared.key.partition(".")[2]
    permission, _created = DjangoPermission.objects.update_or_create(
        content_type=kind, codename=codename, defaults={"name": str(declared.name)[:255]}
    )
    return permission


def _give(permission: DjangoPermission, roles: Iterable[str]) -> None:
    for role in Role:
        group = role_group(role)
        if role.value in roles:
            group.permissions.add(permission)
        else:
            group.permissions.remove(permission)
