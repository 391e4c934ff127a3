"""The forms with which staff say what a table means, a step at a time."""

from collections.abc import Iterable, Sequence
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _

from stadtherz.identity.public import organisations
from stadtherz.ingest.public import TableMapping, tables, unit_choices

_ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-8-sig": _("UTF-8 with a mark at its beginning"),
    "cp1252": _("Windows-1252 (Western Europe)"),
    "utf-16": "UTF-16",
    "utf-16-le": _("UTF-16 without a mark, little endian"),
    "utf-16-be": _("UTF-16 without a mark, big endian"),
}
_DELIMITERS = {";": _("semicolon ;"), ",": _("comma ,"), "\t": _("tabulator"), "|": "|"}
_DECIMALS = [(",", _("comma: 1,5")), (".", _("point: 1.5"))]
_THOUSANDS = [
    ("", _("none: 1500")),
    (".", _("point: 1.500")),
    (",", _("comma: 1,500")),
    (" ", _("space: 1 500")),
    ("'", _("apostrophe: 1'500")),
]
_FORMATS = {
    tables.TimeFormat.ISO: "2026-12-31 14:30",
    tables.TimeFormat.GERMAN: "31.12.2026 14:30",
    tables.TimeFormat.DAY_FIRST: _("31/12/2026 14:30 (day first)"),
    tables.TimeFormat.MONTH_FIRST: _("12/31/2026 14:30 (month first)"),
    tables.TimeFormat.COMPACT: "202612311430",
    tables.TimeFormat.SECONDS: _("seconds since 1970"),
    tables.TimeFormat.MILLISECONDS: _("milliseconds since 1970"),
    tables.TimeFormat.EXCEL: _("a number of days, as Excel keeps times"),
}
_DOUBLES = {
    tables.Double.ORDER: _("the order of the rows tells"),
    tables.Double.COLUMN: _("a column tells (see below)"),
    tables.Double.FIRST: _("always summer time"),
    tables.Double.SECOND: _("always standard time"),
    tables.Double.REFUSE: _("do not take such rows"),
}


