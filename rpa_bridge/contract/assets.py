"""Assets: shared settings that automations read (UiPath: asset · BotMaestro: none)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from enum import StrEnum

from .features import Feature, Service, optional
from .model import Named

AssetValue = str | int | bool


class AssetType(StrEnum):
    """What kind of value an asset holds; OTHER is readable only in `raw_data`."""

    TEXT = "text"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset(Named):
    """A shared setting. Secrets are not assets here: see credentials.

    `robot_values` are values that only one robot's account gets instead, by the account's name.
    """

    type: AssetType
    value: AssetValue | None
    description: str | None = None
    robot_values: dict[str, AssetValue] = field(default_factory=dict)


class AssetService(Service):
    """Read and write shared settings."""

    noun = "assets"

    @abstractmethod
    async def get(self, name: str) -> Asset:
        """The asset. Raises NotFoundError."""

    @abstractmethod
    def find(self) -> AsyncIterator[Asset]:
        """All assets that are not secrets."""

    @optional(Feature.ASSET_PUT)
    async def put(self, name: str, value: AssetValue, *, description: str | None = None) -> Asset:
        """The asset, made or changed. Raises ConflictError when it exists with another type."""
        raise NotImplementedError

    @optional(Feature.ASSET_DELETE)
    async def delete(self, name: str) -> None:
        """Deletes the asset. Raises NotFoundError."""
        raise NotImplementedError
