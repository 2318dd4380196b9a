"""Who may log in, and the credentials that runs may read."""

from __future__ import annotations

from pydantic import Field

from .base import ORGANIZATION, REPOSITORY, Record


class Organization(Record):
    """Who may log in. The login is a code, not the label. docs: botmaestro.md 1 "Headers" """

    label: str = ORGANIZATION
    name: str = "Acme"
    login: str = "acme-robots-4711"
    key: str = "acme-sandbox-key-of-loopback"


class Secret(Record):
    """One key of a credential set."""

    key: str
    value: str
    valid: bool = True


class Credential(Record):
    """A credential set. docs: botmaestro.md 8"""

    label: str
    secrets: list[Secret] = Field(default_factory=list)
    organization_label: str = ORGANIZATION
    repository_label: str = REPOSITORY

    def secret(self, key: str) -> Secret | None:
        """The secret of this key."""
        return next((one for one in self.secrets if one.key == key), None)
