"""The questions of a page: one reader, one version of the interface, and addresses for people."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest
from django.urls import reverse

from stadtherz.identity.public import visibility_of_request
from stadtherz.sensorthings.public import EntityType, Inquiry, Link, Subject
from stadtherz.store.public import DatasetInfo, dataset, within

Document = dict[str, Any]
_SAFE = "$=&()';,/:?@*!+-._~"


@dataclass(frozen=True, slots=True)
class Questions:
    """What a page asks; `path` and `query` are those of its own address, below the service root."""

    inquiry: Inquiry
    path: str
    query: str

    @classmethod
    def of(cls, request: HttpRequest, version: str, path: str, dataset: str) -> "Questions":
        host = f"{request.scheme}://{request.get_host()}"
        reader = visibility_of_request(request)
        inquiry = Inquiry(version, within(reader, dataset) if dataset else reader, host, dataset)
        query: str = request.META.get("QUERY_STRING", "")
        return cls(inquiry, path.rstrip("/"), query)

    @property
    def subject(self) -> Subject:
        return self.inquiry.subject(quote(self.path, safe=_SAFE))

    def ask(self, path: str, **options: str | int) -> Document | None:
        """The answer with these options; `expand` stands for `$expand`."""
        query = "&".join(
            f"${name}={quote(str(value), safe=_SAFE.replace('&', '').replace('+', ''))}"
            for name, value in options.items()
            if value != ""
        )
        return self.inquiry.ask(quote(path, safe=_SAFE), query)

    @property
    def dataset(self) -> DatasetInfo | None:
        """The data set that the page is about, if not about everything."""
        slug = self.inquiry.dataset
        return dataset(slug, self.inquiry.visibility) if slug else None

    def type_of(self, link: Link) -> EntityType:
        return self.inquiry.types[link.target]

    def kind(self, name: str) -> EntityType | None:
        """The type that the store calls so, whatever this version does."""
        return next((e for e in self.inquiry.types.values() if e.kind == name), None)

    # --- addresses -------------------------------------------------------------------------------

    def page(self, path: str = "", query: str = "") -> str:
        """The page about a path, in the language of this one."""
        found = address(self.inquiry.version, path, self.inquiry.dataset)
        return f"{found}?{query}" if query else found

    def entity_page(self, entity: EntityType, document: Document) -> str:
        return self.page(f"/{entity.plural}({self.inquiry.id_of(document)})")

    def machine(self, path: str, query: str = "", written: str = "JSON") -> str:
        """What programs get at a path, as this format."""
        option = "$resultFormat" if self.inquiry.version == "1.1" else "$format"
        options = "&".join(part for part in (query, f"{option}={written}") if part)
        return f"{self.inquiry.prefix}{quote(path, safe=_SAFE)}?{options}"


def address(version: str, path: str = "", dataset: str = "") -> str:
    """The page about a path of a version, of everything or of a data set, in the active language."""
    where = {"version": version, "path": path}
    if dataset:
        return reverse("web:dataset-entities", kwargs={**where, "dataset": dataset})
    return reverse("web:entities", kwargs=where)
