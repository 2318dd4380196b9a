"""What assets hold: read from bodies, kept by their type, and shown without what is secret. docs: uipath.md 3.11"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from .bodies import Members, flag, free, guid, instant, many, nested, one_of, text, whole
from .entities import Row
from .errors import RefusalError, invalid_argument, refusal

VALUE_TYPES = (
    "DBConnectionString", "HttpConnectionString", "Text", "Bool", "Integer", "Credential", "WindowsCredential",
    "KeyValueList", "Secret",
)  # fmt: skip
VALUE_SCOPES = ("Global", "PerRobot")
ID = whole(0, 2**63)

VALUE: Members = {
    "ValueType": one_of(*VALUE_TYPES),
    "StringValue": text(1_000_000),
    "BoolValue": flag,
    "IntValue": whole(-(2**31), 2**31 - 1),
    "CredentialUsername": text(512),
    "CredentialPassword": text(25_000),
    "SecretValue": text(25_000),
    "ExternalName": text(450),
    "CredentialStoreId": ID,
    "KeyValueList": many(nested({"Key": text(), "Value": text()})),
}
USER_VALUE: Members = {
    **VALUE,
    "Name": text(),
    "UserId": ID,
    "UserName": text(),
    "MachineId": ID,
    "MachineName": text(),
    "Value": text(),
    "Id": ID,
}
ASSET: Members = {
    **VALUE,
    "Name": text(256),
    "Description": text(250),
    "ValueScope": one_of(*VALUE_SCOPES),
    "HasDefaultValue": flag,
    "UserValues": many(nested(USER_VALUE)),
    "RobotValues": many(free),
    "Tags": many(free),
    # told by the server; taken from bodies and forgotten, so that what was read can be written
    "Key": guid,
    "CanBeDeleted": flag,
    "Value": text(),
    "FoldersCount": ID,
    "LastModificationTime": instant,
    "LastModifierUserId": ID,
    "CreationTime": instant,
    "CreatorUserId": ID,
    "Id": ID,
}

_NO_VALUE: Row = {
    "StringValue": "",
    "BoolValue": False,
    "IntValue": 0,
    "CredentialUsername": "",
    "CredentialPassword": "",
    "SecretValue": "",
    "ExternalName": None,
    "CredentialStoreId": None,
    "KeyValueList": [],
}
_SECRETS = {"Credential": "CredentialPassword", "WindowsCredential": "CredentialPassword", "Secret": "SecretValue"}
_PLAIN = {"Bool": "BoolValue", "Integer": "IntValue", "KeyValueList": "KeyValueList"}
_STORED = ("ExternalName", "CredentialStoreId")


def value(kind: str, given: Row, before: Row | None) -> Row:
    """What is kept of a value of this type.

    A secret that is not given stays as it was `before`, for the same username. Raises a 400 with 1500 when there is
    none. docs: uipath.md 3.11, write traps
    """
    kept = {"ValueType": kind} | _NO_VALUE | {name: given[name] for name in _members(kind) if name in given}
    secret = _SECRETS.get(kind)
    if secret is None or kept[secret] or kept["ExternalName"]:
        return kept
    if before is None or not before[secret] or kept["CredentialUsername"] != before["CredentialUsername"]:
        raise refusal(400, 1500, f"The {secret} is missing.")
    return kept | {secret: before[secret]}


def no_value(kind: str) -> Row:
    """What an asset of this type holds that has no value for everybody."""
    return {"ValueType": kind} | _NO_VALUE


def has_value(given: Row) -> bool:
    """Whether a body brings a value for everybody."""
    return any(name in given for name in _members(given["ValueType"]))


def check_type(kind: str, wanted: str) -> None:
    """Raises a 400 for another type than the asset's. docs: uipath.md 3.11: ValueType cannot be changed"""
    if wanted != kind:
        raise invalid_argument("ValueType", f"It is {kind} and stays so (AssetTypeNonUpdatable).")


def without_secret(row: Row) -> Row:
    """The same, with its secret members empty."""
    return row | {"CredentialPassword": "", "SecretValue": ""}


def shown(row: Row) -> Row:
    """An asset, or one user's value of it, as everybody may see it."""
    return without_secret(row) | {"Value": _display(row)}


def revealed(asset: Row, held: Row) -> Row:
    """What a robot gets: a value of the asset, with its secret. Raises a 400 for one kept in an outer store."""
    secret = _SECRETS.get(held["ValueType"])
    if secret is not None and not held[secret]:
        raise _unreadable_store()
    members = {name: held[name] for name in ("ValueType", *_NO_VALUE)}
    return {"Name": asset["Name"], **members, "ConnectionData": None, "Id": asset["Id"]}


def value_of_robot(asset: Row, robot: Row) -> Row | None:
    """The value that holds for a robot, if any: its user's on its machine, its user's on any, or everybody's."""
    if asset["ValueScope"] == "PerRobot":
        mine = own_values(asset["UserValues"], robot)
        if mine:
            return max(mine, key=lambda one: one["MachineId"] is not None)
    return asset if asset["HasDefaultValue"] else None


def own_values(values: Iterable[Row], robot: Row) -> list[Row]:
    """The users' values that a robot could get."""
    return [
        one for one in values if one["UserId"] == robot["UserId"] and one["MachineId"] in (None, robot["MachineId"])
    ]


def _members(kind: str) -> tuple[str, ...]:
    if kind == "Secret":
        return ("SecretValue", *_STORED)
    if kind in _SECRETS:
        return ("CredentialUsername", "CredentialPassword", *_STORED)
    return (_PLAIN.get(kind, "StringValue"),)


def _display(row: Row) -> str:
    """docs: uipath.md 3.11: `Value` is computed, for people"""
    kind = row["ValueType"]
    if kind in _SECRETS or not row.get("HasDefaultValue", True):
        return ""
    held: Any = row[_members(kind)[0]]
    return json.dumps(held, ensure_ascii=False) if isinstance(held, list) else str(held)


def _unreadable_store() -> RefusalError:
    """docs: uipath.md 3.11 and 5.2; the sandbox has no store but its own"""
    return refusal(400, 2304, "The credential store cannot be read.")
