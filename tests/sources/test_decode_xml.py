"""XML into rows."""

import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import xmltodict
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.errors import LimitExceeded, SourceError, Undecodable
from tests.sources.decoding import decoded

DATA = Path(__file__).with_name("data")
PROVIDER: dict[str, Any] = {"path": "eventList.output.base_event", "force_list": ["event", "zone"]}


def zone(zone_id: str, capacity: str, price: str, name: str, numbered: str) -> dict[str, str]:
    return {
        "-zone_id": zone_id,
        "-capacity": capacity,
        "-price": price,
        "-name": name,
        "-numbered": numbered,
    }


def event(
    starts: str, ends: str, event_id: str, sell_from: str, sell_to: str, *zones: dict[str, str]
) -> dict[str, Any]:
    return {
        "-event_start_date": starts,
        "-event_end_date": ends,
        "-event_id": event_id,
        "-sell_from": sell_from,
        "-sell_to": sell_to,
        "-sold_out": "false",
        "zone": list(zones),
    }


def camela(ends: str, *capacities: str) -> dict[str, Any]:
    platea, grada, a28 = capacities
    return {
        "-base_event_id": "291",
        "-sell_mode": "online",
        "-title": "Camela en concierto",
        "event": [
            event(
                "2021-06-30T21:00:00",
                ends,
                "291",
                "2020-07-01T00:00:00",
                "2021-06-30T20:00:00",
                zone("40", platea, "20.00", "Platea", "true"),
                zone("38", grada, "15.00", "Grada 2", "false"),
                zone("30", a28, "30.00", "A28", "true"),
            )
        ],
    }


def morancos(ends: str, *capacities: str) -> dict[str, Any]:
    first, second = capacities
    return {
        "-base_event_id": "1591",
        "-sell_mode": "online",
        "-organizer_company_id": "1",
        "-title": "Los Morancos",
        "event": [
            event(
                "2021-07-31T20:00:00",
                ends,
                "1642",
                "2021-06-26T00:00:00",
                "2021-07-31T19:50:00",
                zone("186", first, "75.00", "Amfiteatre", "true"),
                zone("186", second, "65.00", "Amfiteatre", "false"),
            )
        ],
    }


def tributo(ends: str) -> dict[str, Any]:
    return {
        "-base_event_id": "444",
        "-sell_mode": "offline",
        "-organizer_company_id": "1",
        "-title": "Tributo a Juanito Valderrama",
        "event": [
            event(
                "2021-09-31T20:00:00",
                ends,
                "1642",
                "2021-02-10T00:00:00",
                "2021-09-31T19:50:00",
                zone("7", "22", "65.00", "Amfiteatre", "false"),
            )
        ],
    }


PANTOMIMA = {
    "-base_event_id": "322",
    "-sell_mode": "online",
    "-organizer_company_id": "2",
    "-title": "Pantomima Full",
    "event": [
        event(
            "2021-02-10T20:00:00",
            "2021-02-10T21:30:00",
            "1642",
            "2021-01-01T00:00:00",
            "2021-02-09T19:50:00",
            zone("311", "2", "55.00", "A42", "true"),
        )
    ],
}
EXPECTED = {
    1: [
        camela("2021-06-30T21:30:00", "200", "0", "80"),
        morancos("2021-07-31T21:00:00", "0", "12"),
        tributo("2021-09-31T20:00:00"),
    ],
    2: [
        camela("2021-06-30T22:00:00", "240", "50", "90"),
        morancos("2021-07-31T21:20:00", "0", "14"),
        tributo("2021-09-31T21:00:00"),
    ],
    3: [camela("2021-06-30T22:00:00", "243", "100", "90"), PANTOMIMA, morancos("2021-07-31T21:00:00", "2", "16")],
}


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_provider_s_answers_become_documents(number: int) -> None:
    data = (DATA / f"provider_events_{number}.xml").read_bytes()
    assert decoded(data, format="xml", **PROVIDER) == EXPECTED[number]


def test_without_a_path_the_document_is_one_row() -> None:
    data = (DATA / "provider_events_1.xml").read_bytes()
    assert decoded(data) == [xmltodict.parse(data, attr_prefix="-")]


names = st.sampled_from(["a", "b", "c", "ns:d"])
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=8)
trees = st.recursive(
    st.none() | texts,
    lambda children: st.dictionaries(names, children | st.lists(children, min_size=1, max_size=3), max_size=4),
    max_leaves=20,
)
documents = st.dictionaries(names, trees, max_size=4)
attributes = st.dictionaries(st.sampled_from(["x", "y"]), texts, max_size=2)


