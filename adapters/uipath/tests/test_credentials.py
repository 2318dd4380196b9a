"""Credentials on UiPath: who may see them, what a change must not forget, and that nothing shows a secret."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from pydantic import SecretStr

from rpa_bridge import (
    Adapter,
    ConflictError,
    DeniedError,
    InvalidError,
    NotFoundError,
    ProtocolError,
    RemoteError,
    UnsupportedError,
)
from rpa_bridge.contract.credentials import Credential, RevealedCredential
from rpa_bridge.contract.model import plain
from rpa_bridge.redaction import REDACTOR
from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge_uipath.assets import AssetRows
from rpa_bridge_uipath.credentials import UiPathCredentials
from rpa_bridge_uipath.sandbox.identity import CLIENT_ID, CLIENT_SECRET

Opens = Callable[..., Adapter]
Requests = Callable[[str], list[Exchange]]
MAKE, CHANGE, DELETE = "POST */odata/Assets", "PUT */odata/Assets*", "DELETE */odata/Assets*"
FILTERED, PLAIN, REVEAL = "GET *GetFiltered*", "GET */odata/Assets[?]*", "POST *GetRobotAssetByNameForRobotKey"
CANARY = "canary-7f3a-größer-☃"
ECHOED = "canary-that-only-put-has-seen"
LOGIN = {"username": SecretStr("canary-user"), "password": SecretStr(CANARY)}
ROW = {"Id": 5, "Name": "SAP", "ValueType": "Credential", "ValueScope": "Global", "CredentialUsername": "sap-user"}
REVEALED = {"Name": "SAP", "ValueType": "Credential", "CredentialUsername": "u", "CredentialPassword": CANARY}
NOT_OURS = {"message": "The provided robot is not configured for the current user.", "errorCode": 1302}


def rows_of(sandbox: Sandbox) -> dict[str, dict[str, Any]]:
    """The sandbox's own rows of folder Shared by name: they hold what no request shows."""
    rows = sandbox.faces["uipath"].dump()["tables"]["assets"].values()
    return {row["Name"]: row for row in rows if row["FolderIds"] == [101]}


@pytest.fixture
def robot_key(sandbox: Sandbox) -> str:
    """The key of the robot in folder Shared."""
    return str(sandbox.faces["uipath"].dump()["tables"]["robot keys"]["701"]["Key"])


@pytest.fixture
def as_robot(open_erp: Opens, robot_key: str) -> Adapter:
    """Folder Shared, with its robot's key."""
    return open_erp(robot_key=robot_key)


def scripted(script: Any, robot_key: str | None = "key") -> UiPathCredentials:
    """The service on answers on order."""
    client = script.client
    return UiPathCredentials(
        client, script.clock, AssetRows(client), None if robot_key is None else SecretStr(robot_key)
    )


async def found(erp: Adapter) -> dict[str, Credential]:
    """All credentials by name."""
    return {one.name: one async for one in erp.credentials.find()}


def clear(revealed: RevealedCredential) -> dict[str, str]:
    """The fields' values."""
    return {name: one.get_secret_value() for name, one in revealed.fields.items()}


async def test_credentials_and_secrets_are_found_though_each_list_hides_some(erp: Adapter, requests: Requests) -> None:
    credentials = await found(erp)

    assert {name: one.keys for name, one in credentials.items()} == {
        "SAP": ("username", "password"),
        "ApiKey": ("secret",),
    }
    assert credentials["SAP"].raw_data["CredentialUsername"] == "sap-user", "the newer list leaves it empty"
    assert not {"CredentialPassword", "SecretValue"} & set(credentials["SAP"].raw_data)
    assert (len(requests(PLAIN)), len(requests(FILTERED))) == (1, 1)


async def test_an_older_server_has_no_secrets_and_that_is_no_error(sandbox: Sandbox, erp: Adapter) -> None:
    sandbox.faults.add(Fault(FaultKind.STATUS, match=FILTERED, status=404, times=9))

    assert set(await found(erp)) == {"SAP"}


async def test_when_the_plain_list_is_gone_the_newer_one_has_all(sandbox: Sandbox, erp: Adapter) -> None:
    sandbox.faults.add(Fault(FaultKind.STATUS, match=PLAIN, status=404, times=9))

    assert set(await found(erp)) == {"SAP", "ApiKey"}


async def test_a_robot_of_the_folder_sees_its_credentials(as_robot: Adapter, requests: Requests) -> None:
    assert clear(await as_robot.credentials.reveal("sap")) == {
        "username": "sap-user",
        "password": "sap-sandbox-password",
    }
    assert clear(await as_robot.credentials.reveal("ApiKey")) == {"secret": "sandbox-api-key"}
    assert len(requests("*/odata/*")) == 2


