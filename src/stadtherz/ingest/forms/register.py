"""Message forms set up by scripts."""

from collections.abc import Mapping

from django.core.exceptions import ValidationError

from stadtherz.base.errors import Invalid, NotFound
from stadtherz.ingest.forms.models import MessageForm

FIELDS = (
    "name", "device", "time", "time_zone", "message_id", "readings", "payload", "payload_kind",
)  # fmt: skip


def register_form(owner: int, key: str, name: str, told: Mapping[str, str]) -> int:
    """The form's id; one of the same key gets the new name and expressions.

    `told` has the fields `device`, `time`, `time_zone`, `message_id`, `readings`, `payload` and
    `payload_kind`; what is not told is as in a new form. Raises Invalid, naming the field.
    """
    new = MessageForm(owner_id=owner, key=key, name=name, **told)
    form = MessageForm.objects.filter(owner_id=owner, key=key).first() or new
    for field in FIELDS:
        setattr(form, field, getattr(new, field))
    try:
        form.full_clean()
    except ValidationError as problem:
        field, reasons = next(iter(problem.message_dict.items()))
        raise Invalid(field, " ".join(reasons)) from problem
    form.save()
    return form.pk


def message_form(owner: int, key: str) -> MessageForm:
    """The organisation's form of this key; raises NotFound."""
    form = MessageForm.objects.filter(owner_id=owner, key=key).first()
    if form is None:
        raise NotFound(f"Message form {key!r}")
    return form
