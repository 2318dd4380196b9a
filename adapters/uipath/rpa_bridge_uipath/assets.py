"""Assets: shared settings. Those that are secret are credentials. docs: uipath.md 3.11 and 5.5"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from rpa_bridge.clock import Clock
from rpa_bridge.contract.assets import Asset, AssetService, AssetValue
from rpa_bridge.contract.features import Limits
from rpa_bridge.errors import ConflictError, NotFoundError, ProtocolError, RemoteError
from rpa_bridge.helpers.checks import check_name, refuse
from rpa_bridge.transport.base import Effect
from rpa_bridge.transport.reconcile import afterwards

from . import odata
from .client import Client
from .mapping import assets as mapping
from .wire.assets import AssetDto

LIMITS = Limits(name_length=256)  # docs: uipath.md 6 "Sizes"
LONGEST_DESCRIPTION = 250
LONGEST_TEXT = 1_000_000
INTEGERS = range(-(2**31), 2**31)
PLAIN = "Assets"
"""The list of all servers: newer ones leave Secret assets out of it."""
FILTERED = f"Assets/{odata.ACTION}GetFiltered"
"""The list of newer servers: it leaves usernames empty."""
OTHER_TYPE = "AssetTypeNonUpdatable"
NAME_TAKEN, BAD_QUERY = "1001", "1000"
"""docs: uipath.md 5.2"""
_NARROWER = {"UserValues,RobotValues": "UserValues", "UserValues": "RobotValues"}
"""What to expand on a server that refuses it: classic folders have robots' values, modern ones users'."""


class UiPathAssets(AssetService):
    """Shared settings by name. A value is everybody's; `robot_values` of single accounts stay as they are."""

    def __init__(self, clock: Clock, rows: AssetRows) -> None:
        super().__init__("uipath", clock)
        self._rows = rows

    async def find(self) -> AsyncIterator[Asset]:
        async for row in self._rows.find("assets.find"):
            if not mapping.is_credential(row):
                yield mapping.asset(row)

    async def get(self, name: str) -> Asset:
        return mapping.asset(await self._asset(name, "assets.get"))

    async def put(self, name: str, value: AssetValue, *, description: str | None = None) -> Asset:
        operation = "assets.put"
        check_asset(operation, "asset", name, description)
        members = _members(operation, value)
        row = await self._rows.named(name, operation)
        if row is None:
            return await self._make(mapping.new(name, members, description), operation)
        _check_type(row, members["ValueType"], operation)
        read = await self._rows.read(row, operation)
        return mapping.asset(await self._rows.write(read, mapping.changed(read, members, description), operation))

    async def delete(self, name: str) -> None:
        operation = "assets.delete"
        await self._rows.delete(await self._asset(name, operation), operation)

    async def _make(self, body: Mapping[str, Any], operation: str) -> Asset:
        row, is_ours = await self._rows.make(body, operation)
        if not is_ours and any(row.raw.get(name) != value for name, value in body.items()):
            raise ConflictError(
                f"{operation}: somebody else has just made the asset {row.Name!r}, with another value; "
                f"look at it before you put it again",
                operation=operation,
            )
        return mapping.asset(row)

    async def _asset(self, name: str, operation: str) -> AssetDto:
        check_asset(operation, "asset", name)
        row = await self._rows.named(name, operation)
        if row is None:
            raise no_asset(operation, "asset", name, "assets")
        if mapping.is_credential(row):
            raise NotFoundError(f"{operation}: {name!r} is a credential; use credentials for it", operation=operation)
        return row


@dataclass(frozen=True, slots=True)
class _Way:
    """How a server is asked: first as the newest are, then as it can answer."""

    collection: str = FILTERED
    expand: str = "UserValues,RobotValues"

    def older(self, error: RemoteError) -> _Way | None:
        """How to ask a server that answered so; None where it is not its age."""
        if lacks(error) and self.collection == FILTERED:
            return replace(self, collection=PLAIN)
        if error.code == BAD_QUERY and self.expand in _NARROWER:
            return replace(self, expand=_NARROWER[self.expand])
        return None