async def test_what_a_connection_reads_back_depends_on_its_robot_key(erp: Adapter, as_robot: Adapter) -> None:
    assert (erp.capabilities.limits.reads_secrets, as_robot.capabilities.limits.reads_secrets) == (False, True)


async def test_an_asset_that_is_opened_to_all_is_read_without_a_robot(sandbox: Sandbox, erp: Adapter) -> None:
    sandbox.world.switches["uipath.direct_asset_access"] = True
    rows_of(sandbox)["ApiKey"]["AllowDirectApiAccess"] = True

    assert clear(await erp.credentials.reveal("ApiKey")) == {"secret": "sandbox-api-key"}
    with pytest.raises(DeniedError, match="a robot of this folder can read it"):
        await erp.credentials.reveal("SAP")


async def test_without_a_robots_key_the_refusal_says_which_identity_could(erp: Adapter) -> None:
    with pytest.raises(DeniedError, match="with its own key as robot_key in the settings; others only where") as caught:
        await erp.credentials.reveal("SAP")
    assert (caught.value.status, caught.value.code) == (400, "1009")


async def test_the_key_of_another_folders_robot_is_refused_with_what_to_mend(open_erp: Opens) -> None:
    stranger = open_erp(robot_key="00000000-0000-4000-8000-000000000000")

    with pytest.raises(DeniedError, match="robot_key in the settings must be the key of a robot of this") as caught:
        await stranger.credentials.reveal("SAP")
    assert caught.value.code == "1302"
    assert "00000000" not in str(caught.value)


