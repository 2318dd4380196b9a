"""Row 24 of the reliability targets: a text arrives as it was sent, in filters, paths, headers and references."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from pydantic_core import from_json
from yarl import URL

from rpa_bridge import InvalidError, ItemDraft
from rpa_bridge.transport.addresses import path_segment, query_string
from rpa_bridge.transport.base import Effect, Request
from rpa_bridge.transport.http import _encoded
from rpa_bridge_botmaestro.mapping import queues as entries
from rpa_bridge_botmaestro.wire.queues import Entry
from rpa_bridge_uipath import odata
from rpa_bridge_uipath.client import folder_headers
from rpa_bridge_uipath.mapping import queues as items
from rpa_bridge_uipath.sandbox.entities import Entity, members
from rpa_bridge_uipath.sandbox.filters import read_filter
from rpa_bridge_uipath.settings import UiPathSettings
from rpa_bridge_uipath.wire.queues import QueueItemDto

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.text("'%/\\&=+?#;()., \r\n\"", max_size=20)
REFUSED = "refused before anything is sent"
_ROWS = Entity("Rows", members(text="Name"))
_FOLDER = {"x-uipath-folderpath", "x-uipath-folderpath-encoded"}
_CONNECTION = {"url": "https://host", "auth": {"type": "pat", "token": "sandbox"}}
_LITERAL = re.compile(r"'((?:[^']|'')*)'")

Trip = Callable[[str], str]
"""Sends a text, and gives what arrived, or `REFUSED`."""


@dataclass(frozen=True, slots=True)
class Trips:
    """How the texts of one kind arrived."""

    texts: int
    refused: int
    """Of them, those that nobody would have wanted sent."""
    broken: str | None
    """One that did not arrive as it was; None when there is none."""


def round_trips(kind: str, count: int = 500, *, seed: int = 24, guard: bool = True) -> Trips:
    """Sends so many texts. Without the guard they are put together by hand, as one does when in a hurry."""
    trip = (TRIPS if guard else CARELESS)[kind]
    tried, refused, broken = 0, 0, None

    @seeded(seed)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(TEXT)
    def send(text: str) -> None:
        nonlocal tried, refused, broken
        tried += 1
        arrived = trip(text)
        refused += arrived == REFUSED
        if arrived not in (text, REFUSED):
            broken = text

    send()
    return Trips(tried, refused, broken)


def _filter(text: str) -> str:
    return _through_filter(query_string({"$filter": odata.where("Name", "eq", text)}), text)


def _filter_by_hand(text: str) -> str:
    return _through_filter(f"$filter=Name eq '{text}'", text)


def _through_filter(query: str, text: str) -> str:
    """The text, if a strict server that reads the query finds the row of that name, and no other."""
    try:
        found = read_filter(dict(parse_qsl(query, keep_blank_values=True))["$filter"], _ROWS, ignore_case=False)
        return text if found({"Name": text}) and not found({"Name": text + "x"}) else "found wrongly"
    except Exception as error:  # noqa: BLE001 - whatever a server says to a filter that it cannot read
        return f"not understood: {error!r}"


def _path(text: str) -> str:
    try:
        return _last_part(f"https://host/before/{path_segment(text)}/after")
    except InvalidError:
        return REFUSED


def _last_part(address: str) -> str:
    """The part of a path before the last, as urllib and yarl read it."""
    parts = urlsplit(address).path.split("/")
    whole = len(parts) == 4 and URL(address, encoded=True).raw_parts[2:3] == (parts[2],)
    return unquote(parts[2]) if whole else "in other parts"


def _key(text: str) -> str:
    if text in ("", ".", ".."):
        return REFUSED
    return _inside(odata.entity("Processes", text))


def _inside(path: str) -> str:
    """The key between the parentheses of an entity's path."""
    literal = _LITERAL.fullmatch(unquote(urlsplit(path).path).removeprefix("/odata/Processes(").removesuffix(")"))
    return "no key" if literal is None else literal[1].replace("''", "'")


def _parameter(text: str) -> str:
    query = query_string({"a": text, "b": "2"})
    return dict(parse_qsl(urlsplit(f"https://host/x?{query}").query, keep_blank_values=True)).get("a", "lost")


def _parameter_by_hand(text: str) -> str:
    return dict(parse_qsl(urlsplit(f"https://host/x?a={text}&b=2").query, keep_blank_values=True)).get("a", "lost")


def _folder(text: str) -> str:
    """A folder in its header, on the wire as Latin-1; blanks around it do not count."""
    connection = UiPathSettings.model_validate(_CONNECTION).model_copy(update={"folder": text})
    request = Request("GET", "/", effect=Effect.READ, operation="test", headers=folder_headers(connection))
    try:
        headers, _ = _encoded(request)
    except InvalidError:
        return REFUSED
    arrived = _folder_of({name.lower(): value.encode("ascii").decode("latin-1") for name, value in headers.items()})
    return text if arrived == text.strip() else arrived


def _folder_of(headers: dict[str, str]) -> str:
    named = headers.keys() & _FOLDER
    if not named:
        return next((value for name, value in headers.items() if name.startswith("x-uipath")), "")
    value = headers[named.pop()]
    return value if "x-uipath-folderpath" in headers else base64.b64decode(value).decode("utf-16-le")


def _folder_by_hand(text: str) -> str:
    return text.encode("utf-8").decode("latin-1").strip()


def _uipaths_reference(text: str) -> str:
    row = {"Id": 1, "Status": "New"} | items.new_item(ItemDraft(values={}, reference=text))
    return items.item(QueueItemDto.of(_through_json(row), "test"), "queue").reference or ""


def _botmaestros_reference(text: str) -> str:
    row = {"id": "1", "state": "PENDING"} | entries.new_entry(ItemDraft(values={}, reference=text), mark="mark")
    return entries.item(Entry.of(_through_json(row), "test"), "queue").reference or ""


def _through_json(document: object) -> object:
    return from_json(json.dumps(document, ensure_ascii=False, allow_nan=False).encode())


def _reference_by_hand(text: str) -> str:
    try:
        return str(from_json(f'{{"Reference": "{text}"}}')["Reference"])
    except ValueError:
        return "no JSON"


TRIPS: dict[str, Trip] = {
    "filter": _filter,
    "path": _path,
    "key in a path": _key,
    "parameter": _parameter,
    "folder": _folder,
    "reference at UiPath": _uipaths_reference,
    "reference at BotMaestro": _botmaestros_reference,
}
CARELESS: dict[str, Trip] = {
    "filter": _filter_by_hand,
    "path": lambda text: _last_part(f"https://host/before/{text}/after"),
    "key in a path": lambda text: _inside(f"/odata/Processes('{text}')"),
    "parameter": _parameter_by_hand,
    "folder": _folder_by_hand,
    "reference at UiPath": _reference_by_hand,
    "reference at BotMaestro": _reference_by_hand,
}
