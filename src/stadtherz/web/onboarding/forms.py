"""The forms of the wizard with which a device is connected."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from stadtherz.base.errors import Invalid
from stadtherz.ingest.public import (
    LORAWAN,
    Codec,
    DeviceType,
    Draft,
    Inconvertible,
    Wanted,
    conversion,
    property_choices,
    read_eui,
    unit_choices,
    unit_sentence,
)
from stadtherz.kit.public import spellings

_MOST_FOUND = 20


class SampleForm(forms.Form):
    """A whole message of a network, as its console shows it."""

    sample = forms.CharField(
        label=_("Message of the device"),
        max_length=300_000,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "placeholder": '{"…": …}'}),
        help_text=_(
            "Open the device in the console of your network, choose a message with measurements and copy all of it,"
            " from the first { to the last }. Of a device without LoRaWAN an example from its manual will do, also"
            " a whole address such as http://…?id=7&temp=21, or lines of an MQTT topic and its value, as mosquitto_sub -v"
            " prints them."
        ),
    )
    topic = forms.CharField(
        label=_("MQTT topic"),
        max_length=300,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_(
            "Only for devices that send by MQTT, if the topic tells which one it is, or what a value alone means."
        ),
    )


class DeviceForm(forms.Form):
    """Which device it is, through which network it speaks, and who made it."""

    network = forms.ChoiceField(label=_("Network"), choices=[("", "–"), *LORAWAN])
    dev_eui = forms.CharField(
        label=_("Device EUI"),
        max_length=300,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_(
            "The 16 digits and letters on the device. You may also scan the QR code of the maker into this field."
        ),
    )
    kind = forms.CharField(
        label=_("Device type"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"list": "device-types", "autocomplete": "off"}),
        help_text=_(
            "Type a part of the name, for example the maker. Leave it empty if your device is not among them."
        ),
    )
    chosen = forms.ModelChoiceField(
        label=_("Which of these is it?"),
        queryset=DeviceType.objects.none(),
        required=False,
        widget=forms.RadioSelect,
        empty_label=None,
    )

    def __init__(self, *args: Any, draft: Draft, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.types = DeviceType.objects.filter(owner_id=draft.owner_id)
        self.fields["chosen"].queryset = self.types  # type: ignore[attr-defined]  # a model choice
        self.found: Sequence[DeviceType] = ()

    def clean_dev_eui(self) -> str:
        try:
            return read_eui(self.cleaned_data["dev_eui"]).dev_eui
        except Invalid as problem:
            raise forms.ValidationError(problem.reason) from problem

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        words = (data.get("kind") or "").strip()
        data["device_type"] = self._type(words, data.get("chosen")) if words else None
        return data

    def _type(self, words: str, chosen: DeviceType | None) -> DeviceType | None:
        self.found = find_types(self.types, words)
        if chosen is not None and chosen in self.found:
            return chosen
        if len(self.found) == 1:
            return self.found[0]
        if self.found:
            self.add_error("kind", _("Several device types fit. Choose one below."))
        else:
            self.add_error("kind", _("No device type fits. Try a shorter word, or leave it empty."))
        return None


def type_label(kind: DeviceType) -> str:
    return f"{kind} ({kind.key})"


def find_types(types: Any, words: str) -> list[DeviceType]:
    """The type of exactly this label or key, else those whose name or key holds all words, else those
    that say so of themselves or of what they measure."""
    asked = [spellings(word) for word in words.split()]
    named, meant = [], []
    for kind in types:
        label = type_label(kind).lower()
        if words.lower() in (label, kind.key.lower()):
            return [kind]
        if _has_all(asked, label):
            named.append(kind)
        elif _has_all(asked, f"{label} {_told_of(kind)}"):
            meant.append(kind)
    return (named or meant)[:_MOST_FOUND]


def _has_all(asked: Sequence[Sequence[str]], text: str) -> bool:
    return all(any(spelling in text for spelling in word) for word in asked)


def _told_of(kind: DeviceType) -> str:
    measured = (str(each.get("name", "")) for each in kind.proposals)
    return " ".join((kind.description, *measured)).lower()


class PlaceForm(forms.Form):
    """What it is called, where it stands, and who sees what it measures."""

    name = forms.CharField(
        label=_("Name"),
        max_length=150,
        help_text=_(
            "As people know the place, for example “Pegel Mühlbach”. It is shown in public."
        ),
    )
    description = forms.CharField(
        label=_("Description"),
        required=False,
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("For example how it is fixed, or what is measured here and why."),
    )
    longitude = forms.FloatField(
        label=_("Longitude (degrees east)"),
        required=False,
        localize=True,
        min_value=-180,
        max_value=180,
    )
    latitude = forms.FloatField(
        label=_("Latitude (degrees north)"),
        required=False,
        localize=True,
        min_value=-90,
        max_value=90,
        help_text=_("Leave both empty if it has no fixed place."),
    )
    access = forms.ChoiceField(
        label=_("Who may see the measurements?"),
        choices=Draft.Access.choices,
        widget=forms.RadioSelect,
    )
    station = forms.CharField(
        label=_("Existing station"),
        max_length=255,
        required=False,
        widget=forms.TextInput(attrs={"list": "stations", "autocomplete": "off"}),
        help_text=_(
            "Only if the device hangs where another one measures already: type a part of the station’s name and"
            " choose it. Its place is taken, and its page shows both."
        ),
    )

    def __init__(self, *args: Any, stations: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stations = stations

    def clean_station(self) -> str:
        words = str(self.cleaned_data["station"]).strip()
        if not words:
            return ""
        exact = [name for name in self.stations if name.lower() == words.lower()]
        found = exact or [name for name in self.stations if words.lower() in name.lower()]
        if len(found) == 1:
            return found[0]
        if found:
            raise forms.ValidationError(_("Several stations fit. Write the whole name."))
        raise forms.ValidationError(
            _("No station fits. Choose one of the list, or leave it empty.")
        )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for one, other in (("longitude", "latitude"), ("latitude", "longitude")):
            if data.get(one) is not None and data.get(other) is None and other not in self.errors:
                self.add_error(other, _("A place needs both numbers."))
        return data


class ReadingForm(forms.Form):
    """What reads the payload where the network does not."""

    codec = forms.ModelChoiceField(
        label=_("Codec"),
        queryset=Codec.objects.none(),
        required=False,
        help_text=_("One that somebody in your organisation has set up already."),
    )
    byte_map = forms.CharField(
        label=_("Byte map"),
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text=_(
            "One value a line: name, first byte, type, factor and unit, for example “level_cm 0 u16be *0.1 cm”."
            " The maker’s data sheet tells them."
        ),
    )

    def __init__(self, *args: Any, draft: Draft, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = Codec.objects.filter(owner_id=draft.owner_id)
        self.fields["codec"].queryset = own  # type: ignore[attr-defined]  # a model choice

    def clean_byte_map(self) -> str:
        text = str(self.cleaned_data["byte_map"]).strip()
        if text:
            Codec(name="-", kind=Codec.Kind.BYTES, text=text).clean()
        return text

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("codec") and data.get("byte_map"):
            self.add_error("byte_map", _("Choose a codec or write a byte map, not both."))
        return data

    def add_error(self, field: Any, error: Any) -> None:
        """A codec's text is called a byte map here."""
        if hasattr(error, "error_dict") and "text" in error.error_dict:
            error = forms.ValidationError(error.error_dict["text"])
        super().add_error(field, error)