class UploadForm(forms.Form):
    owner = forms.ModelChoiceField(organisations(), label=_("Organisation"))
    file = forms.FileField(
        label=_("File"),
        help_text=_("A CSV or text file, or an Excel workbook (.xlsx)."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,.tsv,.dat,.xlsx,text/*"}),
    )
    mapping = forms.ModelChoiceField(
        TableMapping.objects.all(),
        label=_("Saved mapping"),
        required=False,
        empty_label=_("none: I say what the columns mean"),
        help_text=_("If you have uploaded a file like this before."),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        mapping, owner = data.get("mapping"), data.get("owner")
        if mapping is not None and owner is not None and mapping.owner_id != owner.pk:
            self.add_error("mapping", _("This belongs to another organisation."))
        return data


class WrittenForm(forms.Form):
    """How the file is written."""

    sheet = forms.ChoiceField(label=_("Sheet"), required=False)
    encoding = forms.ChoiceField(
        label=_("Encoding"),
        choices=list(_ENCODINGS.items()),
        help_text=_("Right if umlauts look right below."),
    )
    delimiter = forms.ChoiceField(
        label=_("Columns are separated by"), choices=list(_DELIMITERS.items())
    )
    decimal = forms.ChoiceField(label=_("Decimal sign"), choices=_DECIMALS)
    thousands = forms.ChoiceField(
        label=_("Sign between thousands"), choices=_THOUSANDS, required=False
    )
    header = forms.IntegerField(
        label=_("Line with the names of the columns"),
        min_value=0,
        max_value=10_000,
        help_text=_("0 if there is none."),
    )
    first = forms.IntegerField(label=_("First line of data"), min_value=1, max_value=10_000)
    comment = forms.CharField(
        label=_("Comment lines begin with"), required=False, max_length=5, strip=True
    )

    def __init__(self, data: Any, *, form: tables.Form, sheets: Sequence[str]) -> None:
        super().__init__(data, initial=tables.told(form))
        self.before = form
        if form.kind == "xlsx":
            for name in ("encoding", "delimiter", "comment"):
                del self.fields[name]
            self.fields["sheet"].choices = [(name, name) for name in sheets]  # type: ignore[attr-defined]
        else:
            del self.fields["sheet"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("header") and data.get("first") and data["first"] <= data["header"]:
            self.add_error("first", _("The data begin below the names of the columns."))
        if data.get("decimal") and data.get("decimal") == data.get("thousands"):
            self.add_error("thousands", _("This is the decimal sign already."))
        if data.get("delimiter") == "," and data.get("thousands") == ",":
            self.add_error("thousands", _("The comma separates the columns already."))
        return data

    @property
    def form(self) -> tables.Form:
        return tables.form_of({**tables.told(self.before), **self.cleaned_data})


class TimesForm(forms.Form):
    """Where times stand, what the rows are, and what is no value."""

    column = forms.ChoiceField(label=_("Column with the time"))
    second = forms.ChoiceField(
        label=_("Column with the time of day"),
        required=False,
        help_text=_("Only if date and time of day stand in two columns."),
    )
    format = forms.ChoiceField(label=_("Times are written as"), choices=list(_FORMATS.items()))
    zone = forms.ChoiceField(
        label=_("Time zone of the file"),
        help_text=_("Offices often write Central European Time all the year, without summer time."),
    )
    double = forms.ChoiceField(
        label=_("When the clocks are put back an hour comes twice. Which one is meant?"),
        choices=list(_DOUBLES.items()),
        help_text=_("What is taken by this rule stands in the report."),
    )
    season = forms.ChoiceField(
        label=_("Column that tells summer time"),
        required=False,
        help_text=_("It holds for example MESZ and MEZ, S and W, or 1 and 0."),
    )
    layout = forms.ChoiceField(
        label=_("How the table is laid out"),
        choices=[
            ("wide", _("Each datastream has a column of its own.")),
            ("long", _("Each row says to which datastream its value belongs.")),
        ],
        widget=forms.RadioSelect,
    )
    series = forms.MultipleChoiceField(
        label=_("Columns that say to which datastream the value belongs"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    value = forms.ChoiceField(label=_("Column with the value"), required=False)
    missing = forms.CharField(
        label=_("What stands for “no value”"),
        required=False,
        max_length=500,
        help_text=_("Separated by spaces. An empty cell always means that."),
    )
    errors_ = forms.CharField(
        label=_("Error codes of the sensor"),
        required=False,
        max_length=500,
        help_text=_("Separated by spaces. They are not taken and stand in the report."),
    )

    def __init__(self, data: Any, *, rules: tables.Rules, names: Sequence[str]) -> None:
        super().__init__(data, initial=_initial(rules))
        self.rules = rules
        own = [(name, name) for name in names]
        none = [("", _("none"))]
        for name in ("column", "series"):
            self.fields[name].choices = own  # type: ignore[attr-defined]
        for name in ("second", "season", "value"):
            self.fields[name].choices = [*none, *own]  # type: ignore[attr-defined]
        self.fields["zone"].choices = zones()  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("double") == tables.Double.COLUMN and not data.get("season"):
            self.add_error("season", _("Choose the column that tells it."))
        if data.get("layout") == "long":
            for name in ("series", "value"):
                if not data.get(name):
                    self.add_error(name, _("Needed for this layout."))
        return data

    def changed_rules(self) -> tables.Rules:
        """The rules with what was said; what goes to datastreams stays where the layout does."""
        data = self.cleaned_data
        long = None
        if data["layout"] == "long":
            long = tables.Long(tuple(data["series"]), data["value"])
        kept = self.rules.targets if long == self.rules.long else ()
        names = ("column", "format", "zone", "second", "double", "season")
        plain = tables.told(self.rules) | {
            "times": {name: data[name] for name in names},
            "missing": data["missing"].split(),
            "errors": data["errors_"].split(),
            "long": None if long is None else {"series": long.series, "value": long.value},
            "targets": [tables.told(target) for target in kept],
        }
        return tables.rules_of(plain)


def _initial(rules: tables.Rules) -> dict[str, Any]:
    times, long = rules.times, rules.long
    return {
        **{name: getattr(times, name) for name in times.__slots__},
        "layout": "wide" if long is None else "long",
        "series": [] if long is None else list(long.series),
        "value": "" if long is None else long.value,
        "missing": " ".join(rules.missing),
        "errors_": " ".join(rules.errors),
    }


def zones() -> list[tuple[str, Any]]:
    """The likely ones first."""
    city = settings.TIME_ZONE
    first = {
        city: city,
        tables.MEZ: _text("Central European Time all the year (MEZ, UTC+1)"),
        "UTC": "UTC",
        "Etc/GMT-2": _text("Central European Summer Time all the year (MESZ, UTC+2)"),
    }
    european = sorted(name for name in available_timezones() if name.startswith("Europe/"))
    return [*first.items(), *((name, name) for name in european if name not in first)]


class TargetForm(forms.Form):
    """Where the values of one column, or of one series, go."""

    to = forms.ChoiceField(label=_("Goes to"), required=False)
    thing = forms.CharField(label=_("Thing"), required=False, max_length=200)
    name = forms.CharField(label=_("What is measured"), required=False, max_length=200)
    unit = forms.CharField(label=_("Unit"), required=False, max_length=40)
    file_unit = forms.ChoiceField(
        label=_("Unit in the file"),
        required=False,
        help_text=_("Where the datastream has another, the values are converted."),
    )
    factor = forms.FloatField(label=_("Factor"), required=False, localize=True)
    offset = forms.FloatField(label=_("Offset"), required=False, localize=True)

    def __init__(
        self,
        data: Any,
        *,
        source: str,
        example: str,
        streams: Sequence[tuple[str, Any]],
        **kwargs: Any,
    ) -> None:
        super().__init__(data, **kwargs)
        self.source, self.example = source, example
        self.fields["to"].choices = [  # type: ignore[attr-defined]
            ("", _("leave out")),
            ("new", _("a new datastream (say which below)")),
            *streams,
        ]
        held = str(self.initial.get("file_unit") or "")
        units = [("", _("as the datastream has it")), *unit_choices(held)]
        self.fields["file_unit"].choices = units  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("to") == "new":
            for name in ("thing", "name"):
                if not data.get(name):
                    self.add_error(name, _("Needed for a new datastream."))
        if data.get("factor") == 0:
            self.add_error("factor", _("A factor of 0 would make every value the same."))
        return data

    @property
    def target(self) -> tables.Target | None:
        data = self.cleaned_data
        if not data["to"]:
            return None
        factor, offset = data["factor"], data["offset"]
        numbers = (1.0 if factor is None else factor, offset or 0.0, data["file_unit"])
        if data["to"] == "new":
            new = tables.New(data["thing"].strip(), data["name"].strip(), data["unit"].strip())
            return tables.Target(self.source, None, new, *numbers)
        return tables.Target(self.source, int(data["to"]), None, *numbers)


class KeepForm(forms.Form):
    """What happens to what is there already, and the mapping's name."""

    existing = forms.ChoiceField(
        label=_("If there is another value for the same time already"),
        choices=[
            ("keep", _("keep what is there")),
            ("replace", _("replace it with the value of the file")),
        ],
        widget=forms.RadioSelect,
    )
    save_as = forms.CharField(
        label=_("Save this mapping as"),
        required=False,
        max_length=200,
        help_text=_(
            "For the next file of this kind. A mapping of the same name is replaced. Empty: not saved."
        ),
    )


def duplicate_targets(found: Iterable[tables.Target]) -> set[str]:
    """Sources whose datastream another one has, too: their values would collide."""
    seen: dict[Any, str] = {}
    twice: set[str] = set()
    for target in found:
        key = target.datastream if target.new is None else (target.new.thing, target.new.name)
        if key in seen:
            twice.add(target.source)
        seen[key] = target.source
    return twice
