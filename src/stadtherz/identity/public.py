"""The door of `identity`: who somebody is, what they may see, and the trail of what they did.

`visibility_of_scope` fits the data plane's `visibility_of`, and `visibility_at_once` is for its event
loop; pages find the same value in `visibility_of_request`. Accounts and tokens are made with `create_*`. The models are here for the back
office, which lists and edits them.
"""

from stadtherz.identity.accounts import (
    add_member,
    create_organisation,
    create_token,
    create_user,
    set_password,
)
from stadtherz.identity.audit import actor_name, record
from stadtherz.identity.groups import role_group
from stadtherz.identity.middleware import visibility_of_request
from stadtherz.identity.models import ApiToken, AuditEntry, GroupMembership, Membership, User
from stadtherz.identity.organisations import access_groups, organisation_id, organisations
from stadtherz.identity.roles import Role
from stadtherz.identity.tokens import issue_token, revoke
from stadtherz.identity.urls import urlpatterns
from stadtherz.identity.visibility import (
    administered_by,
    visibility_at_once,
    visibility_of_scope,
    visibility_of_user,
)

__all__ = [
    "ApiToken",
    "AuditEntry",
    "GroupMembership",
    "Membership",
    "Role",
    "User",
    "access_groups",
    "actor_name",
    "add_member",
    "administered_by",
    "create_organisation",
    "create_token",
    "create_user",
    "issue_token",
    "organisation_id",
    "organisations",
    "record",
    "revoke",
    "role_group",
    "set_password",
    "urlpatterns",
    "visibility_at_once",
    "visibility_of_request",
    "visibility_of_scope",
    "visibility_of_user",
]
