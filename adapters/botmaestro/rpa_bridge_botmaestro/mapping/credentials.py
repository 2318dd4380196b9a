"""Credential sets in neutral words, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

from rpa_bridge.contract.credentials import Credential, RevealedCredential
from rpa_bridge.redaction import REDACTOR
from rpa_bridge_botmaestro.wire.credentials import CredentialSet, Secret


def credential(found: CredentialSet) -> Credential:
    """The set's label and keys."""
    return Credential(id=found.label, name=found.label, keys=tuple(one.key for one in found.secrets or ()))


def revealed(found: CredentialSet) -> RevealedCredential:
    """The set with its values."""
    fields = {one.key: one.value for one in found.secrets or () if one.value is not None}
    for value in fields.values():
        REDACTOR.add(value.get_secret_value())
    return RevealedCredential(name=found.label, fields=fields)


def holds(found: CredentialSet, fields: Mapping[str, SecretStr]) -> bool:
    """Whether the set has all these fields with these values."""
    values = revealed(found).fields
    return all(values.get(key) == value for key, value in fields.items())


def new_set(label: str, fields: Mapping[str, SecretStr]) -> dict[str, Any]:
    """The body that creates a set."""
    return {"label": label, "secrets": [_secret(key, value) for key, value in fields.items()]}


def new_key(key: str, value: SecretStr | None) -> dict[str, Any]:
    """The body that adds a key."""
    return {"key": key, "value": None if value is None else value.get_secret_value()}


def changed(known: CredentialSet, fields: Mapping[str, SecretStr]) -> dict[str, Any]:
    """The body that writes a set again: with these fields changed or added, and all others as they are."""
    secrets = known.secrets or ()
    kept = [_secret(one.key, fields[one.key]) if one.key in fields else _as_it_is(one) for one in secrets]
    added = [_secret(key, value) for key, value in fields.items() if not known.has(key)]
    return {"label": known.label, "secrets": kept + added}


def without(known: CredentialSet, key: str) -> dict[str, Any]:
    """The body that writes a set again without one of its keys."""
    return {"label": known.label, "secrets": [_as_it_is(one) for one in known.secrets or () if one.key != key]}


def _as_it_is(secret: Secret) -> dict[str, Any]:
    return _secret(secret.key, secret.value, valid=secret.valid is not False)


def _secret(key: str, value: SecretStr | None, *, valid: bool = True) -> dict[str, Any]:
    return new_key(key, value) | {"valid": valid}