async def test_a_scope_that_only_reads_is_too_small_for_secrets(open_erp: Opens, robot_key: str) -> None:
    auth = {"type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    reader = open_erp(robot_key=robot_key, auth=auth | {"scope": "OR.Assets.Read"})

    with pytest.raises(DeniedError, match=r"takes the scope OR.Assets or OR.Assets.Write"):
        await reader.credentials.reveal("SAP")


@pytest.mark.parametrize("status", [400, 403, 404])
async def test_an_older_server_that_has_no_such_call_denies_what_exists(
    sandbox: Sandbox, as_robot: Adapter, status: int
) -> None:
    sandbox.faults.add(Fault(FaultKind.STATUS, match=REVEAL, status=status))

    with pytest.raises(DeniedError, match="does not reveal 'SAP' to this identity"):
        await as_robot.credentials.reveal("SAP")


@pytest.mark.parametrize("verb", ["reveal", "delete"])
async def test_what_is_no_credential_is_not_found(erp: Adapter, as_robot: Adapter, verb: str) -> None:
    for adapter in (erp, as_robot):
        with pytest.raises(NotFoundError, match="no credential 'Nothing' in this folder"):
            await getattr(adapter.credentials, verb)("Nothing")
        with pytest.raises(NotFoundError, match="'Currency' is an asset and no credential"):
            await getattr(adapter.credentials, verb)("Currency")


@pytest.mark.parametrize(
    ("body", "status", "kind", "told"),
    [
        ({"message": "No.", "errorCode": 2304}, 400, ConflictError, "the store of its secret cannot be read"),
        ({"message": "No.", "errorCode": 1100}, 400, NotFoundError, "check `folder` in the settings"),
        (REVEALED | {"ConnectionData": {"url": "https://proxy", "bearerToken": CANARY}}, 200, DeniedError, "proxy"),
        (REVEALED | {"CredentialPassword": ""}, 200, DeniedError, "keeps its secret back"),
        (REVEALED | {"CredentialPassword": None}, 200, DeniedError, "keeps its secret back"),
        ({"Name": "SAP", "ValueType": "Secret"}, 200, DeniedError, "keeps its secret back"),
        (REVEALED | {"CredentialPassword": "!!!PLEASE UPDATE!!!"}, 200, ConflictError, "a placeholder and no secret"),
        (REVEALED | {"Name": "Other"}, 200, ProtocolError, "does not name the credential 'SAP'"),
        ({"Name": "SAP", "ValueType": "Text", "StringValue": CANARY}, 200, NotFoundError, "an asset and no credential"),
        (REVEALED | {"CredentialUsername": {"a": CANARY}}, 200, ProtocolError, "CredentialUsername"),
    ],
)
async def test_an_answer_without_a_usable_secret_is_an_error_that_shows_none(
    script: Any, body: dict[str, Any], status: int, kind: type[RemoteError], told: str
) -> None:
    script.answer(body, status=status)

    with pytest.raises(kind, match=told) as caught:
        await scripted(script).reveal("SAP")
    assert CANARY not in f"{caught.value!r}{caught.value.__cause__!r}{caught.value.__context__!r}"


async def test_an_empty_connection_to_a_proxy_is_none(script: Any) -> None:
    script.answer(REVEALED | {"ConnectionData": {"url": None, "body": None, "bearerToken": None}})

    assert clear(await scripted(script).reveal("SAP")) == {"username": "u", "password": CANARY}


async def test_a_refused_robot_key_does_not_show_in_the_error(script: Any) -> None:
    script.answer(NOT_OURS, status=409)
    script.page(ROW)

    with pytest.raises(DeniedError) as caught:
        await scripted(script, robot_key=CANARY).reveal("SAP")
    assert CANARY not in repr(caught.value)


@pytest.mark.parametrize("fields", [LOGIN, {"secret": SecretStr(CANARY)}])
async def test_what_was_put_is_what_a_robot_sees(as_robot: Adapter, fields: Mapping[str, SecretStr]) -> None:
    made = await as_robot.credentials.put("O'Brien & Söhne", fields, description="größer")

    assert (await found(as_robot))["O'Brien & Söhne"] == made
    assert (made.keys, made.description) == (tuple(fields), "größer")
    assert (await as_robot.credentials.reveal("O'Brien & Söhne")).fields == fields
    await as_robot.credentials.delete("O'Brien & Söhne")
    assert "O'Brien & Söhne" not in await found(as_robot)


async def test_a_change_forgets_nothing_that_it_does_not_name(as_robot: Adapter) -> None:
    credentials = as_robot.credentials
    await credentials.put("SAP", {"password": SecretStr("canary-new")}, description="d")
    assert clear(await credentials.reveal("SAP")) == {"username": "sap-user", "password": "canary-new"}

    assert (await credentials.put("SAP", {"username": SecretStr("sap-user")})).description == "d"
    await credentials.put("SAP", {}, description="e")
    assert clear(await credentials.reveal("SAP")) == {"username": "sap-user", "password": "canary-new"}

    await credentials.put("SAP", LOGIN)
    assert (await credentials.reveal("SAP")).fields == LOGIN


async def test_a_change_keeps_the_logins_of_single_robots(sandbox: Sandbox, as_robot: Adapter) -> None:
    row = rows_of(sandbox)["SAP"]
    own = {**row, "UserId": 901, "UserName": "robot-701", "MachineId": None, "MachineName": None}
    own |= {"CredentialUsername": "own-user", "CredentialPassword": "own-password", "Id": 60_900}
    names = ("UserId", "UserName", "MachineId", "MachineName", "Id", "Name", "ValueType", "StringValue", "BoolValue")
    secret = ("IntValue", "CredentialUsername", "CredentialPassword", "SecretValue", "ExternalName")
    kept = {name: own[name] for name in (*names, *secret, "CredentialStoreId", "KeyValueList")}
    row |= {"ValueScope": "PerRobot", "UserValues": [kept]}

    await as_robot.credentials.put("SAP", {"password": SecretStr("canary-new")})

    assert clear(await as_robot.credentials.reveal("SAP")) == {"username": "own-user", "password": "own-password"}
    assert rows_of(sandbox)["SAP"]["CredentialPassword"] == "canary-new"


async def test_no_hidden_member_is_written_back_empty_or_masked(script: Any) -> None:
    own = {"Id": 1, "UserName": "ann", "CredentialUsername": "own-user", "CredentialPassword": "********"}
    row = ROW | {"CredentialPassword": "", "SecretValue": "", "UserValues": [own]}
    script.page(row)
    script.answer(row)
    script.answer()
    script.answer(row)

    made = await scripted(script).put("SAP", {}, description="d")

    written = script.requests[2].json
    assert written["UserValues"] == [{"Id": 1, "UserName": "ann", "CredentialUsername": "own-user"}]
    assert not {"CredentialPassword", "SecretValue"} & set(written)
    assert "****" not in repr(made.raw_data)


@pytest.mark.parametrize(
    "fields",
    [
        {"user": SecretStr(CANARY)},
        {"password": SecretStr(CANARY), "secret": SecretStr(CANARY)},
        {CANARY: SecretStr("x")},
        {"username": SecretStr("u"), "password": SecretStr("")},
        {"username": SecretStr("u" * 513), "password": SecretStr(CANARY)},
        {"secret": SecretStr("x" * 25_001)},
    ],
)
async def test_fields_that_no_credential_has_are_refused_unsent(
    sandbox: Sandbox, erp: Adapter, fields: Mapping[str, SecretStr]
) -> None:
    with pytest.raises(InvalidError) as caught:
        await erp.credentials.put("New", fields)
    assert CANARY not in repr(caught.value)
    assert sandbox.world.exchanges == []


@pytest.mark.parametrize("fields", [{}, {"password": SecretStr(CANARY)}, {"username": SecretStr("u")}])
async def test_a_new_credential_needs_all_its_fields(
    erp: Adapter, requests: Requests, fields: Mapping[str, SecretStr]
) -> None:
    with pytest.raises(InvalidError, match="needs username and password, or secret alone"):
        await erp.credentials.put("New", fields)
    assert requests(MAKE) == []


@pytest.mark.parametrize(
    ("name", "fields", "kind", "told"),
    [
        ("SAP", {"secret": SecretStr(CANARY)}, InvalidError, "is a Credential and has only: username, password"),
        ("ApiKey", LOGIN, InvalidError, "is a Secret and has only: secret"),
        ("Currency", LOGIN, ConflictError, "is a Text asset and stays so"),
        ("SAP", {"username": SecretStr("other")}, InvalidError, "needs its password too"),
    ],
)
async def test_a_change_that_the_platform_would_refuse_is_not_sent(
    erp: Adapter, requests: Requests, name: str, fields: Mapping[str, SecretStr], kind: type[RemoteError], told: str
) -> None:
    with pytest.raises(kind, match=told):
        await erp.credentials.put(name, fields)
    assert requests(CHANGE) == []


@pytest.mark.parametrize(
    ("members", "kind", "told"),
    [
        ({"CredentialUsername": ""}, InvalidError, "the username of 'SAP' cannot be read"),
        ({"ExternalName": "vault/sap"}, ConflictError, "kept in an external store as 'vault/sap'"),
    ],
)
async def test_a_password_alone_is_not_written_where_it_would_lose_the_rest(
    script: Any, members: dict[str, Any], kind: type[RemoteError], told: str
) -> None:
    script.page(ROW)
    script.answer(ROW | members)

    with pytest.raises(kind, match=told):
        await scripted(script).put("SAP", {"password": SecretStr(CANARY)})


@pytest.mark.parametrize("kind", [FaultKind.CUT, FaultKind.TRUNCATE, FaultKind.HTML])
async def test_a_new_credential_whose_answer_is_lost_is_made_once_and_holds_what_was_put(
    sandbox: Sandbox, as_robot: Adapter, requests: Requests, kind: FaultKind
) -> None:
    sandbox.faults.add(Fault(kind, match=MAKE, when=When.AFTER))

    made = await as_robot.credentials.put("New", LOGIN)

    assert (await found(as_robot))["New"] == made
    assert (await as_robot.credentials.reveal("New")).fields == LOGIN
    assert sum(one.executed for one in requests(MAKE)) == 1


async def test_one_field_cannot_be_deleted_and_nothing_is_sent(sandbox: Sandbox, erp: Adapter) -> None:
    with pytest.raises(UnsupportedError, match="a credential asset is kept whole"):
        await erp.credentials.delete("SAP", key="password")
    assert sandbox.world.exchanges == []


async def test_a_deletion_whose_answer_is_lost_is_done(sandbox: Sandbox, erp: Adapter, requests: Requests) -> None:
    sandbox.faults.add(Fault(FaultKind.CUT, match=DELETE, when=When.AFTER))

    await erp.credentials.delete("ApiKey")

    assert [one.status for one in requests(DELETE)] == [None, 404]
    assert set(await found(erp)) == {"SAP"}


class Lines(logging.Handler):
    """Keeps every line, as it was meant before anything is masked."""

    def __init__(self) -> None:
        super().__init__(level=logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.getMessage()} {record.args!r} {record.exc_info!r}")


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """All that is logged, at the finest level."""
    handler, root = Lines(), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler.lines
    root.setLevel(before)
    root.removeHandler(handler)


async def test_no_secret_shows_in_values_errors_logs_or_the_list_of_requests(
    sandbox: Sandbox, as_robot: Adapter, robot_key: str, lines: list[str]
) -> None:
    shown: list[object] = [await as_robot.credentials.put("New", LOGIN)]
    shown.append(await as_robot.credentials.put("New", {"password": SecretStr(f"{CANARY}-2")}))
    shown += [await as_robot.credentials.reveal("New"), *(await found(as_robot)).values(), as_robot.credentials]
    sandbox.faults.add(Fault(FaultKind.STATUS, match=CHANGE, status=400, body=f'{{"message":"{ECHOED} is bad"}}'))
    with pytest.raises(InvalidError) as caught:
        await as_robot.credentials.put("New", {"password": SecretStr(ECHOED)})
    shown += [caught.value, caught.value.__cause__, caught.value.__context__, vars(as_robot.credentials)]
    shown += [*lines, *sandbox.world.exchanges]

    for one in shown:
        for text in (repr(one), str(one), repr(plain(one)) if not isinstance(one, BaseException) else ""):
            assert "canary" not in text
            assert robot_key not in text
    assert lines
    assert REDACTOR.clean(f"{CANARY}-2 canary-user") == "*** ***"
