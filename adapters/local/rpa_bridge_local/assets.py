"""Assets: shared settings."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator

from rpa_bridge.clock import Clock
from rpa_bridge.contract.assets import Asset, AssetService, AssetType, AssetValue
from rpa_bridge.errors import ConflictError
from rpa_bridge.helpers.checks import check_name

from . import mapping
from .database import Database
from .errors import not_found
from .wire import LIMITS


class LocalAssets(AssetService):
    """Assets."""

    def __init__(self, adapter_name: str, clock: Clock, database: Database) -> None:
        super().__init__(adapter_name, clock)
        self._database = database

    async def get(self, name: str) -> Asset:
        return mapping.asset(await self._database.read(lambda db: _row(db, name)))

    async def find(self) -> AsyncIterator[Asset]:
        async for row in self._database.rows("SELECT * FROM assets WHERE id > :last ORDER BY id LIMIT :page"):
            yield mapping.asset(row)

    async def put(self, name: str, value: AssetValue, *, description: str | None = None) -> Asset:
        check_name("assets.put", "asset", name, LIMITS)
        values = {"name": name, "type": _type_of(value), "value": json.dumps(value), "description": description}

        def put(db: sqlite3.Connection) -> sqlite3.Row:
            kept = db.execute("SELECT type FROM assets WHERE name = :name", values).fetchone()
            if kept and kept["type"] != values["type"]:
                raise ConflictError(f"asset {name!r} is of type {kept['type']}; delete it first, or convert the value")
            row: sqlite3.Row = db.execute(
                "INSERT INTO assets (name, type, value, description) VALUES (:name, :type, :value, :description)"
                " ON CONFLICT (name) DO UPDATE SET value = excluded.value,"
                " description = coalesce(excluded.description, description) RETURNING *",
                values,
            ).fetchone()
            return row

        return mapping.asset(await self._database.write(put))

    async def delete(self, name: str) -> None:
        await self._database.write(lambda db: db.execute("DELETE FROM assets WHERE id = ?", (_row(db, name)["id"],)))


def _row(db: sqlite3.Connection, name: str) -> sqlite3.Row:
    row: sqlite3.Row | None = db.execute("SELECT * FROM assets WHERE name = ?", (name,)).fetchone()
    if row is None:
        raise not_found("asset", name, [one["name"] for one in db.execute("SELECT name FROM assets LIMIT 1000")])
    return row


def _type_of(value: AssetValue) -> AssetType:
    if isinstance(value, bool):  # which is an int, too
        return AssetType.BOOLEAN
    return AssetType.INTEGER if isinstance(value, int) else AssetType.TEXT