@settings(deadline=None)
@given(st.lists(st.tuples(documents, attributes), min_size=1, max_size=5))
def test_what_xmltodict_writes_is_read_as_xmltodict_reads_it(parts: list[tuple[Any, dict[str, str]]]) -> None:
    rows = [document | {f"-{name}": text for name, text in around.items()} for document, around in parts]
    text = xmltodict.unparse({"r": {"row": rows}}, attr_prefix="-")
    expected = xmltodict.parse(text, attr_prefix="-", force_list=["row", "b"])["r"]["row"]
    assert decoded(text.encode(), path="r.row", force_list=["b"]) == [row or {} for row in expected]


def test_text_beside_attributes_is_a_member() -> None:
    assert decoded(b'<r><e a="1"> one </e><e>two</e><e/></r>', path="r.e") == [
        {"-a": "1", "#text": "one"},
        {"#text": "two"},
        {},
    ]


@pytest.mark.parametrize(
    ("declaration", "codec"),
    [
        ("utf-8", "utf-8"),
        ("ISO-8859-1", "latin-1"),
        ("windows-1252", "cp1252"),
        ("utf-16", "utf-16"),
        ("euc-kr", "euc-kr"),
    ],
)
def test_the_declared_encoding_is_followed(declaration: str, codec: str) -> None:
    word = "한국" if codec == "euc-kr" else "añejo"
    text = f'<?xml version="1.0" encoding="{declaration}"?><r><e a="{word}"/></r>'
    assert decoded(text.encode(codec), path="r.e", charset="utf-8") == [{"-a": word}]


def test_an_encoding_that_is_not_declared_is_that_of_the_content_type() -> None:
    assert decoded("<r><e>é</e></r>".encode("latin-1"), path="r.e", charset="iso-8859-1") == [{"#text": "é"}]


def test_a_wrong_path_is_told_what_is_there() -> None:
    data = (DATA / "provider_events_1.xml").read_bytes()
    with pytest.raises(Undecodable, match=r"no element 'events' in 'eventList.output', only 'base_event'"):
        decoded(data, path="eventList.output.events")
    with pytest.raises(Undecodable, match=r"no element 'list' at the root, only 'eventList'"):
        decoded(data, path="list.output")


@pytest.mark.parametrize(
    "data",
    [
        b"<r><list/></r>",
        b"<r/>",
        b"<r><list><count>0</count><page>1</page></list></r>",
        b"<r><about><e>1</e></about><list><count>0</count></list></r>",
        b"<r v='1'><list v='1'> </list></r>",
    ],
)
def test_a_list_with_nothing_in_it_has_no_rows(data: bytes) -> None:
    assert decoded(data, path="r.list.e") == []


@pytest.mark.parametrize("data", [b"<r><list><f a='1'/></list></r>", b"<r><list><f><e/></f></list></r>"])
def test_a_list_of_something_else_is_told(data: bytes) -> None:
    with pytest.raises(Undecodable, match=r"no element 'e' in 'r\.list', only 'f'"):
        decoded(data, path="r.list.e")


LAUGHS = b'<!DOCTYPE l [<!ENTITY a "ha">%s]><l>&i;</l>' % b"".join(
    b'<!ENTITY %c "%s">' % (name, b"&%c;" % (name - 1) * 10) for name in range(ord("b"), ord("k"))
)
HOSTILE = {
    "billion laughs": (LAUGHS, "declarations of its own"),
    "quadratic": (b'<!DOCTYPE l [<!ENTITY a "%s">]><l>%s</l>' % (b"x" * 50_000, b"&a;" * 50_000), "declarations"),
    "external": (b'<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><l>&a;</l>', "declarations"),
    "external subset": (b'<!DOCTYPE l SYSTEM "http://127.0.0.1:1/x.dtd"><l>&a;</l>', "&a;"),
    "deep": (b"<l>" * 1_000_000, "nested more than 64"),
    "cut off": (b"<l><e>1</e><e>2", "cut off at line 1"),
    "not well-formed": (b"<l><e>1</f></l>", "not well-formed at line 1, column 9"),
    "endless tag": (b"<l " + b"a" * 30_000_000, "longer than 1,048,576 bytes"),
    "endless row": (b"<l>" + b"<a>1</a>" * 4_000_000, "longer than 16,777,216 bytes"),
    "names without end": (b"<l><l>" + b"".join(b"<a%d/></l><l>" % i for i in range(200_000)), "different names"),
    "unknown entity": (b"<l>&nbsp;</l>", "undefined entity"),
}


@pytest.mark.parametrize("what", HOSTILE)
@pytest.mark.timeout(60)
def test_hostile_documents_are_refused_in_bounded_memory(what: str) -> None:
    data, reason = HOSTILE[what]
    path = "l.l" if what == "names without end" else ""
    tracemalloc.start()
    try:
        with pytest.raises(SourceError, match=reason) as error:
            decoded(data, format="xml", path=path)
        assert tracemalloc.get_traced_memory()[1] < 150_000_000
    finally:
        tracemalloc.stop()
    assert isinstance(error.value, (Undecodable, LimitExceeded))
