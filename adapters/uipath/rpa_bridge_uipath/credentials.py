"""Credentials: assets that hold a login or a secret. docs: uipath.md 3.11 and 5.5"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from pydantic import SecretStr

from rpa_bridge.clock import Clock
from rpa_bridge.contract.credentials import Credential, CredentialService, RevealedCredential
from rpa_bridge.errors import (
    ConflictError,
    DeniedError,
    InvalidError,
    NotFoundError,
    ProtocolError,
    RemoteError,
    UnsupportedError,
)
from rpa_bridge.helpers.checks import refuse
from rpa_bridge.redaction import REDACTOR
from rpa_bridge.transport.base import Effect

from . import odata
from .assets import OTHER_TYPE, AssetRows, check_asset, no_asset
from .client import Client
from .mapping import assets as mapping
from .wire.assets import AssetDto, RobotAssetDto

LONGEST = {"username": 512, "password": 25_000, "secret": 25_000}
"""Characters. docs: uipath.md 3.11"""
PLACEHOLDERS = frozenset({"!!!PLEASE UPDATE!!!"})
"""What a move of assets without their secrets leaves in their place. docs: uipath.md 6"""
EXPLAINED = frozenset({"1100", "1101", "2304"})
"""Codes of refusals that are not about who asks: the folder, and a store out of reach. docs: uipath.md 5.2"""
FIELDS = "username and password, or secret alone"


class UiPathCredentials(CredentialService):
    """Credential assets by name. Their secrets go in; out they come for robots, and where an asset is opened to all."""

    def __init__(self, client: Client, clock: Clock, rows: AssetRows, robot_key: SecretStr | None) -> None:
        super().__init__("uipath", clock)
        self._client, self._rows, self._robot_key = client, rows, robot_key

    async def find(self) -> AsyncIterator[Credential]:
        async for row in self._rows.credentials("credentials.find"):
            if mapping.is_credential(row):
                yield mapping.credential(row)

    async def reveal(self, name: str) -> RevealedCredential:
        """The credential's values, as the robot of `robot_key` gets them, or as everybody does.

        Raises NotFoundError, DeniedError, and ConflictError for one that holds a placeholder.
        """
        operation = "credentials.reveal"
        check_asset(operation, "credential", name)
        path = f"/odata/Assets/{odata.ACTION}GetRobotAssetByNameForRobotKey"
        asked: dict[str, Any] = {"assetName": name, "supportsCredentialsProxyDisconnected": True}
        if self._robot_key is not None:
            asked["robotKey"] = self._robot_key.get_secret_value()
        try:
            answer = await self._client.call("POST", path, effect=Effect.READ, operation=operation, json=asked)
        except (ConflictError, DeniedError, InvalidError, NotFoundError) as error:
            refused = error
        else:
            return _revealed(RobotAssetDto.of(answer, operation), name, operation)
        raise await self._refusal(name, refused, operation)

    async def put(self, name: str, fields: Mapping[str, SecretStr], *, description: str | None = None) -> Credential:
        operation = "credentials.put"
        check_asset(operation, "credential", name, description)
        values = _values(operation, fields)
        row = await self._rows.named(name, operation)
        if row is None:
            body = mapping.new(name, _new_members(operation, values), description)
            row, is_ours = await self._rows.make(body, operation)
            if is_ours:
                return mapping.credential(row)
            # Whether its secret is ours cannot be read back: it is written once more, which ends the same either way.
        return await self._change(row, values, description, operation)

    async def delete(self, name: str, *, key: str | None = None) -> None:
        operation = "credentials.delete"
        if key is not None:
            hint = "a credential asset is kept whole: put another value, or delete all of it"
            raise UnsupportedError("credentials.delete of one field", adapter="uipath", hint=hint)
        check_asset(operation, "credential", name)
        await self._rows.delete(await self._credential(name, operation), operation)

    async def _change(
        self, row: AssetDto, values: Mapping[str, str], description: str | None, operation: str
    ) -> Credential:
        known = mapping.CREDENTIAL_FIELDS.get(row.ValueType)
        if known is None:
            raise ConflictError(
                f"{operation}: {row.Name!r} is a {row.ValueType} asset and stays so; choose another name",
                code=OTHER_TYPE,
                operation=operation,
            )
        if not set(values) <= set(known):
            raise refuse(operation, f"{row.Name!r} is a {row.ValueType} and has only: {', '.join(known)}")
        read = await self._rows.read(row, operation)
        if values:
            _check_change(read, values, operation)
        body = mapping.changed(read, mapping.secret_members(row.ValueType, values), description)
        return mapping.credential(await self._rows.write(read, body, operation))

    async def _credential(self, name: str, operation: str) -> AssetDto:
        row = await self._rows.named(name, operation)
        if row is None:
            raise no_asset(operation, "credential", name, "credentials")
        if not mapping.is_credential(row):
            raise _is_no_credential(operation, name)
        return row

    async def _refusal(self, name: str, refused: RemoteError, operation: str) -> RemoteError:
        """What a refused look at a secret means. Raises NotFoundError where there is no such credential."""
        if refused.code in EXPLAINED:
            return refused
        await self._credential(name, operation)
        told = str(refused).removeprefix(f"{operation}: ")
        if isinstance(refused, DeniedError):  # docs: uipath.md 7, 18: a POST, it wants more than reading does
            mend = "it takes the scope OR.Assets or OR.Assets.Write, and Assets.View in the folder"
        elif self._robot_key is not None:
            mend = "robot_key in the settings must be the key of a robot of this identity, with a value in this folder"
        else:
            mend = (
                "a robot of this folder can read it while it runs, with its own key as robot_key in the settings; "
                "others only where the asset allows direct API access"
            )
        return DeniedError(
            f"{operation}: Orchestrator does not reveal {name!r} to this identity ({told}); {mend}",
            status=refused.status,
            code=refused.code,
            operation=operation,
            request_id=refused.request_id,
        )


def _revealed(dto: RobotAssetDto, name: str, operation: str) -> RevealedCredential:
    fields = mapping.revealed(dto)
    for value in fields.values():
        REDACTOR.add(value.get_secret_value())
    if dto.Name.casefold() != name.casefold():
        raise ProtocolError(f"{operation}: the answer does not name the credential {name!r}", operation=operation)
    if dto.ValueType not in mapping.CREDENTIAL_FIELDS:
        raise _is_no_credential(operation, name)
    if dto.ConnectionData_ is not None and dto.ConnectionData_.url is not None:
        raise DeniedError(
            f"{operation}: {name!r} is kept behind a disconnected credential proxy, which only robots ask; "
            f"read it in a run, or keep it in a store that Orchestrator reaches",
            operation=operation,
        )
    hidden = fields["secret" if "secret" in fields else "password"].get_secret_value()
    if not hidden:
        raise DeniedError(
            f"{operation}: the platform names {name!r} but keeps its secret back; "
            f"give the key of a robot of this identity as robot_key in the settings",
            operation=operation,
        )
    if hidden in PLACEHOLDERS:
        raise ConflictError(
            f"{operation}: {name!r} holds a placeholder and no secret; put the real one", operation=operation
        )
    return RevealedCredential(name=dto.Name, fields=fields)


def _values(operation: str, fields: Mapping[str, SecretStr]) -> dict[str, str]:
    """The fields' values. Raises InvalidError without naming what may have been written in the wrong place."""
    if not any(set(fields) <= set(known) for known in mapping.CREDENTIAL_FIELDS.values()):
        raise refuse(operation, f"a credential has the fields {FIELDS}; name these")
    values = {name: secret.get_secret_value() for name, secret in fields.items()}
    for name, value in values.items():
        REDACTOR.add(value)
        if not value:
            raise refuse(operation, f"the {name} is empty; give one, or leave the field out")
        if len(value) > LONGEST[name]:
            raise refuse(operation, f"the {name} has {len(value)} characters; at most {LONGEST[name]} fit")
    return values


