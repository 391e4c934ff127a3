"""A clerk uploads a table, says what it means, looks, checks and imports; strangers find nothing."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from stadtherz.ingest.public import TableImport, TableMapping, tables
from stadtherz.store.public import Selection, select
from stadtherz.web.tests.staff_cast import Town, signed_in, town

pytestmark = pytest.mark.django_db

CONTENT = (
    "Messstelle:;Mühlbach\n"
    "Zeit;Pegel [cm];Wassertemperatur [°C];Prüfung\n"
    "01.07.2026 10:00;96,5;14,2;ok\n"
    "01.07.2026 10:15;97,0;-;ok\n"
    "01.07.2026 10:30;defekt;14,4;?\n"
) + "".join(f"02.07.2026 {n:02}:00;98;15;ok\n" for n in range(20))


def upload(client: Client, home: Town, content: str | bytes = CONTENT, **more: Any) -> Any:
    raw = content.encode("cp1252") if isinstance(content, str) else content
    file = SimpleUploadedFile("juli.csv", raw)
    return client.post(reverse("table:add"), {"owner": home.organisation, "file": file, **more})


def newest() -> TableImport:
    return TableImport.objects.latest("pk")


def form_values(client: Client, url: str, *names: str) -> dict[str, Any]:
    """What a browser would send back unchanged."""
    context = client.get(url).context
    forms = [context["form"], *(context.get("forms") or [])]
    values = {bound.html_name: bound.value() for form in forms for bound in form}
    return {name: value for name, value in values.items() if value not in (None, False)}


def step(client: Client, name: str, **changes: Any) -> Any:
    url = reverse(f"table:{name}", args=[newest().pk])
    return client.post(url, form_values(client, url) | changes)


def press(client: Client, what: str) -> str:
    """Press a button, let the worker work, and give the page that comes."""
    client.post(reverse("table:work", args=[newest().pk]), {"what": what})
    claimed = tables.claim(tables.name_of_holder(), newest().pk)
    if claimed is not None:
        tables.run(claimed)
    return client.get(reverse("table:inspect", args=[newest().pk])).content.decode()


def test_from_upload_to_readings_in_plain_pages(editor: Client, home: Town) -> None:
    assert upload(editor, home)["Location"].endswith(f"/written/{newest().pk}/")
    page = editor.get(reverse("table:written", args=[newest().pk])).content.decode()
    assert "Mühlbach" in page  # the encoding is right
    assert step(editor, "written")["Location"].endswith(f"/times/{newest().pk}/")
    assert step(editor, "times")["Location"].endswith(f"/targets/{newest().pk}/")
    targets = editor.get(reverse("table:targets", args=[newest().pk]))
    assert [form.source for form in targets.context["forms"]] == [
        "Pegel [cm]",
        "Wassertemperatur [°C]",
    ]
    answer = step(
        editor,
        "targets",
        **{"c0-to": str(home.stream), "c1-to": "new", "c1-thing": "Mühlbach", "save_as": "Bach"},
    )
    page = editor.get(answer["Location"]).content.decode()
    assert "96,5" in page
    assert "„defekt“ ist keine Zahl" in page
    page = press(editor, "check")
    assert "23 Zeilen, 2 Messreihen, von 01.07.2026 10:00 bis 02.07.2026 19:00" in page
    assert len(select(Selection(frozenset({home.stream})))) == 0
    page = press(editor, "import")
    assert "Die Datei ist eingelesen" in page
    assert len(select(Selection(frozenset({home.stream})))) == 22
    report = b"".join(editor.get(reverse("table:report", args=[newest().pk])).streaming_content)
    assert "5;Pegel [cm];defekt;nicht übernommen;„defekt“ ist keine Zahl." in report.decode()
    assert TableMapping.objects.filter(owner_id=home.organisation, name="Bach").exists()


def test_next_month_the_saved_mapping_leads_to_the_preview_at_once(
    editor: Client, home: Town
) -> None:
    upload(editor, home)
    for name in ("written", "times"):
        step(editor, name)
    step(editor, "targets", **{"c0-to": str(home.stream), "save_as": "Bach"})
    mapping = TableMapping.objects.get(name="Bach")
    answer = upload(editor, home, "Stand:\nvom:\n" + CONTENT, mapping=mapping.pk)
    assert answer["Location"].endswith(f"/inspect/{newest().pk}/")
    assert "96,5" in editor.get(answer["Location"]).content.decode()


def test_mistakes_stand_at_their_fields(editor: Client, home: Town) -> None:
    page = upload(editor, home, bytes(range(256)) * 9)
    assert "Binärdaten" in page.content.decode()
    upload(editor, home)
    page = step(editor, "written", first="1", header="2")
    assert page.context["form"].errors.keys() == {"first"}
    step(editor, "written")
    page = step(editor, "times", layout="long", double="column")
    assert page.context["form"].errors.keys() == {"season", "series", "value"}
    step(editor, "times")
    page = step(editor, "targets")
    assert "Keine Spalte ist einer Messreihe zugeordnet" in page.content.decode()
    both = {"c0-to": str(home.stream), "c1-to": str(home.stream)}
    page = step(editor, "targets", **both)
    assert "Dorthin geht schon eine andere Spalte" in page.content.decode()
    page = step(editor, "targets", **{"c0-to": "new", "c0-thing": ""})
    assert page.context["forms"][0].errors.keys() == {"thing"}


def test_a_workbook_that_is_damaged_is_told_at_the_file(editor: Client, home: Town) -> None:
    page = upload(editor, home, b"PK\x03\x04" + bytes(500))
    assert "beschädigt" in page.content.decode()


def test_who_only_looks_cannot_upload_or_press_buttons(editor: Client, home: Town) -> None:
    upload(editor, home)
    viewer = signed_in("viewer@lautern.example")
    assert viewer.get(reverse("table:inspect", args=[newest().pk])).status_code == 200
    for name in ("written", "times", "targets"):
        url = reverse(f"table:{name}", args=[newest().pk])
        assert viewer.get(url)["Location"] == "/verwaltung/"
    assert upload(viewer, home)["Location"] == "/verwaltung/"
    pressed = viewer.post(reverse("table:work", args=[newest().pk]), {"what": "import"})
    assert pressed["Location"] == "/verwaltung/"


def test_others_uploads_mappings_and_datastreams_do_not_exist(editor: Client, home: Town) -> None:
    other = town("pirmasens")
    upload(editor, home)
    row = newest()
    stranger = signed_in("administrator@pirmasens.example")
    for name in ("inspect", "written", "times", "targets", "report", "delete"):
        assert stranger.get(reverse(f"table:{name}", args=[row.pk])).status_code == 404, name
    assert (
        stranger.post(reverse("table:work", args=[row.pk]), {"what": "import"}).status_code == 404
    )
    form = editor.get(reverse("table:add")).content.decode()
    assert "Monatsdatei lautern" in form
    assert "Monatsdatei pirmasens" not in form
    answer = upload(editor, home, mapping=other.mapping)
    assert answer.context["form"].errors.keys() == {"mapping"}
    assert upload(stranger, home).context["form"].errors.keys() == {"owner"}
    for name in ("written", "times"):
        step(editor, name)
    answer = step(editor, "targets", **{"c0-to": str(other.stream)})
    assert answer.context["forms"][0].errors.keys() == {"to"}


def test_deleting_an_upload_deletes_its_file_and_leaves_the_readings(
    editor: Client, home: Town
) -> None:
    upload(editor, home)
    for name in ("written", "times"):
        step(editor, name)
    step(editor, "targets", **{"c0-to": str(home.stream)})
    press(editor, "import")
    row = newest()
    file: Path = tables.file_of(row)
    editor.post(reverse("table:delete", args=[row.pk]))
    assert not file.exists()
    assert not TableImport.objects.filter(pk=row.pk).exists()
    assert len(select(Selection(frozenset({home.stream})))) == 22


def test_a_page_of_a_file_at_work_loads_itself_again(editor: Client, home: Town) -> None:
    upload(editor, home)
    for name in ("written", "times"):
        step(editor, name)
    step(editor, "targets", **{"c0-to": str(home.stream)})
    url = reverse("table:work", args=[newest().pk])
    editor.post(url, {"what": "check"})
    page = editor.get(reverse("table:inspect", args=[newest().pk])).content.decode()
    assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in page
    assert "data-staff-live" in page
    assert editor.get(reverse("table:written", args=[newest().pk])).status_code == 302
    editor.post(url, {"what": "stop"})
    assert newest().state == TableImport.State.FAILED


def test_a_file_whose_points_may_stand_between_thousands_is_told(
    editor: Client, home: Town
) -> None:
    rows = "".join(f"2026-07-{day:02} 10:00;{day}.234\n" for day in range(10, 20))
    upload(editor, home, f"Zeit;Zähler\n{rows}")
    url = reverse("table:written", args=[newest().pk])
    assert (
        "„10.234“ kann Nachkommastellen oder Tausender meinen" in editor.get(url).content.decode()
    )
    changed = {"decimal": ",", "thousands": ".", "look": "1"}
    page = editor.post(url, form_values(editor, url) | changed).content.decode()
    assert "oder Tausender meinen" not in page
