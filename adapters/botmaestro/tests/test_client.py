"""Labels in paths, and pages as Spring makes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rpa_bridge import Adapter, InvalidError, ItemDraft, ProtocolError
from rpa_bridge.errors import Delivery
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge.transport.base import Effect
from rpa_bridge_botmaestro.client import MOST_REPEATED, PAGE
from rpa_bridge_botmaestro.wire.lists import Page
from rpa_bridge_botmaestro.wire.queues import DataPool

Requests = Callable[[str], list[Exchange]]
Rewrite = Callable[[Callable[[Any], None]], None]
ODD_LABELS = [
    "Größe ☃",
    "two words",
    'it\'s "quoted"',
    "a&b=c;d+e",
    "(x) [y]",
    "日本語",
    "~!$*@:,|^`<>",
    "a.b",
    "…",
]


@pytest.mark.parametrize("label", ["a/b", "a?b", "a#b", "100%", "a\\b", "/", "%2F"])
async def test_a_label_that_no_address_can_carry_is_refused_unsent(
    maestro: Adapter, requests: Requests, label: str
) -> None:
    for call in (
        maestro.queues.get(label),
        maestro.queues.add(label, ItemDraft(values={"n": "1"})),
        maestro.queues.take(label),
        maestro.queues.get_item(label, "e-1"),
        maestro.automations.get(label),
    ):
        with pytest.raises(InvalidError, match="which no address can") as caught:
            await call
        assert caught.value.delivery is Delivery.NOT_SENT
    assert not requests("*")


@pytest.mark.parametrize("label", ["", " ", ".", ".."])
async def test_a_label_that_would_name_another_place_is_refused_unsent(
    maestro: Adapter, requests: Requests, label: str
) -> None:
    for call in (maestro.queues.get(label), maestro.automations.get(label)):
        with pytest.raises(InvalidError):
            await call
    assert not requests("*")


@pytest.mark.parametrize("label", ODD_LABELS)
async def test_any_other_label_is_encoded_and_found(maestro: Adapter, rewrite: Rewrite, label: str) -> None:
    def rename(state: Any) -> None:
        state["pools"] = {label: state["pools"]["Letters"] | {"label": label}}
        state["automations"][label] = state["automations"]["Letters"] | {"label": label}
        state["pools"][label]["default_activity"] = label

    rewrite(rename)

    added = await maestro.queues.add(label, ItemDraft(values={"n": "1"}, reference="r"))
    taken = await maestro.queues.take(label)

    assert taken is not None
    assert (taken.id, taken.queue) == (added.id, label)
    await maestro.queues.complete(taken)
    assert (await maestro.queues.get(label)).name == (await maestro.automations.get(label)).name == label
    assert (await maestro.jobs.start(label, key="k")).automation == label
    assert [job.automation async for job in maestro.jobs.find(automation=label)] == [label]


@pytest.mark.parametrize(
    "ends",
    [
        {"last": True},
        {"last": True, "totalPages": 9},
        {"totalPages": 2},
        {"last": None, "totalPages": 2},
        {"last": False, "totalPages": 2},
    ],
)
async def test_a_listing_ends_where_the_server_says(script: Any, ends: dict[str, Any]) -> None:
    script.page({"id": "1", "label": "a"}, **(ends | ({"last": False} if "last" in ends else {})))
    script.page({"id": "2", "label": "b"}, **ends)

    rows = [row async for row in script.client.all_rows(DataPool, "/datapool", operation="test", params={"days": "3"})]

    assert [row.label for row in rows] == ["a", "b"]
    assert [one.params for one in script.requests] == [
        {"days": "3", "page": str(number), "size": str(PAGE)} for number in (0, 1)
    ]


async def test_a_server_that_says_nothing_of_an_end_is_asked_until_a_page_is_empty(script: Any) -> None:
    script.page({"id": "1", "label": "a"})
    script.page({"id": "2", "label": "b"})
    script.page()

    rows = [row.label async for row in script.client.all_rows(DataPool, "/datapool", operation="test")]

    assert rows == ["a", "b"]


async def test_a_server_that_gives_the_same_page_again_and_again_is_not_asked_for_ever(script: Any) -> None:
    for _ in range(MOST_REPEATED + 2):
        script.page({"id": "1", "label": "a"}, {"id": "2", "label": "b"})

    with pytest.raises(ProtocolError, match=f"page {MOST_REPEATED + 1} repeats those before"):
        [row async for row in script.client.all_rows(DataPool, "/datapool", operation="test")]


async def test_an_empty_list_is_one_empty_page(script: Any) -> None:
    script.page(last=True, totalPages=0)

    assert [row async for row in script.client.all_rows(DataPool, "/datapool", operation="test")] == []


async def test_a_row_that_moves_to_the_next_page_is_not_repeated(script: Any) -> None:
    rows = [{"id": str(number), "label": str(number)} for number in range(2 * PAGE)]
    script.page(*rows[:PAGE], last=False)
    script.page(*rows[PAGE - 7 : 2 * PAGE - 7], last=False)  # seven new rows came in front meanwhile
    script.page(*rows[2 * PAGE - 7 :], last=True)

    seen = [row.label async for row in script.client.all_rows(DataPool, "/datapool", operation="test")]

    assert seen == [row["label"] for row in rows]


async def test_rows_without_an_id_are_told_apart_by_their_labels(script: Any) -> None:
    script.page({"id": None, "label": "a"}, {"id": None, "label": "b"}, {"label": "c"}, {"label": "c"}, last=True)

    seen = [row.label async for row in script.client.all_rows(DataPool, "/datapool", operation="test")]

    assert seen == ["a", "b", "c"]


@pytest.mark.parametrize("answer", [{"content": [1]}, {"content": None}, [], "text", {"rows": []}])
async def test_what_is_no_page_is_a_protocol_error(script: Any, answer: Any) -> None:
    script.answer(answer)

    with pytest.raises(ProtocolError, match=Page.__name__):
        [row async for row in script.client.all_rows(DataPool, "/datapool", operation="test")]


async def test_only_204_may_come_without_a_body(script: Any) -> None:
    script.answer(status=204)
    script.answer(status=200)

    assert await script.client.call("GET", "/x", effect=Effect.BLIND, operation="test") is None
    with pytest.raises(ProtocolError) as caught:
        await script.client.call("GET", "/x", effect=Effect.BLIND, operation="test")
    assert caught.value.maybe_applied


async def test_more_than_a_page_of_queues_is_found_whole(
    maestro: Adapter, rewrite: Rewrite, requests: Requests
) -> None:
    def add(state: Any) -> None:
        for number in range(2 * PAGE + 30):
            label = f"pool {number}"
            state["pools"][label] = state["pools"]["Letters"] | {"label": label, "id": f"id-{number}"}

    rewrite(add)

    found = [queue.name async for queue in maestro.queues.find()]

    assert len(found) == len(set(found)) == 2 * PAGE + 32
    assert len(requests("GET */datapool*")) == 3
