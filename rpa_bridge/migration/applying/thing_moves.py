"""Queues, assets and credentials: one by one, each looked at before it is made."""

from __future__ import annotations

from rpa_bridge.contract.assets import Asset
from rpa_bridge.contract.features import Feature
from rpa_bridge.contract.queues import Queue
from rpa_bridge.errors import BridgeError, NotFoundError
from rpa_bridge.migration import mapping
from rpa_bridge.migration.canonical import hash_of
from rpa_bridge.migration.documents import Conflict, Kind, Step
from rpa_bridge.migration.journal.base import Change, Row, RowState
from rpa_bridge.migration.running import Run, key_of
from rpa_bridge.transport.call import apart

from .refusals import in_the_way, leave, policy, refused, there_already

STAGE = "copying"


async def move_thing(run: Run, step: Step) -> None:
    """Copies the thing, unless that is done already."""
    row = (await run.journal.rows(step=key_of(step), limit=1))[0]
    if row.state not in (RowState.PLANNED, RowState.UNKNOWN):
        return
    moves = {Kind.QUEUE: _move_queue, Kind.ASSET: _move_asset, Kind.CREDENTIAL: _move_credential}
    run.tell(STAGE, step.name, 0, 1)
    try:
        change = await moves[step.kind](run, step, row)
    except BridgeError as error:
        dead = refused(row, error)
        if dead is None:
            await leave(run, row, error)
            raise
        change = dead
    await run.journal.settle([change], run.clock.now())
    run.reached("things.settled")
    run.tell(STAGE, step.name, 1, 1)


async def _intend(run: Run, row: Row, *, existed: bool) -> None:
    """Writes down that it is about to be sent; a row that was perhaps sent stays UNKNOWN, which says the same."""
    if row.state is RowState.PLANNED:
        await run.journal.intend([row.seq], run.clock.now(), existed=[row.seq] if existed else [])
    await run.journal.check()
    run.reached("things.intended")


async def _move_queue(run: Run, step: Step, row: Row) -> Change:
    queues, draft = run.target.queues, mapping.queue_draft(step)
    found = await _queue(run, step.to)
    wanted = mapping.queue_hash(draft)
    ours = row.state is RowState.UNKNOWN and found is not None and mapping.queue_hash(found) == wanted
    if found is not None and not ours:
        return await _meet_queue(run, step, row, found)
    existed = found is not None and _was_there(step, row)
    if found is None:
        await _intend(run, row, existed=False)
        found = await queues.create(draft)
        run.reached("things.made")
    if found.active and not existed and Feature.QUEUE_DEACTIVATE in run.target.capabilities:
        await _deactivate(run, step, row)
    return Change(seq=row.seq, to=RowState.CONFIRMED, dst_id=found.id, existed=existed, expect_hash=wanted)


def _was_there(step: Step, row: Row) -> bool:
    """Whether the target had it before us: as it was written down, or as the plan says where that was forgotten."""
    return row.existed or (step.exists and not row.attempt)


async def _deactivate(run: Run, step: Step, row: Row) -> None:
    """Nothing is worked twice while the items move. The queue is made, whatever is raised here."""
    try:
        await run.target.queues.deactivate(step.to)
    except BridgeError:
        if row.state is RowState.PLANNED:
            await run.journal.settle([Change(seq=row.seq, to=RowState.UNKNOWN)], run.clock.now())
        raise


async def _meet_queue(run: Run, step: Step, row: Row, found: Queue) -> Change:
    """What becomes of a queue that the target has already. It stays active: others may be at work in it."""
    draft, rule = mapping.queue_draft(step), policy(run, Kind.QUEUE)
    wanted = mapping.queue_hash(draft)
    if rule is Conflict.FAIL:
        return in_the_way(row, f"queue {step.to!r}")
    if mapping.queue_hash(found) != wanted:
        if rule is Conflict.SKIP:
            return there_already(row, f"queue {step.to!r} is there with other settings, and stays as it is")
        await _intend(run, row, existed=True)
        found = await run.target.queues.update(step.to, draft)
        run.reached("things.made")
    return Change(seq=row.seq, to=RowState.CONFIRMED, dst_id=found.id, existed=True, expect_hash=wanted)


async def _move_asset(run: Run, step: Step, row: Row) -> Change:
    source = await run.source.assets.get(step.name)
    if mapping.goes_into_credential(step):
        return await _put_credential(run, step, row, mapping.asset_as_field(step, source))
    name, value, description = mapping.asset_put(step, source)
    wanted = hash_of([mapping.asset_type(value), value])
    found = await _asset(run, name)
    is_there = found is not None and hash_of([found.type, found.value]) == wanted
    if found is not None and row.state is RowState.PLANNED and not is_there:
        rule = policy(run, Kind.ASSET)
        if rule is Conflict.FAIL:
            return in_the_way(row, f"asset {name!r}")
        if rule is Conflict.SKIP:
            return there_already(row, f"asset {name!r} is there with another value, and stays")
    if not is_there:
        await _intend(run, row, existed=found is not None)
        found = await run.target.assets.put(name, value, description=description)
        run.reached("things.made")
    existed = None if row.state is RowState.UNKNOWN or not is_there else True
    at_target = None if found is None else found.id
    return Change(seq=row.seq, to=RowState.CONFIRMED, dst_id=at_target, existed=existed, expect_hash=wanted)


async def _move_credential(run: Run, step: Step, row: Row) -> Change:
    fields = await mapping.secret_fields(step, run.source, run.resolve)
    return await _put_credential(run, step, row, fields)


async def _put_credential(run: Run, step: Step, row: Row, fields: mapping.Fields) -> Change:
    name = mapping.credential_name(step)
    found = await _credential(run, name)
    known = {key for key in fields if found is not None and key in found}
    if known and row.state is RowState.PLANNED:
        rule = policy(run, Kind.CREDENTIAL)
        if rule is Conflict.FAIL:
            return in_the_way(row, f"credential {name!r}")
        if rule is Conflict.SKIP:
            return there_already(row, f"credential {name!r} is there, and stays")
    await _intend(run, row, existed=bool(known))
    made = await run.target.credentials.put(name, fields, description=mapping.credential_description(step))
    run.reached("things.made")
    return Change(seq=row.seq, to=RowState.CONFIRMED, dst_id=made.id)


async def _queue(run: Run, name: str) -> Queue | None:
    with apart():
        try:
            return await run.target.queues.get(name)
        except NotFoundError:
            return None


async def _asset(run: Run, name: str) -> Asset | None:
    with apart():
        try:
            return await run.target.assets.get(name)
        except NotFoundError:
            return None


async def _credential(run: Run, name: str) -> frozenset[str] | None:
    """The names of its fields; None where there is none."""
    with apart():
        async for found in run.target.credentials.find():
            if found.name.casefold() == name.casefold():
                return frozenset(found.keys)
    return None
