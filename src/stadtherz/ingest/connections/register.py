"""Connections set up by the command line and by scripts."""

from typing import Any

from django.core.exceptions import ValidationError

from stadtherz.base.errors import Invalid
from stadtherz.ingest.connections.models import Connection


def add_connection(owner: int, name: str, *, password: str = "", **values: Any) -> Connection:
    """The connection of this name, made or changed; `values` are fields of `Connection`.

    Raises Invalid for a value that cannot be right, naming the field.
    """
    held = Connection.objects.filter(owner_id=owner, name=name).first()
    connection = held or Connection(owner_id=owner, name=name)
    for field, value in values.items():
        setattr(connection, field, value)
    if password:
        connection.keep_password(password)
    try:
        connection.full_clean()
    except ValidationError as problem:
        field, reasons = next(iter(problem.message_dict.items()))
        raise Invalid(field, " ".join(reasons)) from problem
    connection.save()
    return connection
