"""Sources set up by the command line and by scripts."""

from typing import Any

from django.core.exceptions import ValidationError

from stadtherz.base.errors import Invalid
from stadtherz.ingest.pull.models import PullSource


def add_source(owner: int, name: str, *, token: str = "", **values: Any) -> PullSource:
    """The source of this name, made or changed; `values` are fields of `PullSource`.

    A token that is kept does not go to another address unasked. Raises Invalid for a value that cannot be
    right, naming the field.
    """
    held = PullSource.objects.filter(owner_id=owner, name=name).first()
    source = held or PullSource(owner_id=owner, name=name)
    before = source.url
    for field, value in values.items():
        setattr(source, field, value)
    try:
        source.full_clean()
    except ValidationError as problem:
        field, reasons = next(iter(problem.message_dict.items()))
        raise Invalid(field, " ".join(reasons)) from problem
    if token:
        source.keep_token(token)
    elif source.secret and source.url != before:
        raise Invalid("token", "give it again: it is not sent to another address unasked")
    source.next_due, source.failures = 0, 0
    source.save()
    return source