class AssetRows:
    """The folder's assets as they are, of all types, for the two nouns that they are to us."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._way = _Way()

    async def find(self, operation: str, condition: str = "") -> AsyncIterator[AssetDto]:
        """All of them by id, with the values of single robots."""
        seen = False
        while True:
            way = self._way
            try:
                async for row in self._list(way.collection, operation, condition, way.expand):
                    seen = True
                    yield row
            except RemoteError as error:
                older = way.older(error)
                if seen or older is None:
                    raise
                self._way = older
            else:
                return

    async def credentials(self, operation: str) -> AsyncIterator[AssetDto]:
        """Those that are credentials. Each list hides some, and is asked for what it shows. docs: uipath.md 7, 10"""
        with_password = odata.any_of("ValueType", [mapping.CREDENTIAL, mapping.WINDOWS_CREDENTIAL])
        try:
            async for row in self._list(PLAIN, operation, with_password):
                yield row
        except RemoteError as error:
            if not lacks(error):  # the plain list is deprecated: some day it will be gone
                raise
            async for row in self.find(operation, with_password):
                yield row
        try:
            async for row in self._list(FILTERED, operation, odata.where("ValueType", "eq", mapping.SECRET)):
                yield row
        except RemoteError as error:
            if not lacks(error):  # an older server, without Secret assets
                raise

    async def named(self, name: str, operation: str) -> AssetDto | None:
        """The asset of this name, whatever its case; None when there is none."""
        rows = self.find(operation, odata.where("Name", "eq", name))
        same = [row async for row in rows if row.Name.casefold() == name.casefold()]
        return same[0] if same else None

    async def read(self, row: AssetDto, operation: str) -> AssetDto:
        """The asset whole: what has to be written again when something of it changes."""
        path = odata.entity("Assets", row.Id)
        read = await self._client.read(AssetDto, path, operation=operation, expand=self._way.expand)
        if read.Id != row.Id:
            raise ProtocolError(f"{operation}: asked for asset {row.Id}, got {read.Id}", operation=operation)
        return read

    async def make(self, body: Mapping[str, Any], operation: str) -> tuple[AssetDto, bool]:
        """The new asset, and True; or after a lost answer the one that now has its name, and False.

        Raises ConflictError when the name was taken before.
        """
        name = str(body["Name"])

        async def send() -> tuple[AssetDto, bool]:
            try:
                answer = await self._client.call(
                    "POST", "/odata/Assets", effect=Effect.KEYED, operation=operation, json=body
                )
            except ConflictError as error:
                with afterwards():
                    found = await look_up() if error.uncertain_before and error.code == NAME_TAKEN else None
                if found is None:
                    raise
                return found
            made = AssetDto.of(answer, operation)
            if made.Name.casefold() != name.casefold():
                raise ProtocolError(f"{operation}: the answer does not name our asset", operation=operation)
            return made, True

        async def look_up() -> tuple[AssetDto, bool] | None:
            found = await self.named(name, operation)
            return None if found is None else (found, False)

        what = f"an asset named {name!r}"
        return await self._client.effects.once(send, look_up, operation=operation, what=what)

    async def write(self, read: AssetDto, body: Mapping[str, Any], operation: str) -> AssetDto:
        """The asset after this body has replaced it; read again, since older servers lose values without a word."""
        path = odata.entity("Assets", read.Id)
        await self._client.call("PUT", path, effect=Effect.SET, operation=operation, json=body)
        with afterwards():
            after = await self.read(read, operation)
        if body.get("HasDefaultValue") and not mapping.has_default(after):  # docs: uipath.md 3.11, write traps
            raise ConflictError(
                f"{operation}: the platform dropped the value of {read.Name!r}, as older servers do when an account "
                f"among its robots' values is gone; take that value away in the portal, then put it again",
                operation=operation,
            )
        return after

    async def delete(self, row: AssetDto, operation: str) -> None:
        """Deletes it. Raises NotFoundError."""
        try:
            await self._client.call("DELETE", odata.entity("Assets", row.Id), effect=Effect.SET, operation=operation)
        except NotFoundError as error:
            if not error.uncertain_before:  # a repeat after a lost answer finds it gone: that is what was asked for
                raise

    def _list(self, collection: str, operation: str, condition: str, expand: str = "") -> AsyncIterator[AssetDto]:
        return self._client.all_rows(AssetDto, collection, operation=operation, condition=condition, expand=expand)


def lacks(error: RemoteError) -> bool:
    """Whether the server does not know the operation at all."""
    return error.status in (404, 405)


def check_asset(operation: str, what: str, name: str, description: str | None = None) -> None:
    """Refuses a name or a description that no asset can have."""
    check_name(operation, what, name, LIMITS)
    if description is not None and len(description) > LONGEST_DESCRIPTION:
        raise refuse(operation, f"the description has {len(description)} characters; at most {LONGEST_DESCRIPTION} fit")


def no_asset(operation: str, what: str, name: str, noun: str) -> NotFoundError:
    """The error for a name that nothing has."""
    return NotFoundError(
        f"{operation}: there is no {what} {name!r} in this folder; `rpa-bridge {noun} list` shows what there is",
        operation=operation,
    )


def _members(operation: str, value: AssetValue) -> dict[str, Any]:
    members = mapping.value_members(value)
    if not members:
        raise refuse(
            operation, f"a {type(value).__name__} is no value of an asset; give text, a whole number or a bool"
        )
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        raise refuse(operation, f"the text has {len(value)} characters; at most {LONGEST_TEXT} fit")
    if isinstance(value, int) and value not in INTEGERS:
        raise refuse(operation, f"{value} is no integer of 32 bits, which is what fits; put it as text")
    return members


def _check_type(row: AssetDto, kind: str, operation: str) -> None:
    """docs: uipath.md 3.11: the type of an asset cannot be changed"""
    if row.ValueType != kind:
        raise ConflictError(
            f"{operation}: {row.Name!r} is of type {row.ValueType}, and this value is {kind}; "
            f"convert the value, or delete the asset first",
            code=OTHER_TYPE,
            operation=operation,
        )
