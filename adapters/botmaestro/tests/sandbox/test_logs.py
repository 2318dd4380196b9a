from __future__ import annotations

import csv
import io
from typing import Any

import pytest

COLUMNS = [{"name": "Number", "label": "number", "width": 100}, {"name": "Amount", "label": "amount", "width": 50}]


async def _log(wire: Any, label: str = "Bookings") -> Any:
    body = {"activityLabel": label, "columns": COLUMNS, "organizationLabel": wire.settings["login"]}
    return await wire.post("/log", body)


async def _append(wire: Any, *, status: int = 200, **values: Any) -> Any:
    return await wire.post("/log/Bookings/entry", values, status=status)


async def test_a_log_is_created_and_its_id_has_the_organization_in_front(wire: Any) -> None:
    log = await _log(wire)
    assert (log["id"], log["activityLabel"], log["label"]) == ("acme-Bookings", "Bookings", "Bookings")
    assert log["organizationLabel"] == "acme"
    assert log["columns"] == [column | {"visible": True} for column in COLUMNS]
    assert "rows" not in log
    assert await wire.get("/log/Bookings") == await wire.get("/log/acme-Bookings") == log
    assert await wire.get("/log") == [log]


async def test_newer_clients_name_the_label_and_send_strange_column_members(wire: Any) -> None:
    column = {"name": "A", "label": "a", "visible": False, "object": {"deep": 1}}
    log = await wire.post("/log", {"label": "New", "columns": [column], "repositoryLabel": "DEFAULT"})
    assert log["columns"] == [{"name": "A", "label": "a", "width": 0, "visible": False}]


async def test_a_label_is_used_once_until_the_log_is_deleted(wire: Any) -> None:
    await _log(wire)
    refused = await wire.post("/log", {"activityLabel": "Bookings", "columns": COLUMNS}, status=400)
    assert refused["details"] == "Label already exists"
    await _append(wire, number="1", amount=2)
    await wire.ask("DELETE", "/log/Bookings", status=200)
    await wire.get("/log/Bookings", status=404)
    await _log(wire)
    assert await wire.get("/log/Bookings/entry-list") == []


@pytest.mark.parametrize("body", [{}, {"activityLabel": "x", "columns": [{"name": "no label"}]}])
async def test_a_wrong_log_is_refused(wire: Any, body: Any) -> None:
    await wire.post("/log", body, status=400)


async def test_rows_come_back_in_order_as_they_were_appended(wire: Any) -> None:
    await _log(wire)
    assert await _append(wire, number="1", amount=2.5) == b""
    await _append(wire, number="2")
    rows = await wire.get("/log/Bookings/entry-list", days=365)
    assert [row["columns"] for row in rows] == [{"number": "1", "amount": 2.5}, {"number": "2"}]
    assert all(row["dateCreation"] for row in rows)
    page = await wire.get("/log/Bookings/entry", size=1, page=1, sort="dateCreation,asc")
    assert (page["content"][0]["columns"], page["totalElements"]) == ({"number": "2"}, 2)


async def test_missing_columns_can_be_filled(wire: Any) -> None:
    wire.switch(fill_missing_columns=True)
    await _log(wire)
    await _append(wire, number="2")
    assert (await wire.get("/log/Bookings/entry-list"))[0]["columns"] == {"number": "2", "amount": ""}


async def test_unknown_columns_are_refused_as_the_switch_says(wire: Any) -> None:
    await _log(wire)
    assert "colour" in (await _append(wire, colour="blue", status=400))["message"]
    assert await wire.get("/log/Bookings/entry-list") == []
    wire.switch(refuse_unknown_columns=False)
    await _append(wire, colour="blue")


async def test_rows_are_windowed_by_days(wire: Any) -> None:
    wire.switch(token_lifetime=None)
    wire.world.clock.freeze()
    await _log(wire)
    await _append(wire, number="old")
    wire.world.clock.advance(3 * 24 * 3600)
    await _append(wire, number="new")
    assert [row["columns"]["number"] for row in await wire.get("/log/Bookings/entry-list", days=2)] == ["new"]
    assert len(await wire.get("/log/Bookings/entry-list", days=4)) == 2


@pytest.mark.parametrize("path", ["/log/Bookings/export?format=csv", "/log/Bookings/csv"])
async def test_an_export_is_a_table_of_column_names_and_rows(wire: Any, path: str) -> None:
    await _log(wire)
    await _append(wire, number='1, "two"\nlines', amount=2.5)
    await _append(wire, number="größer")
    answer = await wire.ask("GET", path, status=200)
    assert answer.headers["Content-Type"].startswith("text/csv")
    table = list(csv.reader(io.StringIO(answer.body.decode(), newline="")))
    assert [row[1:] for row in table] == [["Number", "Amount"], ['1, "two"\nlines', "2.5"], ["größer", ""]]


async def test_an_export_without_a_format_is_json_and_others_are_refused(wire: Any) -> None:
    await _log(wire)
    await _append(wire, number="1")
    assert await wire.get("/log/Bookings/export") == await wire.get("/log/Bookings/entry-list")
    await wire.get("/log/Bookings/export", format="xls", status=400)


@pytest.mark.parametrize("path", ["", "/entry-list", "/entry", "/export", "/csv"])
async def test_an_unknown_log_is_not_found(wire: Any, path: str) -> None:
    await wire.get(f"/log/Nothing{path}", status=404)
    await wire.post("/log/Nothing/entry", {"a": 1}, status=404)
    await wire.ask("DELETE", "/log/Nothing", status=404)
