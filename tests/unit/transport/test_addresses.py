"""What may be spoken to, and how a value gets into a path or a query."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from rpa_bridge.errors import ConfigError, Delivery, InvalidError
from rpa_bridge.transport.addresses import check_absolute, checked_base, origin, path_segment, query_string

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
NAMES = TEXT.filter(lambda name: name not in {"", ".", ".."})


@given(NAMES)
def test_a_name_survives_its_way_through_a_path(name: str) -> None:
    address = f"https://host/before/{path_segment(name)}/after"
    assert [unquote(part) for part in urlsplit(address).path.split("/")] == ["", "before", name, "after"]
    assert URL(address, encoded=True).raw_parts == ("/", "before", path_segment(name), "after")
    assert URL(address, encoded=True).parts == ("/", "before", name, "after")


@given(st.dictionaries(TEXT.filter(bool), TEXT, min_size=1, max_size=5))
def test_parameters_survive_their_way_through_a_query(params: dict[str, str]) -> None:
    address = f"https://host/path?{query_string(params)}"
    assert dict(parse_qsl(urlsplit(address).query, keep_blank_values=True, strict_parsing=True)) == params
    assert dict(URL(address, encoded=True).query) == params
    assert "+" not in address
    assert not set(address) & set(" #\r\n")


def test_a_query_keeps_the_names_of_odata_readable() -> None:
    assert query_string({"$filter": "Name eq 'O''Neil & Co'"}) == "$filter=Name%20eq%20%27O%27%27Neil%20%26%20Co%27"


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_a_name_that_would_lead_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(InvalidError) as caught:
        path_segment(name)
    assert caught.value.delivery is Delivery.NOT_SENT


PLACES: dict[str, Callable[[str], str]] = {
    "path": path_segment,
    "parameter": lambda text: query_string({text: "x"}),
    "value": lambda text: query_string({"x": text}),
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
@pytest.mark.parametrize("text", ["\ud800", "canary\udfff"])
def test_half_a_character_is_refused_without_repeating_the_text(place: Callable[[str], str], text: str) -> None:
    with pytest.raises(InvalidError) as caught:
        place(text)
    assert "canary" not in repr(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://Host.Example/path?q", "https://host.example:443"),
        ("HTTPS://host:443", "https://host:443"),
        ("https://host:8443/", "https://host:8443"),
        ("http://[::1]/", "http://[::1]:80"),
        ("https://user:pass@host/", "https://host:443"),
        ("ftp://host/", ""),
        ("https://", ""),
        ("https://host:99999/", ""),
        ("http://[", ""),
        ("/only/a/path", ""),
        ("", ""),
    ],
)
def test_the_origin_that_credentials_are_bound_to(address: str, expected: str) -> None:
    assert origin(address) == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://cloud.example/org/tenant/orchestrator_/", "https://cloud.example/org/tenant/orchestrator_"),
        ("https://host:8443", "https://host:8443"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://[::1]:80", "http://[::1]:80"),
        ("http://localhost:1", "http://localhost:1"),
    ],
)
def test_an_address_that_may_be_spoken_to(address: str, expected: str) -> None:
    assert checked_base(address, "url") == expected


@pytest.mark.parametrize(
    "address",
    [
        "http://example.com",
        "http://10.0.0.1",
        "http://0.0.0.0",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://169.254.169.254/latest",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "example.com",
        "",
        "https://",
        "https:///path",
        "https://host:0",
        "https://host:99999",
        "https://host:port",
        "http://[::1",
        "https://user@host",
        "https://user:p4ss-canary@host",
        "https://@host",
        "https://host?",
        "https://host/?a=b",
        "https://host#",
        "https://host/#part",
        "https://host\\@evil.example",
        "https://host\\.evil.example",
        "https://ho st",
        " https://host",
        "https://host\r\n",
        "https://host/\tx",
        "https://host/\0",
    ],
)
def test_an_address_that_may_not(address: str) -> None:
    with pytest.raises(ConfigError, match=r"^identity_url ") as caught:
        checked_base(address, "identity_url")
    assert "p4ss-canary" not in str(caught.value)


@pytest.mark.parametrize("address", ["https://store.example/x?sig=1#f", "http://127.0.0.1:1/x?y"])
def test_an_absolute_address_may_have_a_query(address: str) -> None:
    check_absolute(address, "artifacts.open")


@pytest.mark.parametrize("address", ["http://store.example/x?sig=s1gn4ture", "ftp://127.0.0.1/s1gn4ture", "s1gn4ture"])
def test_an_absolute_address_is_never_plain_http_to_another_machine(address: str) -> None:
    with pytest.raises(ConfigError, match=r"^artifacts\.open ") as caught:
        check_absolute(address, "artifacts.open")
    assert "s1gn4ture" not in str(caught.value)
