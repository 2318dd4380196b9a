"""Credentials: named secrets. The file holds them in clear; its rights (0600) are their only guard."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Iterable, Mapping

from pydantic import SecretStr

from rpa_bridge.clock import Clock
from rpa_bridge.contract.credentials import Credential, CredentialService, RevealedCredential
from rpa_bridge.helpers.checks import check_name
from rpa_bridge.redaction import REDACTOR

from .database import Database
from .errors import not_found
from .wire import LIMITS


class LocalCredentials(CredentialService):
    """Credentials and their fields."""

    def __init__(self, adapter_name: str, clock: Clock, database: Database) -> None:
        super().__init__(adapter_name, clock)
        self._database = database

    async def find(self) -> AsyncIterator[Credential]:
        rows = self._database.rows(
            "SELECT *, (SELECT json_group_array(key) FROM credential_fields WHERE credential_id = credentials.id)"
            " AS keys FROM credentials WHERE id > :last ORDER BY id LIMIT :page"
        )
        async for row in rows:
            yield _credential(row, json.loads(row["keys"]))

    async def reveal(self, name: str) -> RevealedCredential:
        values = await self._database.read(lambda db: _fields(db, _row(db, name)["id"]))
        for value in values.values():
            REDACTOR.add(value)
        return RevealedCredential(name=name, fields={key: SecretStr(value) for key, value in values.items()})

    async def put(self, name: str, fields: Mapping[str, SecretStr], *, description: str | None = None) -> Credential:
        check_name("credentials.put", "credential", name, LIMITS)
        values = {key: secret.get_secret_value() for key, secret in fields.items()}
        for value in values.values():
            REDACTOR.add(value)

        def put(db: sqlite3.Connection) -> Credential:
            row = db.execute(
                "INSERT INTO credentials (name, description) VALUES (?, ?)"
                " ON CONFLICT (name) DO UPDATE SET description = coalesce(excluded.description, description)"
                " RETURNING *",
                (name, description),
            ).fetchone()
            db.executemany(
                "INSERT INTO credential_fields VALUES (?, ?, ?)"
                " ON CONFLICT (credential_id, key) DO UPDATE SET value = excluded.value",
                [(row["id"], key, value) for key, value in values.items()],
            )
            return _credential(row, _fields(db, row["id"]))

        return await self._database.write(put)

    async def delete(self, name: str, *, key: str | None = None) -> None:
        def delete(db: sqlite3.Connection) -> None:
            number = _row(db, name)["id"]
            if key is None:
                db.execute("DELETE FROM credentials WHERE id = ?", (number,))
            elif not db.execute(
                "DELETE FROM credential_fields WHERE credential_id = ? AND key = ?", (number, key)
            ).rowcount:
                raise not_found(f"field of credential {name!r} named", key, _fields(db, number))

        await self._database.write(delete)


def _row(db: sqlite3.Connection, name: str) -> sqlite3.Row:
    row: sqlite3.Row | None = db.execute("SELECT * FROM credentials WHERE name = ?", (name,)).fetchone()
    if row is None:
        known = [one["name"] for one in db.execute("SELECT name FROM credentials LIMIT 1000")]
        raise not_found("credential", name, known)
    return row


def _fields(db: sqlite3.Connection, credential_id: int) -> dict[str, str]:
    found = db.execute(
        "SELECT key, value FROM credential_fields WHERE credential_id = ? ORDER BY key", (credential_id,)
    )
    return {row["key"]: row["value"] for row in found}


def _credential(row: sqlite3.Row, keys: Iterable[str]) -> Credential:
    return Credential(id=str(row["id"]), name=row["name"], keys=tuple(sorted(keys)), description=row["description"])
