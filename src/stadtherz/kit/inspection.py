"""What the contract suite asks of a service: addresses, expected answers, tables, markup."""

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import models
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from stadtherz.identity.public import User
from stadtherz.kit.declaration import Page, Role, Service
from stadtherz.kit.registry import app_of

ROLES: tuple[Role, ...] = (
    "anonymous",
    "citizen",
    "stranger",
    "viewer",
    "editor",
    "administrator",
)


def address(service: Service, page: Page, language: str = "de") -> str:
    """Where the page, or its example, stands in this language."""
    arguments: Mapping[str, Any] = page.example() if page.example else {}
    with override(language):
        return reverse(f"{service.key}:{page.name}", kwargs=dict(arguments))


def expected_statuses(service: Service, page: Page) -> dict[Role, int]:
    """What each role gets: public pages open for all; of others the anonymous know nothing."""
    if page.permission is None:
        return dict.fromkeys(ROLES, 200)
    allowed = next(p.roles for p in service.permissions if p.key == page.permission)
    statuses: dict[Role, int] = {role: 200 if role in allowed else 403 for role in ROLES}
    # The stranger administers elsewhere: an object of ours does not exist, an empty list does.
    if "administrator" in allowed:
        statuses["stranger"] = 200 if page.example is None else 404
    return {**statuses, "anonymous": 404}


def html_problems(html: str) -> Iterator[str]:
    """What a reader without JavaScript, or a strict content security policy, would stumble over."""
    text = re.sub(r"<script\b.*?</script>", "", html, flags=re.DOTALL)
    if not re.search(r"<h1[^>]*>\s*[^<\s]", text):
        yield "no heading"
    if not re.search(r"<html lang=\"(de|en)\"", text):
        yield "no language"
    if re.search(r"<[^>]+\son\w+=", text):
        yield "an inline event handler"
    if re.search(r"<[^>]+\sstyle=", text):
        yield "an inline style"
    if re.search(r"<script(?![^>]*(src=|type=\"application/json\"))", html):
        yield "an inline script"
    if re.search(r"(src|href)=\"(https?:)?//[^\"]+\.(js|css|png|jpg|woff2?)\"", text):
        yield "something fetched from another server"
    levels = [int(level) for level in re.findall(r"<h([1-6])\b", text)]
    if any(lower - upper > 1 for upper, lower in pairwise(levels)):
        yield f"a skipped heading level: {levels}"


def own_models(service: Service) -> list[type[models.Model]]:
    """The service's tables."""
    return list(apps.get_app_config(app_of(service).rpartition(".")[2]).get_models())


def contents(service: Service) -> dict[str, list[tuple[Any, ...]]]:
    """Everything in the service's tables."""
    return {
        model._meta.label: list(model._default_manager.order_by("pk").values_list())
        for model in own_models(service)
    }


def app_folder(service: Service) -> Path:
    return Path(apps.get_app_config(app_of(service).rpartition(".")[2]).path)


def status(client: Client, where: str) -> int:
    response = client.get(where)
    read_out(response)
    return response.status_code


def read_out(response: Any) -> None:
    """Read a streamed answer to its end, as a browser would."""
    if response.streaming:
        for _piece in response.streaming_content:
            pass


def looks_personal(model: type[models.Model]) -> bool:
    fields = model._meta.get_fields()
    return any(isinstance(f, models.EmailField) or f.related_model is User for f in fields)


def relations(model: type[models.Model]) -> list[Any]:
    return [f for f in (*model._meta.fields, *model._meta.many_to_many) if f.is_relation]


def leaves(field: Any) -> bool:
    """Whether the relation goes to a table of another package."""
    return bool(field.related_model._meta.app_label != field.model._meta.app_label)


def is_hidden(field: Any) -> bool:
    return bool(field.remote_field.hidden)


def home(field: Any) -> str:
    return str(apps.get_app_config(field.related_model._meta.app_label).name)
