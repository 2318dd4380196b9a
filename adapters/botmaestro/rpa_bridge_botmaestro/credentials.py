"""Credentials: sets of keys, with values that can be read. docs: botmaestro.md 8"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any

from pydantic import SecretStr

from rpa_bridge.clock import Clock
from rpa_bridge.contract.credentials import Credential, CredentialService, RevealedCredential
from rpa_bridge.errors import ConflictError, Delivery, DeniedError, NotFoundError, ProtocolError, UnsupportedError
from rpa_bridge.helpers.checks import refuse
from rpa_bridge.redaction import REDACTOR
from rpa_bridge.transport.base import Effect, Request

from .client import CHANGE_A_FIELD, Client, label_segment
from .mapping import credentials as mapping
from .wire.credentials import CredentialSet, Secret

Fields = Mapping[str, SecretStr]
IsSo = Callable[[CredentialSet], bool]


class BotMaestroCredentials(CredentialService):
    """Sets by label.

    The platform can add a key, but neither change nor delete one: for that the whole set is read and written again.
    A lock keeps the processes that share our cache folder apart, the set is read last thing before it is written, and
    read once more after it; what somebody else changes within that moment is lost all the same.
    """

    def __init__(self, client: Client, clock: Clock) -> None:
        super().__init__("botmaestro", clock)
        self._client = client

    async def find(self) -> AsyncIterator[Credential]:
        for found in await self._client.read_list(CredentialSet, "/credential", operation="credentials.find"):
            yield mapping.credential(found)

    async def reveal(self, name: str) -> RevealedCredential:
        return mapping.revealed(await self._whole(name, "credentials.reveal"))

    async def put(self, name: str, fields: Fields, *, description: str | None = None) -> Credential:
        operation = "credentials.put"
        _path(name, operation)
        if description is not None:
            raise UnsupportedError("descriptions of credentials", adapter="botmaestro", hint="leave it out")
        if not fields or not all(key.strip() for key in fields):
            raise refuse(operation, "a credential needs at least one field, and each field a name")
        for value in fields.values():
            REDACTOR.add(value.get_secret_value())
        async with self._exclusive(name):
            try:
                known = await self._whole(name, operation)
            except NotFoundError:
                new = _write("/credential", mapping.new_set(name, fields), Effect.FINDABLE, operation)
                await self._settled(new, name, _holds(fields))
            else:
                await self._change(known, name, fields, operation)
            return await self._written(name, _holds(fields), operation)

    async def delete(self, name: str, *, key: str | None = None) -> None:
        """Deletes one field; the platform has no way to delete the set."""
        operation = "credentials.delete"
        if key is None:
            await self._set(name, operation)
            hint = "delete its fields with key=, and the empty set in the portal"
            raise UnsupportedError("deleting a whole credential", adapter="botmaestro", hint=hint)
        async with self._exclusive(name):
            known = await self._whole(name, operation)
            if not known.has(key):
                keys = ", ".join(one.key for one in known.secrets or ()) or "none"
                raise NotFoundError(
                    f"{operation}: credential {name!r} has no field {key!r}; it has {keys}", operation=operation
                )
            rest = _write(_path(name, operation), mapping.without(known, key), Effect.SET, operation)
            await self._settled(rest, name, lambda now: not now.has(key))
            await self._written(name, lambda now: not now.has(key), operation)

    async def _change(self, known: CredentialSet, name: str, fields: Fields, operation: str) -> None:
        """Adds what is new by itself, which touches nothing else; anything changed takes the whole set."""
        path, new = _path(name, operation), {key: value for key, value in fields.items() if not known.has(key)}
        if not mapping.holds(known, {key: value for key, value in fields.items() if key not in new}):
            await self._client.needs(CHANGE_A_FIELD)
            whole = _write(path, mapping.changed(known, fields), Effect.SET, operation)
            await self._settled(whole, name, _holds(fields))
            return
        for key, value in new.items():
            added = _write(f"{path}/key", mapping.new_key(key, value), Effect.FINDABLE, operation)
            await self._settled(added, name, _holds({key: value}))

    async def _settled(self, write: Request, name: str, is_so: IsSo) -> None:
        """Sends a change. A lost answer is settled by reading the set."""
        operation = write.operation

        async def send() -> bool:
            await self._client.transport.send(write)
            return True

        async def look_up() -> bool | None:
            with suppress(NotFoundError):
                return is_so(await self._whole(name, operation)) or None
            return None

        what = f"the change of credential {name!r}"
        await self._client.effects.once(send, look_up, operation=operation, what=what)

    async def _written(self, name: str, is_so: IsSo, operation: str) -> Credential:
        """The credential, once it is as it was written. Raises ConflictError when somebody else came after us."""
        now = await self._whole(name, operation)
        if not is_so(now):
            raise ConflictError(
                f"{operation}: somebody else wrote credential {name!r} at the same moment; look at its fields, "
                f"and repeat what is missing",
                operation=operation,
                delivery=Delivery.MAYBE,
            )
        return mapping.credential(now)

    async def _whole(self, name: str, operation: str) -> CredentialSet:
        """The set with all its values. One that it does not show is asked for by its key."""
        found = await self._set(name, operation)
        secrets = [await self._shown(name, one, operation) for one in found.secrets or ()]
        return found.model_copy(update={"secrets": secrets})

    async def _shown(self, name: str, secret: Secret, operation: str) -> Secret:
        """The secret with its value: a plain text, without quotes. docs: botmaestro.md 8"""
        if secret.value:  # what is hidden may come as null or as an empty text
            return secret
        path = f"{_path(name, operation)}/key/{label_segment(operation, 'field', secret.key)}"
        try:
            answer = await self._client.transport.send(Request("GET", path, effect=Effect.READ, operation=operation))
        except NotFoundError:
            raise DeniedError(
                f"{operation}: the platform shows nobody field {secret.key!r} of credential {name!r}; "
                f"change the credential in the portal",
                operation=operation,
            ) from None
        with suppress(UnicodeDecodeError):  # it keeps the whole value: never a context of ours
            return secret.model_copy(update={"value": SecretStr(answer.body.decode())})
        raise ProtocolError(
            f"{operation}: field {secret.key!r} of credential {name!r} is not text; change it in the portal",
            operation=operation,
        )

    async def _set(self, name: str, operation: str) -> CredentialSet:
        try:
            found = await self._client.read(CredentialSet, _path(name, operation), operation=operation)
        except NotFoundError:
            raise NotFoundError(
                f"{operation}: there is no credential {name!r}; `rpa-bridge credentials list` shows what there is",
                status=404,
                operation=operation,
            ) from None
        if found.label.casefold() != name.casefold():
            raise ProtocolError(
                f"{operation}: asked for credential {name!r}, got {found.label!r}; try again", operation=operation
            )
        return found

    def _exclusive(self, name: str) -> AbstractAsyncContextManager[None]:
        return self._client.exclusive.hold(f"botmaestro credential {name}")


def _path(name: str, operation: str) -> str:
    return f"/credential/{label_segment(operation, 'credential', name)}"


def _write(path: str, body: Any, effect: Effect, operation: str) -> Request:
    return Request("POST", path, effect=effect, operation=operation, json=body)


def _holds(fields: Fields) -> IsSo:
    return lambda now: mapping.holds(now, fields)