class StreamForm(forms.Form):
    """One value of the payload: whether it is kept, and as what."""

    path = forms.CharField(widget=forms.HiddenInput, max_length=200)
    wanted = forms.BooleanField(label=_("Keep this value"), required=False)
    name = forms.CharField(label=_("Name"), max_length=100, required=False)
    definition = forms.ChoiceField(label=_("What is measured"))
    source = forms.ChoiceField(label=_("Unit in the message"), required=False)
    unit = forms.ChoiceField(label=_("Unit in which it is kept"))
    minimum = forms.FloatField(label=_("Smallest possible value"), required=False, localize=True)
    maximum = forms.FloatField(
        label=_("Largest possible value"),
        required=False,
        localize=True,
        help_text=_("What lies outside is not stored but put aside for you to look at."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        held = self.initial
        definitions = property_choices(held.get("definition", ""))
        self.fields["definition"].choices = definitions  # type: ignore[attr-defined]  # a choice
        self.fields["unit"].choices = unit_choices(held.get("unit", ""))  # type: ignore[attr-defined]
        same = [("", _("the same")), *unit_choices(held.get("source", ""))]
        self.fields["source"].choices = same  # type: ignore[attr-defined]
        self.example = held.get("example")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("source") and data.get("unit"):
            try:
                conversion(data["source"], data["unit"])
            except Inconvertible as problem:
                self.add_error("unit", unit_sentence(problem))
        return data

    def value(self) -> Wanted:
        given = self.cleaned_data
        return Wanted(
            path=given["path"],
            name=given["name"],
            unit=given["unit"],
            definition=given["definition"],
            example=self.example,
            wanted=given["wanted"],
            minimum=given["minimum"],
            maximum=given["maximum"],
            source="" if given["source"] == given["unit"] else given["source"],
        )


class NewValueForm(forms.Form):
    """A value that no message has shown yet."""

    path = forms.CharField(
        label=_("Name of another value in the message"),
        max_length=200,
        required=False,
        help_text=_("As the network writes it, for example level_cm or data.level."),
    )
