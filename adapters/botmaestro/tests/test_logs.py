"""Logs: every row is written once and whole, and read with the right time."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from rpa_bridge import (
    Adapter,
    BridgeError,
    ConflictError,
    InvalidError,
    NotFoundError,
    OutcomeUnknownError,
    ProtocolError,
    UnavailableError,
    UnsupportedError,
)
from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge.testing import ManualClock
from rpa_bridge_botmaestro.logs import BotMaestroLogs

Kept = Callable[[], Any]
Opens = Callable[..., Adapter]
Requests = Callable[[str], list[Exchange]]
Rewrite = Callable[[Callable[[Any], None]], None]
CREATE, APPEND = "POST */log", "POST */log/*/entry"
LOST = [FaultKind.CUT, FaultKind.TRUNCATE, FaultKind.HTML, FaultKind.STATUS]
HOUR = 3600.0


def rows(state: Any, log: str = "Bookings") -> list[dict[str, Any]]:
    return [row["columns"] for row in state["logs"][log]["rows"]]


def scripted(script: Any) -> BotMaestroLogs:
    async def organization() -> str:
        return "acme"

    return BotMaestroLogs(script.client, script.clock, organization)


async def numbers(
    maestro: Adapter, log: str | None = "Bookings", *, since: datetime | None = None, until: datetime | None = None
) -> list[Any]:
    return [entry.values.get("n") async for entry in maestro.logs.find(log, since=since, until=until)]


@pytest.fixture
async def hourly(sandbox: Sandbox, clock: ManualClock, maestro: Adapter) -> datetime:
    """A log of 72 rows, one for each hour that follows the moment given."""
    start = datetime(2026, 3, 29, tzinfo=UTC)  # summer time begins in Europe
    sandbox.world.clock.freeze(start)
    clock.jump((start - clock.now()).total_seconds())
    await maestro.logs.create("Bookings", ["n"])
    for number in range(72):
        await maestro.logs.append("Bookings", {"n": number})
        sandbox.world.clock.advance(HOUR)
        clock.advance(HOUR)
    return start


async def test_a_row_has_every_column_and_keeps_its_values(maestro: Adapter, kept: Kept) -> None:
    made = await maestro.logs.create("Größe ☃", ["a/b", "größe", "100 %?#", "last"])
    assert (made.name, made.columns) == ("Größe ☃", ("a/b", "größe", "100 %?#", "last"))
    for value in ('it\'s "quoted"\r\n', 0, 2.5, True, None, ""):
        await maestro.logs.append("Größe ☃", {"größe": value, "a/b": "☃"})

    expected = [
        {"a/b": "☃", "größe": value, "100 %?#": "", "last": ""}
        for value in ('it\'s "quoted"\r\n', 0, 2.5, True, None, "")
    ]
    assert rows(kept(), "Größe ☃") == expected
    assert [one.values async for one in maestro.logs.find("Größe ☃")] == expected


@pytest.mark.parametrize("kind", LOST)
@pytest.mark.parametrize("when", When)
async def test_a_row_whose_answer_is_lost_is_outcome_unknown_and_not_repeated(
    sandbox: Sandbox, maestro: Adapter, kept: Kept, requests: Requests, kind: FaultKind, when: When
) -> None:
    await maestro.logs.create("Bookings", ["n"])
    sandbox.world.faults.add(Fault(kind, match=APPEND, when=when, status=502))

    with pytest.raises(OutcomeUnknownError, match=r"the row may stand in log 'Bookings'; look at its last rows"):
        await maestro.logs.append("Bookings", {"n": 1})

    assert len(requests(APPEND)) == 1
    assert rows(kept()) == ([{"n": 1}] if when is When.AFTER else [])


async def test_columns_are_asked_for_once(maestro: Adapter, requests: Requests) -> None:
    await maestro.logs.create("Bookings", ["n"])
    for number in range(3):
        await maestro.logs.append("Bookings", {"n": number})
    assert (len(requests("GET */log/*")), len(requests(APPEND))) == (1, 3)


async def test_a_log_that_was_made_anew_gets_rows_with_its_new_columns(
    maestro: Adapter, open_maestro: Opens, kept: Kept
) -> None:
    other = open_maestro()
    await maestro.logs.create("Bookings", ["n", "old"])
    await maestro.logs.append("Bookings", {"n": 1})
    await other.logs.delete("Bookings")
    await other.logs.create("Bookings", ["n", "new"])

    await maestro.logs.append("Bookings", {"n": 2})
    await maestro.logs.append("Bookings", {"new": 3})

    assert rows(kept()) == [{"n": 2, "new": ""}, {"n": "", "new": 3}]
    with pytest.raises(InvalidError, match="log 'Bookings' has no column 'old'; it has n, new"):
        await maestro.logs.append("Bookings", {"n": 4, "old": 4})


async def test_our_own_new_log_is_not_taken_for_the_old_one(
    sandbox: Sandbox, maestro: Adapter, open_maestro: Opens, kept: Kept
) -> None:
    sandbox.world.switches["botmaestro.refuse_unknown_columns"] = False
    for column, deleted_by in (("first", maestro), ("second", open_maestro()), ("third", maestro)):
        await maestro.logs.create("Bookings", ["n", column])
        await maestro.logs.append("Bookings", {"n": 1})
        assert rows(kept()) == [{"n": 1, column: ""}]
        await deleted_by.logs.delete("Bookings")


async def test_a_row_for_a_log_that_was_deleted_meanwhile_is_not_found(maestro: Adapter, open_maestro: Opens) -> None:
    await maestro.logs.create("Bookings", ["n"])
    await maestro.logs.append("Bookings", {"n": 1})
    await open_maestro().logs.delete("Bookings")
    for _ in range(2):
        with pytest.raises(NotFoundError, match="there is no log 'Bookings'; `rpa-bridge logs create` makes one"):
            await maestro.logs.append("Bookings", {"n": 2})


async def test_a_row_that_is_refused_for_another_reason_is_not_repeated(
    sandbox: Sandbox, maestro: Adapter, requests: Requests
) -> None:
    await maestro.logs.create("Bookings", ["n"])
    refused = json.dumps({"message": "too long"})
    sandbox.world.faults.add(Fault(FaultKind.STATUS, match=APPEND, status=400, body=refused))
    with pytest.raises(InvalidError, match="too long"):
        await maestro.logs.append("Bookings", {"n": 1})
    assert len(requests(APPEND)) == 1


@pytest.mark.parametrize("hours", [0.5, 23, 24, 25, 47.999, 48, 71])
async def test_rows_since_are_found_in_every_zone_and_across_days(
    maestro: Adapter, hourly: datetime, hours: float
) -> None:
    expected = [number for number in range(72) if number >= hours]
    for offset in (timedelta(0), timedelta(hours=5, minutes=30), timedelta(hours=-12)):
        since = (hourly + timedelta(hours=hours)).astimezone(timezone(offset))
        assert await numbers(maestro, since=since) == expected


async def test_rows_are_found_though_the_servers_clock_is_ahead(
    clock: ManualClock, maestro: Adapter, hourly: datetime
) -> None:
    clock.jump(-2 * HOUR)
    assert await numbers(maestro, since=hourly + timedelta(hours=23)) == list(range(23, 72))


async def test_until_leaves_out_its_own_moment(maestro: Adapter, hourly: datetime) -> None:
    since, until = (hourly + timedelta(hours=hours) for hours in (24, 26))
    assert await numbers(maestro, since=since, until=until) == [24, 25]
    assert await numbers(maestro, until=hourly) == []
    assert await numbers(maestro, since=hourly + timedelta(days=4)) == []


async def test_rows_of_years_ago_are_found(sandbox: Sandbox, clock: ManualClock, maestro: Adapter) -> None:
    await maestro.logs.create("Bookings", ["n"])
    await maestro.logs.append("Bookings", {"n": 1})
    for each in (sandbox.world.clock, clock):
        each.advance(3 * 365 * 24 * HOUR)
    assert await numbers(maestro) == [1]
    assert b"1" in b"".join([piece async for piece in maestro.logs.export("Bookings")])
    assert await numbers(maestro, since=datetime(1, 1, 1, tzinfo=UTC)) == [1]


@pytest.mark.parametrize("layout", ["offset", "zulu", "compact"])
async def test_times_are_read_in_every_layout(
    sandbox: Sandbox, maestro: Adapter, hourly: datetime, layout: str
) -> None:
    sandbox.world.switches["botmaestro.date_format"] = layout
    found = [entry.at async for entry in maestro.logs.find("Bookings")]
    assert found[:2] == [hourly, hourly + timedelta(hours=1)]


async def test_rows_of_all_logs_stand_in_one_order_though_one_is_deleted_meanwhile(
    sandbox: Sandbox, maestro: Adapter
) -> None:
    sandbox.world.clock.freeze()
    for log in ("a", "b", "gone"):
        await maestro.logs.create(log, ["n"])
    for number in range(6):
        sandbox.world.clock.advance(1)
        await maestro.logs.append("ab"[number % 2], {"n": number})
    sandbox.world.faults.add(Fault(FaultKind.STATUS, match="GET */log/gone/entry-list*", status=404))

    assert await numbers(maestro, None) == [0, 1, 2, 3, 4, 5]
    with pytest.raises(NotFoundError, match="there is no log 'nobody'"):
        await numbers(maestro, "nobody")


async def test_a_log_that_cannot_be_read_is_not_left_out(sandbox: Sandbox, maestro: Adapter) -> None:
    await maestro.logs.create("a", ["n"])
    sandbox.world.faults.add(Fault(FaultKind.STATUS, match="GET */log/a/entry-list*", times=9))
    with pytest.raises(UnavailableError):
        await numbers(maestro, None)


async def test_what_a_server_may_leave_out_or_write_otherwise_is_read(script: Any) -> None:
    script.answer([
        {"columns": {"message": "first", "n": 1}, "dateCreation": "2026-11-20T09:43:52.959+00:00"},
        {"columns": {"n": 2}, "dateCreation": None},
        {"columns": None, "dateCreation": "some day"},
    ])  # fmt: skip
    found = [entry async for entry in scripted(script).find("Bookings")]
    assert [(entry.message, entry.values, entry.at is None) for entry in found] == [
        ("", {"n": 2}, True),
        ("", {}, True),
        ("first", {"message": "first", "n": 1}, False),
    ]

    script.answer({"id": None, "label": None, "activityLabel": "Bookings", "columns": [{"name": "n", "label": None}]})
    made = await scripted(script).create("Bookings", ["n"])
    assert (made.id, made.name, made.columns) == ("Bookings", "Bookings", ("n",))


@pytest.mark.parametrize("kind", LOST)
async def test_a_lost_answer_makes_a_log_once(
    sandbox: Sandbox, maestro: Adapter, requests: Requests, kind: FaultKind
) -> None:
    sandbox.world.faults.add(Fault(kind, match=CREATE, when=When.AFTER))
    made = await maestro.logs.create("Bookings", ["a", "b"])
    assert (made.id, made.name, made.columns) == ("acme-Bookings", "Bookings", ("a", "b"))
    assert len(requests(CREATE)) == 1


async def test_a_log_that_was_never_made_is_outcome_unknown(
    sandbox: Sandbox, maestro: Adapter, requests: Requests
) -> None:
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=CREATE))
    with pytest.raises(OutcomeUnknownError, match="log 'Bookings' with these columns was not found"):
        await maestro.logs.create("Bookings", ["n"])
    assert len(requests(CREATE)) == 1


async def test_somebody_elses_log_of_the_name_is_a_conflict_and_never_ours(sandbox: Sandbox, maestro: Adapter) -> None:
    await maestro.logs.create("Bookings", ["n"])
    with pytest.raises(ConflictError, match="choose another label"):
        await maestro.logs.create("Bookings", ["n"])
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=CREATE))
    with pytest.raises(OutcomeUnknownError):
        await maestro.logs.create("Bookings", ["other"])


async def test_a_log_of_another_answer_is_looked_up(script: Any) -> None:
    script.answer({"id": "acme-Other", "label": "Other", "columns": [{"name": "n", "label": "n"}]})
    script.answer({"id": "acme-Bookings", "label": "Bookings", "columns": [{"name": "n", "label": "n"}]})
    assert (await scripted(script).create("Bookings", ["n"])).name == "Bookings"
    assert script.lines == ["POST /log", "GET /log/Bookings"]


@pytest.mark.parametrize("header", ["required", "label"])
async def test_the_organization_that_a_log_needs_is_told(
    sandbox: Sandbox, maestro: Adapter, kept: Kept, header: str
) -> None:
    sandbox.world.switches["botmaestro.organization_header"] = header
    await maestro.logs.create("Bookings", ["n"])
    assert kept()["logs"]["Bookings"]["organization_label"] == "acme"


@pytest.mark.usefixtures("hourly")
@pytest.mark.parametrize("kind", LOST)
async def test_an_export_that_is_not_whole_never_passes_for_one(
    sandbox: Sandbox, maestro: Adapter, kind: FaultKind
) -> None:
    sandbox.world.faults.add(Fault(kind, match="GET */export*", when=When.AFTER, times=99))
    with pytest.raises((UnavailableError, ProtocolError)):
        _ = [piece async for piece in maestro.logs.export("Bookings")]


async def test_a_deletion_whose_answer_is_lost_is_a_deletion(sandbox: Sandbox, maestro: Adapter, kept: Kept) -> None:
    await maestro.logs.create("Bookings", ["n"])
    sandbox.world.faults.add(Fault(FaultKind.CUT, match="DELETE *", when=When.AFTER))
    await maestro.logs.delete("Bookings")
    assert not kept()["logs"]
    for call in (maestro.logs.delete("Bookings"), maestro.logs.append("Bookings", {})):
        with pytest.raises(NotFoundError, match="there is no log 'Bookings'"):
            await call
    with pytest.raises(NotFoundError, match="there is no log 'Bookings'"):
        _ = [piece async for piece in maestro.logs.export("Bookings")]


@pytest.mark.parametrize("label", ["a/b", "a?b", "a#b", "100%", "", "..", "a\\b"])
async def test_a_label_that_no_address_can_carry_is_refused_unsent(
    maestro: Adapter, requests: Requests, label: str
) -> None:
    async def exported() -> None:
        _ = [piece async for piece in maestro.logs.export(label)]

    for call in (
        maestro.logs.create(label, ["n"]),
        maestro.logs.append(label, {"n": 1}),
        maestro.logs.delete(label),
        exported(),
        numbers(maestro, label),
    ):
        with pytest.raises(InvalidError):
            await call
    assert not requests("*")


async def test_bad_input_is_refused_unsent(maestro: Adapter, requests: Requests) -> None:
    naive = datetime(2026, 3, 29)  # noqa: DTZ001 - refused for that
    calls: list[tuple[Any, type[BridgeError]]] = [
        (maestro.logs.create("Bookings", []), InvalidError),
        (maestro.logs.create("Bookings", ["n", " "]), InvalidError),
        (maestro.logs.create("Bookings", ["n", "n"]), InvalidError),
        (maestro.logs.append("Bookings", {"n": datetime(2026, 3, 29, tzinfo=UTC)}), InvalidError),
        (maestro.logs.append("Bookings", {"n": float("nan")}), InvalidError),
        (numbers(maestro, since=naive), InvalidError),
        (numbers(maestro, until=naive), InvalidError),
    ]
    for call, kind in calls:
        with pytest.raises(kind):
            await call
    with pytest.raises(UnsupportedError, match="its rows know no task"):
        _ = [entry async for entry in maestro.logs.find("Bookings", job="1")]
    assert not requests("*")
