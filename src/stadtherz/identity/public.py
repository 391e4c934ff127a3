"""The door of `identity`: who somebody is, what they may see, and the trail of what they did.

`visibility_of_scope` fits the data plane's `visibility_of`; pages find the same value in
`request.visibility`. Accounts and tokens are made with `create_*`.
"""

from stadtherz.identity.accounts import (
    create_organisation,
    create_token,
    create_user,
    set_password,
)
from stadtherz.identity.audit import record
from stadtherz.identity.roles import Role
from stadtherz.identity.urls import urlpatterns
from stadtherz.identity.visibility import visibility_of_scope, visibility_of_user

__all__ = [
    "Role",
    "create_organisation",
    "create_token",
    "create_user",
    "record",
    "set_password",
    "urlpatterns",
    "visibility_of_scope",
    "visibility_of_user",
]