def _new_members(operation: str, values: Mapping[str, str]) -> dict[str, Any]:
    """The members that hold a new credential's values. Raises InvalidError when one is missing."""
    for kind in (mapping.CREDENTIAL, mapping.SECRET):
        if set(values) == set(mapping.CREDENTIAL_FIELDS[kind]):
            return {"ValueType": kind, **mapping.secret_members(kind, values)}
    raise refuse(operation, f"a new credential needs {FIELDS}; give all of them")


def _check_change(read: AssetDto, values: Mapping[str, str], operation: str) -> None:
    """Refuses what the platform would: it forgets a password when the username changes. docs: uipath.md 3.11"""
    if read.ExternalName:
        raise ConflictError(
            f"{operation}: {read.Name!r} is kept in an external store as {read.ExternalName!r}; change it there",
            operation=operation,
        )
    if "password" in values and "username" not in values and not read.CredentialUsername:
        raise refuse(operation, f"the username of {read.Name!r} cannot be read, and must be written; give it too")
    if "username" in values and "password" not in values and values["username"] != read.CredentialUsername:
        raise refuse(operation, f"another username of {read.Name!r} needs its password too (1500); give both")


def _is_no_credential(operation: str, name: str) -> NotFoundError:
    return NotFoundError(f"{operation}: {name!r} is an asset and no credential; use assets for it", operation=operation)
