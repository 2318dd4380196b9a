from __future__ import annotations

from typing import Any

import pytest

MESSAGE = {"emails": ["a@acme.example"], "logins": ["ann"], "subject": "Hello", "body": "<b>!</b>", "type": "HTML"}


@pytest.mark.parametrize(
    ("dialect", "groups"),
    [({"group": ""}, []), ({"group": "ops"}, ["ops"]), ({"groups": ["ops", "it"]}, ["ops", "it"]), ({}, [])],
)
async def test_a_message_is_kept_in_every_dialect(wire: Any, dialect: dict[str, Any], groups: list[str]) -> None:
    answer = await wire.ask("POST", "/message", MESSAGE | dialect, status=200)
    assert answer.body == b"Message sent"
    (kept,) = wire.state["messages"]
    assert {name: kept[name] for name in MESSAGE} == MESSAGE
    assert kept["groups"] == groups


async def test_a_list_of_groups_may_be_null(wire: Any) -> None:
    await wire.post("/message", MESSAGE | {"groups": None})


async def test_fifty_recipients_are_the_most(wire: Any) -> None:
    many = [f"{number}@acme.example" for number in range(49)]
    await wire.post("/message", MESSAGE | {"emails": many})
    refused = await wire.post("/message", MESSAGE | {"emails": [*many, "one@more.example"]}, status=400)
    assert "50 recipients" in refused["message"]
    assert len(wire.state["messages"]) == 1


@pytest.mark.parametrize("change", [{"type": "PDF"}, {"subject": None}, {"emails": "a@acme.example"}])
async def test_a_wrong_message_is_refused(wire: Any, change: dict[str, Any]) -> None:
    await wire.post("/message", MESSAGE | change, status=400)
