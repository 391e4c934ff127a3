"""The one view behind all SensorThings addresses, for people."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from stadtherz.web.entities import one, root, sets
from stadtherz.web.entities.asking import Questions, address


def page(request: HttpRequest, version: str, path: str, dataset: str = "") -> HttpResponse:
    """What stands at the path of that version, of everything or of a data set; NotFound as everywhere."""
    questions = Questions.of(request, version, path, dataset)
    subject = questions.subject
    if subject.entity is None:
        return root.page(request, questions)
    if subject.single:
        return one.page(request, questions, subject.entity)
    return sets.page(request, questions, subject.entity)


def dataset(request: HttpRequest, dataset: str) -> HttpResponse:
    """A data set's own address leads people to the page about what is in it, which says what there is not."""
    return redirect(address("1.1", dataset=dataset))
