"""Whole queues on UiPath: made once, changed without losing anything, deleted; whatever becomes of the answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rpa_bridge import (
    Adapter,
    BridgeError,
    ConflictError,
    Field,
    InvalidError,
    ItemDraft,
    NotFoundError,
    OutcomeUnknownError,
    ProtocolError,
    QueueDraft,
    UnsupportedError,
)
from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge_uipath.adapter import LIMITS
from rpa_bridge_uipath.queues import UiPathQueues

CREATE = "POST *QueueDefinitions"
Requests = Callable[[str], list[Exchange]]
NAME = "O'Brien & Söhne #1"
DRAFT = QueueDraft(
    name=NAME,
    description="größer",
    retries=3,
    unique_references=True,
    options={"SlaInMinutes": 60, "RetryAbandonedItems": True, "SpecificDataJsonSchema": "{}"},
)


def kept(sandbox: Sandbox, name: str) -> list[dict[str, Any]]:
    """The queues of this name that the sandbox holds now."""
    return [dict(row) for row in sandbox.faces["uipath"].dump()["queues"] if row["Name"] == name]


async def test_a_new_queue_has_what_was_drafted_and_the_platforms_own_settings(sandbox: Sandbox, erp: Adapter) -> None:
    made = await erp.queues.create(DRAFT)

    assert (made.name, made.description, made.retries, made.unique_references) == (NAME, "größer", 3, True)
    [row] = kept(sandbox, NAME)
    assert (row["AcceptAutomaticallyRetry"], row["MaxNumberOfRetries"]) == (True, 3)
    assert {name: row[name] for name in DRAFT.options} == DRAFT.options
    assert await erp.queues.get(NAME) == made


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({"name": "q" * 51}, "51 characters; at most 50 fit"),
        ({"description": "d" * 251}, "251 characters; at most 250 fit"),
        ({"retries": 51}, "from 0 to 50, not 51"),
        ({"retries": -1}, "from 0 to 50, not -1"),
        ({"fields": (Field(name="n"),)}, "option SpecificDataJsonSchema instead"),
        ({"options": {"MaxNumberOfRetries": 2}}, "option 'MaxNumberOfRetries'; options are Analytics"),
        ({"options": {"slaInMinutes": 2}}, "option 'slaInMinutes'"),
        ({"options": {"SlaInMinutes": "60"}}, "must be of type int, not str"),
        ({"options": {"ReleaseId": True}}, "must be of type int, not bool"),
        ({"options": {"Encrypted": 1}}, "must be of type bool, not int"),
    ],
)
async def test_what_uipath_cannot_hold_is_refused_unsent(
    sandbox: Sandbox, erp: Adapter, members: dict[str, Any], problem: str
) -> None:
    draft = QueueDraft(**{"name": "New"} | members)
    for call in (erp.queues.create(draft), erp.queues.update("Invoices", draft)):
        with pytest.raises((InvalidError, UnsupportedError), match=problem):
            await call
    assert sandbox.world.exchanges == []


@pytest.mark.parametrize("kind", [FaultKind.CUT, FaultKind.TRUNCATE, FaultKind.STATUS, FaultKind.HTML])
@pytest.mark.parametrize("times", [1, 20])
async def test_a_queue_whose_creation_is_not_answered_is_made_once_and_found(
    sandbox: Sandbox, erp: Adapter, requests: Requests, kind: FaultKind, times: int
) -> None:
    sandbox.faults.add(Fault(kind, match=CREATE, when=When.AFTER, times=times))

    assert (await erp.queues.create(DRAFT)).id == str(kept(sandbox, NAME)[0]["Id"])
    assert len(kept(sandbox, NAME)) == 1
    assert sum(one.executed for one in requests(CREATE)) == 1


async def test_a_name_that_was_taken_all_along_is_a_conflict_though_the_first_answer_was_lost(
    sandbox: Sandbox, erp: Adapter
) -> None:
    await erp.queues.create(DRAFT)
    sandbox.faults.add(Fault(FaultKind.CUT, match=CREATE))

    with pytest.raises(ConflictError, match="with other settings; take another name"):
        await erp.queues.create(QueueDraft(name=NAME, retries=2))
    with pytest.raises(ConflictError, match="taken"):
        await erp.queues.create(DRAFT)
    assert len(kept(sandbox, NAME)) == 1


async def test_a_queue_that_was_never_made_is_not_claimed(sandbox: Sandbox, erp: Adapter) -> None:
    sandbox.faults.add(Fault(FaultKind.STATUS, match=CREATE, times=20))

    with pytest.raises(OutcomeUnknownError, match="was not found within 120 seconds"):
        await erp.queues.create(DRAFT)
    assert kept(sandbox, NAME) == []


async def test_an_answer_that_names_another_queue_is_not_believed(script: Any) -> None:
    script.answer({"Id": 1, "Name": "Somebody's"}, status=201)
    script.page({"Id": 2, "Name": "Mine", "MaxNumberOfRetries": 0})

    assert (await UiPathQueues(script.client, script.clock, LIMITS).create(QueueDraft(name="Mine"))).id == "2"


async def test_an_update_changes_what_is_drafted_and_keeps_the_rest(sandbox: Sandbox, erp: Adapter) -> None:
    made = await erp.queues.create(DRAFT)
    before = kept(sandbox, NAME)[0]

    changed = await erp.queues.update(
        NAME, QueueDraft(name=NAME, description=None, retries=0, unique_references=True, options={"SlaInMinutes": 90})
    )

    assert (changed.id, changed.description, changed.retries) == (made.id, None, 0)
    [after] = kept(sandbox, NAME)
    assert {name for name in after if after[name] != before[name]} == {
        "Description", "MaxNumberOfRetries", "AcceptAutomaticallyRetry", "SlaInMinutes",
    }  # fmt: skip


async def test_an_update_whose_answer_is_lost_is_repeated(sandbox: Sandbox, erp: Adapter, requests: Requests) -> None:
    sandbox.faults.add(Fault(FaultKind.CUT, match="PUT *", when=When.AFTER))

    assert (await erp.queues.update("Invoices", QueueDraft(name="Invoices", retries=7))).retries == 7
    assert [one.status for one in requests("PUT *")] == [None, 200]


async def test_a_renamed_queue_is_gone_under_its_old_name(erp: Adapter) -> None:
    added = await erp.queues.add("Invoices", ItemDraft(values={"n": 1}))
    await erp.queues.get_item("Invoices", added.id)
    await erp.queues.update("Invoices", QueueDraft(name=NAME))

    assert (await erp.queues.get_item(NAME, added.id)).queue == NAME
    with pytest.raises(NotFoundError, match="no queue 'Invoices'"):
        await erp.queues.get_item("Invoices", added.id)


async def test_a_name_that_another_queue_has_is_a_conflict(sandbox: Sandbox, erp: Adapter) -> None:
    with pytest.raises(ConflictError, match="taken"):
        await erp.queues.update("Invoices", QueueDraft(name="letters"))
    assert kept(sandbox, "Invoices")


async def test_what_the_platform_does_not_let_change_is_an_error(sandbox: Sandbox, erp: Adapter) -> None:
    sandbox.world.switches["uipath.queue_rules_fixed"] = True

    with pytest.raises(BridgeError):
        await erp.queues.update("Letters", QueueDraft(name="Letters", unique_references=False))
    assert kept(sandbox, "Letters")[0]["EnforceUniqueReference"]


@pytest.mark.parametrize("when", [When.BEFORE, When.AFTER])
async def test_a_deletion_whose_answer_is_lost_is_done_all_the_same(sandbox: Sandbox, erp: Adapter, when: When) -> None:
    sandbox.faults.add(Fault(FaultKind.CUT, match="DELETE *", when=when))

    await erp.queues.delete("Invoices")

    assert not [row for row in kept(sandbox, "Invoices") if row["OrganizationUnitId"] == 101]
    with pytest.raises(NotFoundError, match="no queue 'Invoices'"):
        await erp.queues.delete("Invoices")


async def test_a_queue_that_somebody_else_deletes_meanwhile_is_not_found(script: Any) -> None:
    script.page({"Id": 3, "Name": "Invoices"})
    script.answer({"message": "gone", "errorCode": 1002}, status=404)

    with pytest.raises(NotFoundError):
        await UiPathQueues(script.client, script.clock, LIMITS).delete("Invoices")


async def test_a_server_that_repeats_an_unreadable_queue_is_a_protocol_error(script: Any) -> None:
    script.page({"Name": "Invoices"})

    with pytest.raises(ProtocolError, match="QueueDefinitionDto"):
        await UiPathQueues(script.client, script.clock, LIMITS).get("Invoices")
