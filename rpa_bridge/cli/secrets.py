"""Secrets on their way in: typed, piped or referred to; never from the command line."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from rpa_bridge.redaction import REDACTOR

if TYPE_CHECKING:
    from pydantic import SecretStr

NEVER_HERE = (
    "this command takes nothing else: a secret on the command line stands in the process list and the shell's history; "
    "say --field NAME and type it, pipe it in, or write --field 'NAME=${env:VARIABLE}'"
)


def secret_of(key: str, reference: str) -> SecretStr:
    """The value of one field. Raises UsageError, which shows nothing of it."""
    from pydantic import SecretStr

    if not key:
        raise click.UsageError("a field needs a name: --field NAME")
    if reference:
        value = _from_reference(key, reference)
    elif _is_asked():
        value = click.prompt(key, hide_input=True, err=True)
    else:
        value = sys.stdin.readline().rstrip("\r\n")
    if not value:
        raise click.UsageError(f"field {key!r} got no value; pipe in one line for each field, in their order")
    REDACTOR.add(value)
    return SecretStr(value)


def _is_asked() -> bool:
    """Whether somebody sits there."""
    return sys.stdin.isatty()


def _from_reference(key: str, text: str) -> str:
    from rpa_bridge.settings.documents import Origin
    from rpa_bridge.settings.references import Resolver, has_reference, mask_literals

    if not has_reference(text) or mask_literals(text) != text:
        raise click.UsageError(NEVER_HERE)
    return str(Resolver(Origin()).resolve(text, (key,)))
