"""The one view behind all SensorThings addresses, for people."""

from django.http import HttpRequest, HttpResponse

from stadtherz.web.entities import one, root, sets
from stadtherz.web.entities.asking import Questions


def page(request: HttpRequest, version: str, path: str) -> HttpResponse:
    """What stands at the path of that version, or NotFound as everywhere."""
    questions = Questions.of(request, version, path)
    subject = questions.subject
    if subject.entity is None:
        return root.page(request, questions)
    if subject.single:
        return one.page(request, questions, subject.entity)
    return sets.page(request, questions, subject.entity)
