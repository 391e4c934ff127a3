"""The roles a member can have in an organisation, and what each may do."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """Ordered from reading to running; a member has one role in each organisation."""

    VIEWER = "viewer", _("Viewer")
    MODERATOR = "moderator", _("Moderator")
    EDITOR = "editor", _("Editor")
    DATA_STEWARD = "data_steward", _("Data steward")
    OPERATOR = "operator", _("Operator")
    ADMINISTRATOR = "administrator", _("Administrator")


WRITERS = frozenset({Role.EDITOR, Role.DATA_STEWARD, Role.OPERATOR, Role.ADMINISTRATOR})
ADMINISTRATORS = frozenset({Role.ADMINISTRATOR})
