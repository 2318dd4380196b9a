"""Assets, credentials and files after the move: whether they are still what was copied, and how they are deleted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from hmac import compare_digest

from rpa_bridge.contract.adapter import Adapter
from rpa_bridge.contract.artifacts import ArtifactService
from rpa_bridge.contract.features import Feature
from rpa_bridge.errors import ConfigError, DeniedError, InvalidError, MigrationError, NotFoundError, UnsupportedError
from rpa_bridge.migration.journal.base import Row
from rpa_bridge.redaction import REDACTOR
from rpa_bridge.transport.call import apart

from . import mapping
from .canonical import hash_of
from .documents import Kind, Step
from .running import Run

DELETION = {
    Kind.ASSET: Feature.ASSET_DELETE,
    Kind.CREDENTIAL: Feature.CREDENTIAL_DELETE,
    Kind.ARTIFACTS: Feature.ARTIFACT_DELETE,
}
UNREADABLE = (ConfigError, MigrationError, DeniedError, InvalidError, NotFoundError, UnsupportedError)
"""Errors after which there is nothing to compare a secret with."""


class Found(StrEnum):
    """What was found in the place of a thing."""

    SAME = "same"
    CHANGED = "changed"
    GONE = "gone"
    UNREADABLE = "unreadable"
    """Nobody can tell; never taken for the same."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a look has found; for what is unreadable, why."""

    found: Found
    why: str = ""


def is_secret(step: Step) -> bool:
    """Whether the step's thing is a credential at the target."""
    return step.kind is Kind.CREDENTIAL or (step.kind is Kind.ASSET and mapping.goes_into_credential(step))


def named(step: Step, row: Row) -> str:
    """The thing, as people know it: its kind, and its name or the source's id."""
    return f"file {row.src_id!r}" if step.kind is Kind.ARTIFACTS else f"{step.kind} {step.name!r}"


def reveals(end: Adapter) -> bool:
    """Whether the platform gives the values of credentials back."""
    return Feature.CREDENTIAL_REVEAL in end.capabilities and end.capabilities.limits.reads_secrets


async def look_at_target(run: Run, step: Step, row: Row) -> Look:
    """Whether the target's thing is still what was copied. A file is read whole."""
    if step.kind is Kind.ARTIFACTS:
        return await _file(run.target.artifacts, row.dst_id, row.expect_hash)
    if is_secret(step):
        return await _secret(run, step)

    async def still_the_same() -> bool:
        asset = await run.target.assets.get(step.to)
        return hash_of([asset.type, asset.value]) == row.expect_hash

    return await _look(still_the_same)


async def look_at_source(run: Run, step: Step, row: Row) -> Look:
    """Whether the source's thing would be copied the same again. A file is read whole.

    What is a secret is only looked for: `look_at_target` compares the two.
    """
    if step.kind is Kind.ARTIFACTS:
        return await _file(run.source.artifacts, row.src_id, row.expect_hash)
    if step.kind is Kind.CREDENTIAL:
        with apart():
            names = {one.name async for one in run.source.credentials.find()}
        return Look(Found.SAME if step.name in names else Found.GONE)

    async def would_be_the_same() -> bool:
        asset = await run.source.assets.get(step.name)
        if is_secret(step):
            return True
        try:
            _, value, _ = mapping.asset_put(step, asset)
        except InvalidError:  # it has no value any more that could be copied
            return False
        return hash_of([mapping.asset_type(value), value]) == row.expect_hash

    return await _look(would_be_the_same)


async def delete_at_target(run: Run, step: Step, row: Row) -> None:
    """Deletes the target's thing. Raises UnsupportedError where the platform cannot."""
    if not is_secret(step):
        name = str(row.dst_id) if step.kind is Kind.ARTIFACTS else step.to
        await _delete(run.target, step.kind, name)
        return
    name, ours = mapping.credential_name(step), set(await _fields(run, step))
    theirs = set((await run.target.credentials.reveal(name)).fields)
    if theirs == ours:
        try:
            await _delete(run.target, Kind.CREDENTIAL, name)
        except UnsupportedError:  # of some platforms only the fields can be deleted
            theirs = set()
        else:
            return
    for field in sorted(ours):
        await run.target.credentials.delete(name, key=field)


async def delete_at_source(run: Run, step: Step, row: Row) -> None:
    """Deletes the source's thing. Raises UnsupportedError where the platform cannot."""
    await _delete(run.source, step.kind, row.src_id if step.kind is Kind.ARTIFACTS else step.name)


async def _delete(end: Adapter, kind: Kind, name: str) -> None:
    deletions: dict[Kind, Callable[[str], Awaitable[None]]] = {
        Kind.ASSET: end.assets.delete,
        Kind.CREDENTIAL: end.credentials.delete,
        Kind.ARTIFACTS: end.artifacts.delete,
    }
    await deletions[kind](name)


async def _look(is_same: Callable[[], Awaitable[bool]]) -> Look:
    with apart():
        try:
            return Look(Found.SAME if await is_same() else Found.CHANGED)
        except NotFoundError:
            return Look(Found.GONE)


async def _file(artifacts: ArtifactService, file: str | None, checksum: str) -> Look:
    if file is None:
        return Look(Found.UNREADABLE, "the platform did not tell the file's id")

    async def is_same() -> bool:
        digest = sha256()
        async with artifacts.open(file) as pieces:
            async for piece in pieces:
                digest.update(piece)
        return digest.hexdigest() == checksum

    return await _look(is_same)


async def _secret(run: Run, step: Step) -> Look:
    """Compares in memory what the target holds with what the plan's source of secrets gives."""
    if not reveals(run.target):
        return Look(Found.UNREADABLE, "the target shows nobody a credential's values")
    try:
        wanted = await _fields(run, step)
    except UNREADABLE as error:
        return Look(Found.UNREADABLE, f"there is nothing to compare it with: {REDACTOR.line(str(error))}")

    async def is_same() -> bool:
        held = (await run.target.credentials.reveal(mapping.credential_name(step))).fields
        return all(
            key in held and compare_digest(_bytes(value.get_secret_value()), _bytes(held[key].get_secret_value()))
            for key, value in wanted.items()
        )

    try:
        return await _look(is_same)
    except DeniedError as error:
        return Look(Found.UNREADABLE, REDACTOR.line(str(error)))


async def _fields(run: Run, step: Step) -> mapping.Fields:
    if step.kind is Kind.ASSET:
        return mapping.asset_as_field(step, await run.source.assets.get(step.name))
    return await mapping.secret_fields(step, run.source, run.resolve)


def _bytes(secret: str) -> bytes:
    return secret.encode("utf-8", "surrogatepass")
