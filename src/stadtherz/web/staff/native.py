"""Dates and times are asked by the browser's own fields.

They come with a calendar that a keyboard, a screen reader and a phone know. Those that Wagtail brings
open one whose buttons have no names.
"""

from functools import partial

from django import forms
from django.db import models
from wagtail.admin.forms.models import register_form_field_override

LOCAL = "%Y-%m-%dT%H:%M"

date_input = partial(forms.DateInput, attrs={"type": "date"}, format="%Y-%m-%d")
time_input = partial(forms.TimeInput, attrs={"type": "time"}, format="%H:%M")
moment_input = partial(forms.DateTimeInput, attrs={"type": "datetime-local"}, format=LOCAL)


def use_native_fields() -> None:
    """In every form of the back office that is made of a model from now on."""
    for field, widget in (
        (models.DateField, date_input),
        (models.TimeField, time_input),
        (models.DateTimeField, moment_input),
    ):
        register_form_field_override(field, override={"widget": widget()})
