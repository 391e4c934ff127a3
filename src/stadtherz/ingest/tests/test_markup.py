"""XML says the same as JSON would, and what is hostile in it is refused with a reason."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.base.errors import Invalid
from stadtherz.base.time import parse_instant
from stadtherz.ingest.documents import document
from stadtherz.ingest.documents.uplink import Uplink
from stadtherz.ingest.onboarding.recognise import recognise
from stadtherz.ingest.public import NewField, register_device
from stadtherz.ingest.tests.factories import EUI, Door, Town, results
from stadtherz.ingest.values import decode

AT = "2026-11-28T11:59:58+00:00"
THINGPARK = f"""<?xml version="1.0" encoding="UTF-8"?>
<DevEUI_uplink xmlns="http://uri.actility.com/lora"><Time>{AT}</Time><DevEUI>{EUI}</DevEUI><FPort>2</FPort>
<FCntUp>7</FCntUp><ADRbit>1</ADRbit><MType>2</MType><payload_hex>0019</payload_hex><mic_hex>38e7a3b9</mic_hex>
<LrrRSSI>-60.0</LrrRSSI><LrrESP/><Lrrid>08040059</Lrrid><Late>0</Late><SpFact>7</SpFact><Frequency>868.1</Frequency>
<Lrrs><Lrr><Lrrid>08040059</Lrrid><LrrRSSI>-60.0</LrrRSSI><LrrSNR>9.75</LrrSNR></Lrr>
<Lrr><Lrrid>08040060</Lrrid><LrrRSSI>-90.0</LrrRSSI><LrrSNR>1</LrrSNR></Lrr></Lrrs>
<CustomerData>{{"alr":{{"pro":"LORA/Generic","ver":"1"}}}}</CustomerData></DevEUI_uplink>"""
DEEP = document.DEEPEST + 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('<m a="1"><level unit="cm"> 5 </level></m>', {"m": {"a": "1", "level": {"unit": "cm", "value": "5"}}}),
        ("<m><r>1</r><r>2</r><r>3</r></m>", {"m": {"r": ["1", "2", "3"]}}),
        ("<m><r><a/></r><r/></m>", {"m": {"r": [{"a": ""}, ""]}}),
        ('<x:m xmlns:x="http://a" xmlns="b" xsi:c="d" xmlns:xsi="e"><x:a>1</x:a></x:m>', {"m": {"a": "1"}}),
        ("\ufeff <?xml version='1.0'?><!-- by a logger --><m><![CDATA[<5>]]></m>", {"m": "<5>"}),
        ('<m value="1">2</m>', {"m": {"value": ["1", "2"]}}),
        ("<m>&#176;C &amp; &lt;</m>", {"m": "°C & <"}),
    ],
)  # fmt: skip
def test_elements_and_attributes_are_fields(text: str, found: Any) -> None:
    assert document.parse(text.encode()) == found


def test_an_encoding_that_the_document_declares_counts() -> None:
    text = "<?xml version='1.0' encoding='ISO-8859-1'?><m>Mühle</m>"
    assert document.parse(text.encode("latin-1")) == {"m": "Mühle"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<m><a>1</m>", "broken XML: line 1 column 10"),
        ("<m>", "broken XML"),
        ("<m/><m/>", "broken XML"),
        ("<m>&nbsp;</m>", "broken XML"),
        ("<m>\0</m>", "broken XML"),
        ("<a>" * DEEP + "</a>" * DEEP, "nested more than 32"),
        ('<!DOCTYPE m [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><m>&b;</m>', "declares its own type"),
        ('<!DOCTYPE m SYSTEM "file:///etc/passwd"><m/>', "declares its own type"),
        ("<?xml version='1.0' encoding='x-none'?><m/>", "XML"),
        ("<m>" + "<a/>" * 20_000 + "</m>", "more than 20000 elements"),
    ],
)
def test_what_is_broken_or_hostile_says_why(text: str, told: str) -> None:
    with pytest.raises(Invalid, match=told) as caught:
        document.parse(text.encode())
    assert caught.value.field == "document"


@given(st.text("<>/=\"' abm&;![]?", max_size=40))
def test_nothing_but_invalid_is_raised(text: str) -> None:
    try:
        found = document.parse(b"<" + text.encode())
    except Invalid:
        return
    assert isinstance(found, dict)


def test_thingpark_in_xml_says_the_same_as_in_json(
    door: Door, town: Town, transactional_db: None
) -> None:
    field = NewField("bytes:0:u16be", town.level)
    register_device(town.organisation, "actility", EUI, "Gauge", fields=[field])
    answer = door.post(
        THINGPARK.encode(),
        path="/ingest/actility",
        **{"Content-Type": "application/xml"},
    )
    assert (answer.status_code, answer.json()["stored"]) == (200, 1), answer.text
    assert results(town.level) == [25]
    found = recognise(THINGPARK, received=parse_instant("2026-11-28T12:00:00Z"))
    assert (found.network, found.message.dev_eui) == ("actility", EUI)
    assert isinstance(found.message, Uplink)
    assert [each.rssi for each in found.message.radio.gateways] == [-60, -90]


def test_a_path_into_a_list_finds_the_only_one_where_xml_has_no_list() -> None:
    one = document.parse(b'<m><sensor name="level">5</sensor></m>')
    two = document.parse(b'<m><sensor name="temp">1</sensor><sensor name="level">5</sensor></m>')
    path = "m.sensor[name=level].value"
    assert [decode.value(path, decoded=each, payload=b"") for each in (one, two)] == ["5", "5"]
