"""Credentials: no value shows, no other key is lost, and a lost answer writes nothing twice."""

from __future__ import annotations

import asyncio
import json
import logging
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from rpa_bridge import (
    Adapter,
    AuthError,
    BridgeError,
    ConflictError,
    DeniedError,
    InvalidError,
    NotFoundError,
    OutcomeUnknownError,
    ProtocolError,
    UnavailableError,
    UnsupportedError,
)
from rpa_bridge.clock import SystemClock
from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge_botmaestro.credentials import BotMaestroCredentials
from rpa_bridge_botmaestro.wire.credentials import CredentialSet

Kept = Callable[[], Any]
Opens = Callable[..., Adapter]
Requests = Callable[[str], list[Exchange]]
Rewrite = Callable[[Callable[[Any], None]], None]
SET = "/api/v2/credential/erp"
CREATE, ADD, REPLACE = "POST */credential", "POST */credential/*/key", f"POST {SET}"
LOST = [FaultKind.CUT, FaultKind.TRUNCATE, FaultKind.HTML, FaultKind.STATUS]
CANARY = 'canary "größer" 100 %/☃'
OLD = {"user": "robot", "password": "acme-sandbox-password"}


def secret(**values: str) -> dict[str, SecretStr]:
    return {key: SecretStr(value) for key, value in values.items()}


def values(state: Any, name: str = "erp") -> dict[str, str]:
    return {one["key"]: one["value"] for one in state["credentials"][name]["secrets"]}


def scripted(script: Any) -> BotMaestroCredentials:
    return BotMaestroCredentials(script.client, script.clock)


