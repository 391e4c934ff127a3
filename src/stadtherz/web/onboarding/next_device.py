"""After a device is connected: the next one of the same message, or one more of the same kind."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _text

from stadtherz.base.errors import Invalid
from stadtherz.ingest.public import (
    Draft,
    Network,
    check_new,
    newest,
    others_of,
    proposed,
    read_eui,
    sample_values,
    takes_others,
)

_MOST_SHOWN = 12


class LikeForm(forms.Form):
    """The one thing in which the next device of a kind differs at once."""

    dev_eui = forms.CharField(
        max_length=300,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, draft: Draft, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.draft = draft
        field = self.fields["dev_eui"]
        if draft.network == Network.JSON:
            field.label = _text("Its name in the messages")
            told = _text("What its messages say where those of this one say “{device}”.")
            field.help_text = told.format(device=draft.dev_eui)
        else:
            field.label = _text("Device EUI")
            field.help_text = _text(
                "The 16 digits and letters on the device. You may also scan the QR code of the maker into this field."
            )

    def clean_dev_eui(self) -> str:
        told = str(self.cleaned_data["dev_eui"]).strip()
        try:
            if self.draft.network == Network.JSON:
                if len(told) > 100 or not told.isprintable():
                    raise Invalid("dev_eui", _text("Write at most 100 letters and digits."))
            else:
                told = read_eui(told).dev_eui
            check_new(self.draft.owner_id, self.draft.network, told, "")
        except Invalid as problem:
            raise forms.ValidationError(problem.reason) from problem
        return told


def others(draft: Draft) -> tuple[list[str], int]:
    """Devices of the same message that are not connected: the first, and how many more there are."""
    found = others_of(draft)
    return found[:_MOST_SHOWN], max(0, len(found) - _MOST_SHOWN)


def like_form(draft: Draft, data: Any = None) -> LikeForm | None:
    """None where another device would have to be described anew: its messages do not tell which it is."""
    if draft.network == Network.JSON and not takes_others(draft.form):
        return None
    return LikeForm(data, draft=draft)


def facts_like(draft: Draft, dev_eui: str) -> dict[str, Any]:
    """What a device of the same kind begins with: everything but its number, name and place."""
    return {
        "network": draft.network,
        "dev_eui": dev_eui,
        "device_type": draft.device_type,
        "codec_id": draft.device.codec_id if draft.device else draft.codec_id,
        "form": draft.form,
        "access": draft.access,
        "streams": [{**each, "example": None} for each in draft.streams],
    }


def facts_of_next(draft: Draft, dev_eui: str) -> dict[str, Any]:
    """The same of another device of the message, with what the message tells of it."""
    facts = facts_like(draft, dev_eui) | {"sample": draft.sample, "query": draft.query}
    found = newest(Draft(owner_id=draft.owner_id, updated=draft.updated, **facts))
    if found is None:
        return facts
    place = found.place or (None, None)
    facts |= {"name": found.name, "longitude": place[0], "latitude": place[1]}
    return facts | {"streams": _measured(draft, facts, found)}


def _measured(draft: Draft, facts: Mapping[str, Any], found: Any) -> list[dict[str, Any]]:
    """What the other device does not measure is no value of it."""
    like = Draft(owner_id=draft.owner_id, **facts)
    paths = {each.path for each in proposed(like, sample_values(found, like).data)}
    return [each for each in facts["streams"] if each["path"] in paths]
