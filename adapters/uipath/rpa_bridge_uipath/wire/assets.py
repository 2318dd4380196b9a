"""Assets, which hold shared settings and credentials alike. docs: uipath.md 3.11"""

from __future__ import annotations

from pydantic import Field, SecretStr

from rpa_bridge.transport.decode import WireModel

from .lists import Numbered


class AssetValueDto(WireModel):
    """A value: which member holds it is told by the asset's `ValueType`."""

    StringValue: str | None = None
    BoolValue: bool | None = None
    IntValue: int | None = None


class UserValueDto(AssetValueDto):
    """A value that one account gets instead, perhaps on one machine only."""

    UserName: str | None = None
    UserId: int | None = None
    MachineName: str | None = None
    MachineId: int | None = None


class RobotValueDto(AssetValueDto):
    """A value that one robot of a classic folder gets instead."""

    RobotName: str | None = None
    RobotId: int | None = None


class AssetDto(Numbered, AssetValueDto):
    """An asset. Its password and its secret go in and never come out."""

    Name: str
    ValueScope: str | None = None
    ValueType: str
    HasDefaultValue: bool | None = None
    CredentialUsername: str | None = None
    ExternalName: str | None = None
    Description: str | None = None
    UserValues: list[UserValueDto] | None = None
    RobotValues: list[RobotValueDto] | None = None


class ConnectionData(WireModel):
    """Where a robot has to ask for the secret itself: at a proxy that Orchestrator cannot reach."""

    url: SecretStr | None = None


class RobotAssetDto(WireModel):
    """An asset as a robot gets it: with what is secret."""

    Name: str
    ValueType: str
    CredentialUsername: SecretStr | None = None
    CredentialPassword: SecretStr | None = None
    SecretValue: SecretStr | None = None
    ConnectionData_: ConnectionData | None = Field(default=None, alias="ConnectionData")
