"""Assets in neutral words: as shared settings, and those that are secret as credentials. docs: uipath.md 3.11"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import SecretStr

from rpa_bridge.contract.assets import Asset, AssetType, AssetValue
from rpa_bridge.contract.credentials import Credential
from rpa_bridge_uipath.wire.assets import AssetDto, AssetValueDto, RobotAssetDto, RobotValueDto, UserValueDto

ASSET_TYPES: dict[str, AssetType] = {
    "Text": AssetType.TEXT,
    "Integer": AssetType.INTEGER,
    "Bool": AssetType.BOOLEAN,
    "DBConnectionString": AssetType.OTHER,
    "HttpConnectionString": AssetType.OTHER,
    "KeyValueList": AssetType.OTHER,
}
"""Types that are shared settings."""
CREDENTIAL, WINDOWS_CREDENTIAL, SECRET = "Credential", "WindowsCredential", "Secret"
_LOGIN_FIELDS = {"username": "CredentialUsername", "password": "CredentialPassword"}
CREDENTIAL_FIELDS: dict[str, dict[str, str]] = {
    CREDENTIAL: _LOGIN_FIELDS,
    WINDOWS_CREDENTIAL: _LOGIN_FIELDS,
    SECRET: {"secret": "SecretValue"},
}
"""Types that are credentials: their fields, and the members that hold them."""
_HIDDEN = frozenset({"CredentialPassword", "SecretValue"})
_COMPUTED = frozenset({"Value"})
_VALUES: tuple[tuple[type, str, str], ...] = (  # a bool is an int, too: it goes first
    (bool, "Bool", "BoolValue"),
    (int, "Integer", "IntValue"),
    (str, "Text", "StringValue"),
)


def value_members(value: AssetValue) -> dict[str, Any]:
    """The members that hold a value, its type among them; empty for a value that no asset can hold."""
    for kind, word, member in _VALUES:
        if isinstance(value, kind):
            return {"ValueType": word, member: value}
    return {}


def secret_members(kind: str, fields: Mapping[str, str]) -> dict[str, Any]:
    """The members that hold these fields of a credential."""
    return {CREDENTIAL_FIELDS[kind][name]: value for name, value in fields.items()}


def is_credential(dto: AssetDto) -> bool:
    """Whether the asset is a credential in neutral words."""
    return dto.ValueType in CREDENTIAL_FIELDS


def has_default(dto: AssetDto) -> bool:
    """Whether there is a value for everybody; older servers do not say."""
    return dto.ValueScope != "PerRobot" if dto.HasDefaultValue is None else dto.HasDefaultValue


def asset(dto: AssetDto) -> Asset:
    """The asset in neutral words; one of which only single robots have a value has none."""
    return Asset(
        id=str(dto.Id),
        name=dto.Name,
        type=ASSET_TYPES.get(dto.ValueType, AssetType.OTHER),
        value=_value(dto, dto.ValueType) if has_default(dto) else None,
        description=dto.Description or None,
        robot_values=dict(_robot_values(dto)),
        raw_data=dto.raw,
    )


def credential(dto: AssetDto) -> Credential:
    """The credential in neutral words, without what is secret even if a server should tell it."""
    return Credential(
        id=str(dto.Id),
        name=dto.Name,
        keys=tuple(CREDENTIAL_FIELDS[dto.ValueType]),
        description=dto.Description or None,
        raw_data=_without(_HIDDEN, dto.raw),
    )


def revealed(dto: RobotAssetDto) -> dict[str, SecretStr]:
    """The fields of a credential, as a robot gets them; one that did not come is empty."""
    nothing = SecretStr("")
    if dto.ValueType == SECRET:
        return {"secret": dto.SecretValue or nothing}
    return {"username": dto.CredentialUsername or nothing, "password": dto.CredentialPassword or nothing}


def new(name: str, members: Mapping[str, Any], description: str | None) -> dict[str, Any]:
    """The body that makes an asset with one value, for everybody."""
    return {"Name": name, "ValueScope": "Global", **members, **_described(description)}


def changed(dto: AssetDto, members: Mapping[str, Any], description: str | None) -> dict[str, Any]:
    """The body that replaces an asset by itself with these members.

    It holds all that was read, the values of single robots too: what a body leaves out is gone. Only secrets stay
    when they are left out, and they cannot be read.
    """
    default = {"HasDefaultValue": True} if members else {}
    return {**_without(_HIDDEN | _COMPUTED, dto.raw), **members, **default, **_described(description)}


def _described(description: str | None) -> dict[str, str]:
    return {} if description is None else {"Description": description}


def _without(names: frozenset[str], read: Mapping[str, Any]) -> dict[str, Any]:
    """What was read without these members and OData's notes, in the values of single robots too."""
    return {
        name: [_without(names, one) for one in value] if name in ("UserValues", "RobotValues") and value else value
        for name, value in read.items()
        if name not in names and "@odata." not in name
    }


def _value(dto: AssetValueDto, kind: str) -> AssetValue | None:
    if kind == "Text":
        return dto.StringValue or ""
    if kind == "Integer":
        return dto.IntValue or 0
    return bool(dto.BoolValue) if kind == "Bool" else None


def _robot_values(dto: AssetDto) -> Iterator[tuple[str, AssetValue]]:
    for one in (*(dto.UserValues or ()), *(dto.RobotValues or ())):
        value = _value(one, dto.ValueType)
        if value is not None:
            yield _account(one), value


def _account(one: UserValueDto | RobotValueDto) -> str:
    if isinstance(one, RobotValueDto):
        return one.RobotName or str(one.RobotId)
    account, machine = one.UserName or str(one.UserId), one.MachineName or one.MachineId
    return account if machine is None else f"{account} on {machine}"
