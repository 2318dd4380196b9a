"""Messages: everybody is written to once, and after a failure it is known who was."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from rpa_bridge import Adapter, DeniedError, InvalidError, OutcomeUnknownError
from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge_botmaestro.messages import MOST_RECIPIENTS

Kept = Callable[[], Any]
Requests = Callable[[str], list[Exchange]]
SEND = "POST */message"


def people(count: int, what: str = "mail") -> list[str]:
    return [f"{what}-{number}@example.com" for number in range(count)]


@pytest.mark.parametrize(
    ("emails", "users", "sizes"),
    [(1, 0, [1]), (0, 50, [50]), (51, 0, [50, 1]), (49, 2, [50, 1]), (70, 50, [50, 50, 20]), (0, 0, [0])],
)
async def test_everybody_is_written_to_once_and_the_group_with_the_first(
    maestro: Adapter, kept: Kept, emails: int, users: int, sizes: list[int]
) -> None:
    await maestro.messages.send(
        "größer ☃", "it's 100 %", emails=people(emails), users=people(users, "user"), group="Clerks"
    )

    sent = kept()["messages"]
    assert [len(one["emails"]) + len(one["logins"]) for one in sent] == sizes
    assert [name for one in sent for name in one["emails"]] == people(emails)
    assert [name for one in sent for name in one["logins"]] == people(users, "user")
    assert [one["groups"] for one in sent] == [["Clerks"], *([] for _ in sizes[1:])]
    assert {(one["subject"], one["body"], one["type"]) for one in sent} == {("größer ☃", "it's 100 %", "TEXT")}


async def test_a_message_has_the_members_that_the_official_client_sends(maestro: Adapter, requests: Requests) -> None:
    await maestro.messages.send("subject", "<b>body</b>", users=["me"], html=True)
    assert json.loads(requests(SEND)[0].body) == {
        "emails": [],
        "logins": ["me"],
        "subject": "subject",
        "body": "<b>body</b>",
        "type": "HTML",
        "group": "",
    }


async def test_one_who_is_named_twice_is_written_to_once(maestro: Adapter, kept: Kept) -> None:
    everybody = people(MOST_RECIPIENTS + 1)
    await maestro.messages.send("subject", "body", emails=[*everybody, *everybody], users=["me", "me"])

    written = Counter(name for one in kept()["messages"] for name in (*one["emails"], *one["logins"]))
    assert written == Counter([*everybody, "me"])


@pytest.mark.parametrize("kind", [FaultKind.CUT, FaultKind.TRUNCATE, FaultKind.HTML, FaultKind.STATUS])
@pytest.mark.parametrize("when", When)
async def test_a_part_whose_answer_is_lost_ends_it_and_says_who_was_written_to(
    sandbox: Sandbox, maestro: Adapter, kept: Kept, requests: Requests, kind: FaultKind, when: When
) -> None:
    sandbox.world.faults.add(Fault(kind, match=SEND, when=when, skip=1))

    with pytest.raises(OutcomeUnknownError) as caught:
        await maestro.messages.send("subject", "body", emails=people(100), users=people(20, "user"), group="Clerks")

    assert (
        "of 120 recipients, addresses before users, 1 to 50 and the group 'Clerks' were written to "
        "and 51 to 100 may have been written to, and nobody else; write to the others only"
    ) in str(caught.value)
    assert len(requests(SEND)) == 2
    assert len(kept()["messages"]) == 1 + (when is When.AFTER)


async def test_a_part_that_is_refused_ends_it_and_says_who_was_written_to(
    sandbox: Sandbox, maestro: Adapter, kept: Kept
) -> None:
    refused = json.dumps({"message": "no such address"})
    sandbox.world.faults.add(Fault(FaultKind.STATUS, match=SEND, status=400, skip=1, body=refused))

    with pytest.raises(
        OutcomeUnknownError, match=r"of 51 recipients.*, 1 to 50 were written to, and nobody else;.*no such address"
    ):
        await maestro.messages.send("subject", "body", emails=people(51))
    assert len(kept()["messages"]) == 1


@pytest.mark.parametrize(
    ("count", "group", "told"),
    [(2, None, "1 to 2 may"), (60, "Clerks", "1 to 50 and the group 'Clerks' may"), (0, "Clerks", "the group")],
)
async def test_a_first_part_whose_answer_is_lost_is_not_repeated(
    sandbox: Sandbox, maestro: Adapter, requests: Requests, count: int, group: str | None, told: str
) -> None:
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=SEND, when=When.AFTER))
    with pytest.raises(OutcomeUnknownError, match=rf"of {count} recipients, addresses before users, {told}"):
        await maestro.messages.send("subject", "body", emails=people(count), group=group)
    assert len(requests(SEND)) == 1


async def test_a_message_that_is_refused_as_a_whole_keeps_its_error(sandbox: Sandbox, maestro: Adapter) -> None:
    sandbox.world.faults.add(Fault(FaultKind.STATUS, match=SEND, status=403))
    with pytest.raises(DeniedError):
        await maestro.messages.send("subject", "body", emails=people(120))


async def test_nobody_and_an_empty_name_are_refused_unsent(maestro: Adapter, requests: Requests) -> None:
    for emails, users, group in (
        ([], [], None),
        ([], [], ""),
        (["a@example.com", " "], [], None),
        ([], [""], "Clerks"),
    ):
        with pytest.raises(InvalidError):
            await maestro.messages.send("subject", "body", emails=emails, users=users, group=group)
    assert not requests("*")
