"""Credentials: named secrets (UiPath: credential and secret assets · BotMaestro: credential set and its keys)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .features import Feature, Service, optional
from .model import Named, Neutral

if TYPE_CHECKING:
    from pydantic import SecretStr


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential(Named):
    """A credential's name and the names of its fields; never a value."""

    keys: tuple[str, ...] = ()
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevealedCredential(Neutral):
    """A credential's values. `repr` and `str` never show them."""

    name: str
    fields: Mapping[str, SecretStr]

    def __getitem__(self, key: str) -> SecretStr:
        return self.fields[key]


class CredentialService(Service):
    """Name, read and write secrets."""

    noun = "credentials"

    @abstractmethod
    def find(self) -> AsyncIterator[Credential]:
        """All credentials, without their values."""

    @optional(Feature.CREDENTIAL_REVEAL)
    async def reveal(self, name: str) -> RevealedCredential:
        """The credential's values. Raises NotFoundError, DeniedError."""
        raise NotImplementedError

    @optional(Feature.CREDENTIAL_PUT)
    async def put(self, name: str, fields: Mapping[str, SecretStr], *, description: str | None = None) -> Credential:
        """The credential, made or changed; fields that are not named stay as they are."""
        raise NotImplementedError

    @optional(Feature.CREDENTIAL_DELETE)
    async def delete(self, name: str, *, key: str | None = None) -> None:
        """Deletes one field, or without `key` the whole credential. Raises NotFoundError."""
        raise NotImplementedError
