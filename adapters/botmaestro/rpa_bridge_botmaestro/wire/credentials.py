"""Credential sets. docs: botmaestro.md 8"""

from __future__ import annotations

from pydantic import SecretStr

from rpa_bridge.transport.decode import WireModel


class Secret(WireModel):
    """One key of a set, with its value in clear where the platform shows it."""

    key: str
    value: SecretStr | None = None
    valid: bool | None = None


class CredentialSet(WireModel):
    """A set. Its raw form is never passed on: it holds every value."""

    label: str
    secrets: list[Secret] | None = None

    def has(self, key: str) -> bool:
        """Whether it has this key."""
        return any(one.key == key for one in self.secrets or ())
