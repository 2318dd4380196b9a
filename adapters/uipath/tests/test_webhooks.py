"""Webhooks on UiPath: of the tenant, made once, and their secret goes in only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from rpa_bridge import Adapter, ConflictError, InvalidError, NotFoundError, OutcomeUnknownError
from rpa_bridge.contract.webhooks import Webhook
from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge_uipath.webhooks import UiPathWebhooks

Requests = Callable[[str], list[Exchange]]
MAKE, DELETE, PING = "POST */odata/Webhooks", "DELETE */odata/Webhooks*", "POST *Ping"
URL = "https://bots.example/hook?from=uipath"
CANARY = "canary-hook-secret"
ROW = {"Id": 5, "Name": "Hook", "Url": URL, "Enabled": True, "SubscribeToAllEvents": True, "Events": []}


def scripted(script: Any) -> UiPathWebhooks:
    """The service on answers on order."""
    return UiPathWebhooks(script.client, script.clock)


async def found(erp: Adapter) -> list[Webhook]:
    """All webhooks."""
    return [one async for one in erp.webhooks.find()]


async def test_a_new_webhook_is_found_called_and_deleted_by_its_name(erp: Adapter, requests: Requests) -> None:
    name = "O'Brien & Söhne"
    made = await erp.webhooks.create(name, URL, events=["job.completed", "job.faulted"])

    assert (made.name, made.url, made.events, made.enabled) == (name, URL, ("job.completed", "job.faulted"), True)
    assert await found(erp) == [made]
    await erp.webhooks.ping(name.upper())
    await erp.webhooks.delete(name.upper())
    assert await found(erp) == []
    for verb in (erp.webhooks.ping, erp.webhooks.delete):
        with pytest.raises(NotFoundError, match=r"no webhook .* in this tenant"):
            await verb(name)
    assert [one.status for one in requests(PING)] == [202]
    assert not [one for one in requests("*/odata/Webhooks*") if "x-uipath-folderpath" in one.headers]


async def test_without_events_it_is_told_of_all(erp: Adapter) -> None:
    made = await erp.webhooks.create("Hook", "http://127.0.0.1:8000/hook")

    assert (made.events, made.raw_data["SubscribeToAllEvents"]) == ((), True)


async def test_its_secret_is_kept_by_the_platform_and_shown_by_nobody(sandbox: Sandbox, erp: Adapter) -> None:
    made = await erp.webhooks.create("Hook", URL, secret=SecretStr(CANARY))

    kept = sandbox.faces["uipath"].dump()["tables"]["webhooks"]
    assert [row["Secret"] for row in kept.values()] == [CANARY]
    for shown in (made, made.raw_data, *await found(erp), *sandbox.world.exchanges, erp.webhooks):
        assert CANARY not in repr(shown)
    assert "Secret" not in made.raw_data, "not even masked: written back it would be the secret"


@pytest.mark.parametrize(
    "bad",
    [
        {"name": ""},
        {"name": "x" * 129},
        {"url": "http://bots.example/hook"},
        {"url": "ftp://bots.example/hook"},
        {"url": "bots.example"},
        {"url": "https://bots.example/" + "x" * 2000},
        {"events": "job.completed"},
        {"events": [""]},
        {"events": ["x" * 51]},
        {"secret": SecretStr("")},
        {"secret": SecretStr("canary" * 20)},
    ],
)
async def test_what_no_webhook_can_hold_is_refused_unsent(sandbox: Sandbox, erp: Adapter, bad: dict[str, Any]) -> None:
    with pytest.raises(InvalidError) as caught:
        await erp.webhooks.create(**{"name": "Hook", "url": URL, **bad})
    assert "canary" not in repr(caught.value)
    assert sandbox.world.exchanges == []


async def test_an_event_that_only_the_server_knows_to_be_none_is_its_refusal(erp: Adapter) -> None:
    with pytest.raises(InvalidError, match="Events"):
        await erp.webhooks.create("Hook", URL, events=["job.celebrated"])
    assert await found(erp) == []


async def test_a_name_that_is_taken_is_a_conflict_and_nothing_is_made(erp: Adapter, requests: Requests) -> None:
    await erp.webhooks.create("Hook", URL)

    with pytest.raises(ConflictError, match="another webhook named 'hook'"):
        await erp.webhooks.create("hook", URL)
    assert len(requests(MAKE)) == 1


@pytest.mark.parametrize("kind", [FaultKind.CUT, FaultKind.TRUNCATE, FaultKind.HTML, FaultKind.STATUS])
async def test_a_webhook_whose_answer_is_lost_is_looked_up_and_never_made_twice(
    sandbox: Sandbox, erp: Adapter, requests: Requests, kind: FaultKind
) -> None:
    sandbox.faults.add(Fault(kind, match=MAKE, when=When.AFTER, status=503))

    made = await erp.webhooks.create("Hook", URL, events=["job.Completed"])

    assert await found(erp) == [made]
    assert len(requests(MAKE)) == 1


async def test_a_webhook_that_was_never_made_leaves_the_outcome_unknown(
    sandbox: Sandbox, erp: Adapter, requests: Requests
) -> None:
    sandbox.faults.add(Fault(FaultKind.CUT, match=MAKE))

    with pytest.raises(OutcomeUnknownError, match="a webhook named 'Hook' was not found"):
        await erp.webhooks.create("Hook", URL)
    assert len(requests(MAKE)) == 1


@pytest.mark.parametrize("theirs", [{"Url": "https://other.example"}, {"SubscribeToAllEvents": False, "Events": []}])
async def test_somebody_elses_webhook_after_a_lost_answer_is_not_taken_for_ours(
    script: Any, theirs: dict[str, Any]
) -> None:
    script.page()
    script.answer(status=502)
    script.page(ROW | {"SubscribeToAllEvents": False, "Events": [{"EventType": "job.created"}]} | theirs)

    with pytest.raises(ConflictError, match="another webhook named 'Hook'"):
        await scripted(script).create("Hook", URL, events=["job.created"])


async def test_an_answer_about_another_webhook_is_not_believed(script: Any) -> None:
    script.page()
    script.answer(ROW | {"Url": "https://other.example"}, status=201)
    script.page(ROW)

    assert (await scripted(script).create("Hook", URL)).url == URL
    assert sum(one.method == "POST" for one in script.requests) == 1


async def test_a_list_that_leaves_events_out_does_not_make_them_all(script: Any) -> None:
    row = {name: value for name, value in ROW.items() if name != "Events"} | {"SubscribeToAllEvents": False}
    script.page(row)
    script.answer(row | {"Events": [{"EventType": "job.created"}]})

    assert [one.events async for one in scripted(script).find()] == [("job.created",)]


async def test_webhooks_of_an_older_server_go_by_their_address(script: Any) -> None:
    row = {name: value for name, value in ROW.items() if name != "Name"}
    script.page(row, row | {"Id": 6})

    with pytest.raises(ConflictError, match="webhooks 5 and 6 are both named"):
        await scripted(script).delete(URL)


async def test_a_deletion_whose_answer_is_lost_is_done(sandbox: Sandbox, erp: Adapter, requests: Requests) -> None:
    await erp.webhooks.create("Hook", URL)
    sandbox.faults.add(Fault(FaultKind.CUT, match=DELETE, when=When.AFTER))

    await erp.webhooks.delete("Hook")

    assert [one.status for one in requests(DELETE)] == [None, 404]


async def test_a_ping_whose_answer_is_lost_is_not_repeated(sandbox: Sandbox, erp: Adapter, requests: Requests) -> None:
    await erp.webhooks.create("Hook", URL)
    sandbox.faults.add(Fault(FaultKind.CUT, match=PING, when=When.AFTER))

    with pytest.raises(OutcomeUnknownError, match="may be called"):
        await erp.webhooks.ping("Hook")
    assert len(requests(PING)) == 1


async def test_no_secret_is_sent_where_none_is_given(script: Any) -> None:
    script.page()
    script.answer(ROW, status=201)
    await scripted(script).create("Hook", URL)

    assert script.requests[1].json == {
        "Name": "Hook",
        "Url": URL,
        "Enabled": True,
        "SubscribeToAllEvents": True,
        "AllowInsecureSsl": False,
    }