async def test_no_value_shows_anywhere(sandbox: Sandbox, maestro: Adapter, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    refusal = json.dumps({"message": f"the value {CANARY} is too long", "details": CANARY})
    sandbox.world.faults.add(Fault(FaultKind.STATUS, match=CREATE, status=400, body=refusal))
    sandbox.world.faults.add(Fault(FaultKind.STATUS, match=CREATE, status=200, body=CANARY))
    shown: list[Any] = []
    for _ in range(2):
        with pytest.raises(BridgeError) as caught:
            await maestro.credentials.put("bank", secret(pin=CANARY))
        shown.append(caught.value)
    shown.append(await maestro.credentials.put("bank", secret(pin=CANARY)))
    sandbox.world.faults.add(Fault(FaultKind.CUT, match="POST */credential/bank", times=9))
    with pytest.raises(OutcomeUnknownError) as caught_unknown:
        await maestro.credentials.put("bank", secret(pin=f"{CANARY}2"))
    shown += [caught_unknown.value, await maestro.credentials.reveal("bank")]
    shown += [one async for one in maestro.credentials.find()]
    told = json.dumps({"label": "bank", "secrets": [{"key": 1, "value": CANARY}]})
    sandbox.world.faults.add(Fault(FaultKind.STATUS, match="GET */credential/bank", status=200, body=told))
    with pytest.raises(ProtocolError) as caught_odd:
        await maestro.credentials.reveal("bank")
    shown.append(caught_odd.value)

    texts = [caplog.text, *map(repr, shown), *map(str, shown)]
    texts += ["".join(traceback.format_exception(one)) for one in shown if isinstance(one, Exception)]
    assert not [text for text in texts if "canary" in text or "gr\\u00f6" in text]
    assert "credentials.put" in caplog.text, "the log was looked at"


def test_the_wire_form_of_a_set_shows_no_value() -> None:
    found = CredentialSet.of({"label": "erp", "secrets": [{"key": "password", "value": CANARY}]}, "test")
    assert "canary" not in repr(found) + str(found) + repr(found.secrets)


async def test_a_changed_key_leaves_all_others_as_they_are(
    maestro: Adapter, rewrite: Rewrite, kept: Kept, requests: Requests
) -> None:
    others = [{"key": "empty", "value": "", "valid": True}, {"key": "a/b?", "value": ' "1" ', "valid": False}]
    rewrite(lambda state: state["credentials"]["erp"]["secrets"].extend(others))
    rewrite(lambda state: state["credentials"]["erp"].update(repository_label="OTHER"))

    made = await maestro.credentials.put("erp", secret(password=CANARY, new="added-with-it"))

    assert made.keys == ("user", "password", "empty", "a/b?", "new")
    after = kept()["credentials"]["erp"]
    assert after["secrets"] == [
        {"key": "user", "value": "robot", "valid": True},
        {"key": "password", "value": CANARY, "valid": True},
        *others,
        {"key": "new", "value": "added-with-it", "valid": True},
    ]
    assert after["repository_label"] == "OTHER"
    assert (len(requests(REPLACE)), len(requests(ADD))) == (1, 0)


async def test_a_new_key_is_added_without_writing_the_set(maestro: Adapter, kept: Kept, requests: Requests) -> None:
    await maestro.credentials.put("erp", secret(user="robot", pin="1234", token="5678"))

    assert values(kept()) == OLD | {"pin": "1234", "token": "5678"}
    assert (len(requests(REPLACE)), len(requests(ADD))) == (0, 2)


async def test_nothing_new_sends_no_write(maestro: Adapter, requests: Requests) -> None:
    await maestro.credentials.put("erp", secret(user="robot"))
    assert not [one for one in requests("POST *") if "login" not in one.path]


async def test_a_hidden_value_is_read_by_its_key(
    sandbox: Sandbox, maestro: Adapter, rewrite: Rewrite, kept: Kept
) -> None:
    rewrite(lambda state: state["credentials"]["erp"]["secrets"].append({"key": "größe 1", "value": '"123"\n'}))
    sandbox.world.switches["botmaestro.mask_secrets"] = True

    revealed = await maestro.credentials.reveal("erp")
    await maestro.credentials.put("erp", secret(password=CANARY))

    assert revealed["größe 1"].get_secret_value() == '"123"\n', "as it is, and no JSON"
    assert values(kept()) == OLD | {"password": CANARY, "größe 1": '"123"\n'}


async def test_an_empty_value_may_be_a_hidden_one(sandbox: Sandbox, maestro: Adapter) -> None:
    told = json.dumps({"label": "erp", "secrets": [{"key": "password", "value": ""}]})
    sandbox.world.faults.add(Fault(FaultKind.STATUS, match=f"GET {SET}", status=200, body=told))
    assert (await maestro.credentials.reveal("erp"))["password"].get_secret_value() == OLD["password"]


async def test_a_value_that_nobody_may_see_is_never_written_over(
    sandbox: Sandbox, maestro: Adapter, kept: Kept, requests: Requests
) -> None:
    sandbox.world.switches["botmaestro.mask_secrets"] = True
    sandbox.world.faults.add(Fault(FaultKind.STATUS, match="GET */key/user", status=404, times=9))

    for call in (
        maestro.credentials.put("erp", secret(password="canary-changed")),
        maestro.credentials.delete("erp", key="password"),
        maestro.credentials.reveal("erp"),
    ):
        with pytest.raises(DeniedError, match="shows nobody field 'user' of credential 'erp'"):
            await call

    assert values(kept()) == OLD
    assert not requests(REPLACE)


async def test_a_value_that_is_no_text_is_not_guessed_at(sandbox: Sandbox, maestro: Adapter) -> None:
    sandbox.world.switches["botmaestro.mask_secrets"] = True
    sandbox.world.faults.add(Fault(FaultKind.HTML, match="GET */key/user", times=9))
    with pytest.raises(ProtocolError):
        await maestro.credentials.reveal("erp")


@pytest.mark.parametrize("status", [401, 403, 500])
async def test_a_set_that_cannot_be_read_is_not_taken_for_absent(
    sandbox: Sandbox, maestro: Adapter, requests: Requests, status: int
) -> None:
    sandbox.world.faults.add(Fault(FaultKind.STATUS, match=f"GET {SET}", status=status, times=99))
    with pytest.raises((AuthError, DeniedError, UnavailableError)):
        await maestro.credentials.put("erp", secret(password=CANARY))
    assert not requests("POST */credential*")


@pytest.mark.parametrize("kind", LOST)
async def test_a_lost_answer_makes_a_set_and_a_key_once(
    sandbox: Sandbox, maestro: Adapter, kept: Kept, requests: Requests, kind: FaultKind
) -> None:
    for match in (CREATE, ADD):
        sandbox.world.faults.add(Fault(kind, match=match, when=When.AFTER))

    await maestro.credentials.put("bank", secret(pin=CANARY))
    await maestro.credentials.put("bank", secret(token="added-to-it"))

    assert values(kept(), "bank") == {"pin": CANARY, "token": "added-to-it"}
    assert (len(requests(CREATE)), len(requests(ADD))) == (1, 1)


@pytest.mark.parametrize("kind", LOST)
async def test_a_lost_answer_of_a_change_is_settled(
    sandbox: Sandbox, maestro: Adapter, kept: Kept, kind: FaultKind
) -> None:
    sandbox.world.faults.add(Fault(kind, match=REPLACE, when=When.AFTER))
    await maestro.credentials.put("erp", secret(password=CANARY))
    assert values(kept()) == OLD | {"password": CANARY}

    sandbox.world.faults.add(Fault(kind, match=REPLACE, when=When.AFTER))
    await maestro.credentials.delete("erp", key="password")
    assert values(kept()) == {"user": "robot"}


async def test_what_never_arrived_is_outcome_unknown_and_can_be_put_again(
    sandbox: Sandbox, maestro: Adapter, kept: Kept, requests: Requests
) -> None:
    for match, name in ((CREATE, "bank"), (ADD, "erp")):
        sandbox.world.faults.add(Fault(FaultKind.CUT, match=match))
        with pytest.raises(OutcomeUnknownError, match=rf"the change of credential '{name}' was not found"):
            await maestro.credentials.put(name, secret(pin=CANARY))
        assert len(requests(match)) == 1
        await maestro.credentials.put(name, secret(pin=CANARY))
    assert (values(kept(), "bank"), values(kept())) == ({"pin": CANARY}, OLD | {"pin": CANARY})


async def test_processes_that_change_different_keys_lose_none(open_maestro: Opens, tmp_path: Path, kept: Kept) -> None:
    adapters = [open_maestro(tmp_path, SystemClock()) for _ in range(2)]
    first = {f"key-{number}": "old" for number in range(6)}
    await adapters[0].credentials.put("bank", secret(**first))

    await asyncio.gather(
        *(adapters[number % 2].credentials.put("bank", secret(**{f"key-{number}": "new"})) for number in range(6))
    )

    assert values(kept(), "bank") == dict.fromkeys(first, "new")


async def test_somebody_else_who_wrote_after_us_is_told(script: Any) -> None:
    ours = {"label": "erp", "secrets": [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]}
    theirs = {"label": "erp", "secrets": [{"key": "a", "value": "1"}, {"key": "b", "value": "3"}]}
    credentials = scripted(script)
    for call in (credentials.put("erp", secret(a="new")), credentials.delete("erp", key="a")):
        for answer in (ours, ours, theirs):
            script.answer(answer)
        with pytest.raises(ConflictError, match="somebody else wrote credential 'erp'") as caught:
            await call
        assert caught.value.maybe_applied
    assert script.lines == ["GET /credential/erp", "POST /credential/erp", "GET /credential/erp"] * 2


async def test_the_set_of_another_question_is_not_written_over_ours(script: Any) -> None:
    script.answer({"label": "bank", "secrets": []})
    with pytest.raises(ProtocolError, match="asked for credential 'erp', got 'bank'"):
        await scripted(script).put("erp", secret(password=CANARY))
    assert script.lines == ["GET /credential/erp"]


async def test_null_members_of_a_set_are_none(script: Any) -> None:
    script.answer({"label": "erp", "secrets": None, "organizationLabel": None, "repositoryLabel": None})
    assert (await scripted(script).reveal("erp")).fields == {}
    script.answer([{"label": "erp", "secrets": None}])
    assert [one.keys async for one in scripted(script).find()] == [()]


async def test_one_field_is_deleted_and_the_set_is_not(maestro: Adapter, kept: Kept, requests: Requests) -> None:
    with pytest.raises(NotFoundError, match="has no field 'pin'; it has user, password"):
        await maestro.credentials.delete("erp", key="pin")
    with pytest.raises(UnsupportedError, match="delete its fields with key="):
        await maestro.credentials.delete("erp")
    with pytest.raises(NotFoundError, match="there is no credential 'bank'"):
        await maestro.credentials.delete("bank")
    assert not requests("POST */credential*")

    await maestro.credentials.delete("erp", key="password")
    await maestro.credentials.delete("erp", key="user")

    assert values(kept()) == {}, "an empty set stays"
    assert (await maestro.credentials.put("erp", secret(user="again"))).keys == ("user",)


@pytest.mark.parametrize("label", ["a/b", "a?b", "a#b", "100%", "", "..", "a\\b"])
async def test_a_label_that_no_address_can_carry_is_refused_unsent(
    maestro: Adapter, requests: Requests, label: str
) -> None:
    for call in (
        maestro.credentials.put(label, secret(a=CANARY)),
        maestro.credentials.reveal(label),
        maestro.credentials.delete(label),
        maestro.credentials.delete(label, key="a"),
    ):
        with pytest.raises(InvalidError):
            await call
    assert not requests("*")


@pytest.mark.parametrize("fields", [{}, {"": SecretStr("a")}, {"a": SecretStr("a"), " ": SecretStr("b")}])
async def test_fields_without_a_name_are_refused_unsent(
    maestro: Adapter, requests: Requests, fields: dict[str, SecretStr]
) -> None:
    with pytest.raises(InvalidError, match="each field a name"):
        await maestro.credentials.put("erp", fields)
    assert not requests("*")


async def test_any_other_label_is_encoded_and_found(maestro: Adapter) -> None:
    for label in ("Größe ☃", 'it\'s "quoted"', "a&b=c;d+e", "two words"):
        made = await maestro.credentials.put(label, secret(**{label: CANARY}))
        assert (made.name, made.keys) == (label, (label,))
        assert (await maestro.credentials.reveal(label))[label].get_secret_value() == CANARY
