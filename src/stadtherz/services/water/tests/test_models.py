"""What staff may enter, and what they are told if it makes no sense."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import override

from stadtherz.alerts.public import add_contact_list
from stadtherz.kit.testing import Town
from stadtherz.services.water.models import Gauge, WarningStep


def test_recipients_of_another_organisation_are_refused(town: Town, gauge: Gauge) -> None:
    gauge.recipients_id = add_contact_list(owner=town.neighbour, name="Fremde")
    with pytest.raises(ValidationError) as refused:
        gauge.clean()
    assert "recipients" in refused.value.message_dict


def test_recipients_of_the_same_organisation_are_fine(town: Town, gauge: Gauge) -> None:
    gauge.clean()


@pytest.mark.parametrize("hysteresis", [0, -1])
def test_a_hysteresis_must_be_above_zero(gauge: Gauge, hysteresis: float) -> None:
    step = WarningStep(gauge=gauge, name_de="x", name_en="x", level=50, hysteresis=hysteresis)
    with pytest.raises(ValidationError):
        step.clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        step.save()


def test_two_steps_of_a_gauge_cannot_have_the_same_level(gauge: Gauge) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        WarningStep.objects.create(gauge=gauge, name_de="x", name_en="x", level=90)


def test_a_text_missing_in_one_language_is_taken_from_the_other(gauge: Gauge) -> None:
    gauge.meaning_en = ""
    with override("en"):
        assert gauge.meaning == gauge.meaning_de
