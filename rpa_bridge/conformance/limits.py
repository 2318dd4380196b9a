"""Standard tests of limits: what is declared works, what is not declared is refused before anything is sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import TypeVar

from pydantic import SecretStr

from rpa_bridge.contract.artifacts import Artifact
from rpa_bridge.contract.credentials import Credential
from rpa_bridge.contract.features import Feature, FilePlace
from rpa_bridge.contract.queues import Field, ItemDraft, QueueDraft
from rpa_bridge.errors import BridgeError, InvalidError, UnsupportedError

from .stage import Stage
from .standard import requires
from .values import NESTED, NOT_JSON

D = TypeVar("D", ItemDraft, QueueDraft)
FIELD_TYPES = ("text", "integer", "number", "boolean", "date")
DESCRIPTION = "größer ☃"


def _item_drafts(stage: Stage) -> Iterator[ItemDraft]:
    """Items that no platform, some, or all can hold."""
    moment = stage.harness.now() + timedelta(hours=1)
    naive = datetime(2040, 1, 1)  # noqa: DTZ001 - on purpose
    longest, largest = stage.limits.reference_length or 100, stage.limits.item_bytes or 50_000
    for values in (
        {},
        NESTED,
        {"text": "x" * largest},
        *({name: 1} for name in ("", "a:b", "a.b", 'say "a"', "größer")),
    ):
        yield ItemDraft(values=values)
    for value in NOT_JSON:
        yield ItemDraft(values={"value": value})
    for reference in ("", " ", "r" * longest, "r" * (longest + 1)):
        yield ItemDraft(values={"n": 1}, reference=reference)
    for mark in ("", "run-7/1", "run 7", "m" * 65):
        yield ItemDraft(values={"n": 1}, mark=mark)
    for time in (moment, naive):
        yield ItemDraft(values={"n": 1}, not_before=time)
        yield ItemDraft(values={"n": 1}, due_at=time)


def _queue_drafts(stage: Stage) -> Iterator[QueueDraft]:
    """Queues that no platform, some, or all can hold."""

    def name() -> str:
        return stage.new_name("queue")

    yield QueueDraft(name="")
    yield QueueDraft(name="q" * ((stage.limits.name_length or 100) + 1))
    for retries in (-1, 0, 3, 51):
        yield QueueDraft(name=name(), retries=retries)
    for description in (DESCRIPTION, "d" * 300):
        yield QueueDraft(name=name(), description=description)
    yield QueueDraft(name=name(), unique_references=True)
    yield QueueDraft(name=name(), options={"conformance-no-such-option": 1})
    for kind in (*FIELD_TYPES, "money"):
        yield QueueDraft(name=name(), fields=(Field(name="field", type=kind),))
    for field in (Field(name="field", unique=True), Field(name="field", required=True)):
        yield QueueDraft(name=name(), fields=(field,))


async def _agree(stage: Stage, draft: D, check: Callable[[D], None], send: Callable[[D], Awaitable[object]]) -> None:
    """Fails unless the check says, without sending anything, what becomes of the draft."""
    sent = stage.harness.sent()
    try:
        check(draft)
    except BridgeError as told:
        assert stage.harness.sent() == sent, "a check sends nothing"
        with stage.refused(type(told), unsent=True):
            await send(draft)
    else:
        assert stage.harness.sent() == sent, "a check sends nothing"
        try:
            await send(draft)
        except (InvalidError, UnsupportedError) as error:
            raise AssertionError(f"the check lets {draft!r} through, and it is refused: {error}") from None


async def _only_if(stage: Stage, declared: bool, call: Awaitable[object]) -> None:
    """Fails unless what is declared works, and what is not is refused unsent."""
    if declared:
        await call
        return
    with stage.refused(InvalidError, UnsupportedError, unsent=True):
        await call


class LimitTests:
    """Standard tests of what the limits and the checks say."""

    @requires("queues.add")
    async def test_an_items_check_says_what_add_will_refuse(self, stage: Stage) -> None:
        queues = stage.adapter.queues
        for draft in _item_drafts(stage):
            await _agree(stage, draft, queues.check_item, lambda one: queues.add(stage.queue, one))

    @requires(Feature.QUEUE_CREATE)
    async def test_a_queues_check_says_what_create_will_refuse(self, stage: Stage) -> None:
        queues = stage.adapter.queues
        for draft in _queue_drafts(stage):
            await _agree(stage, draft, queues.check_queue, queues.create)

    @requires("queues.add")
    async def test_items_have_times_exactly_where_they_are_declared(self, stage: Stage) -> None:
        moment = stage.harness.now() + timedelta(days=1)
        for draft in (ItemDraft(values={"n": 1}, not_before=moment), ItemDraft(values={"n": 1}, due_at=moment)):
            if stage.limits.item_times:
                item = await stage.adapter.queues.add(stage.queue, draft)
                for kept, wanted in ((item.not_before, draft.not_before), (item.due_at, draft.due_at)):
                    assert (kept is None) == (wanted is None)
                    assert kept is None or abs(kept - moment) < timedelta(seconds=1)
            else:
                with stage.refused(InvalidError, UnsupportedError, unsent=True):
                    await stage.adapter.queues.add(stage.queue, draft)

    @requires(Feature.QUEUE_CREATE)
    async def test_queues_have_the_types_of_fields_that_are_declared(self, stage: Stage) -> None:
        assert stage.limits.field_types <= set(FIELD_TYPES)
        for kind in (*FIELD_TYPES, "money"):
            field = Field(name="field", type=kind)
            draft = QueueDraft(name=stage.new_name("queue"), fields=(field,))
            if kind in stage.limits.field_types:
                assert (await stage.adapter.queues.create(draft)).fields == (field,)
            else:
                with stage.refused(InvalidError, UnsupportedError, unsent=True):
                    await stage.adapter.queues.create(draft)

    @requires(Feature.QUEUE_CREATE)
    async def test_queues_have_required_fields_exactly_where_they_are_declared(self, stage: Stage) -> None:
        field = Field(name="field", type=min(stage.limits.field_types, default="text"), required=True)
        name = stage.new_name("queue")
        await _only_if(
            stage,
            stage.limits.required_fields,
            stage.adapter.queues.create(QueueDraft(name=name, fields=(field,))),
        )
        if stage.limits.required_fields:
            assert (await stage.adapter.queues.get(name)).fields == (field,)

    @requires(Feature.QUEUE_CREATE)
    async def test_queues_have_descriptions_exactly_where_they_are_declared(self, stage: Stage) -> None:
        name = stage.new_name("queue")
        call = stage.adapter.queues.create(QueueDraft(name=name, description=DESCRIPTION))
        await _only_if(stage, "queues" in stage.limits.descriptions, call)
        if "queues" in stage.limits.descriptions:
            assert (await stage.adapter.queues.get(name)).description == DESCRIPTION

    @requires(Feature.ASSET_PUT)
    async def test_assets_have_descriptions_exactly_where_they_are_declared(self, stage: Stage) -> None:
        name = stage.new_name("asset")
        call = stage.adapter.assets.put(name, "value", description=DESCRIPTION)
        await _only_if(stage, "assets" in stage.limits.descriptions, call)
        if "assets" in stage.limits.descriptions:
            assert (await stage.adapter.assets.get(name)).description == DESCRIPTION

    @requires(Feature.CREDENTIAL_PUT)
    async def test_credentials_have_descriptions_exactly_where_they_are_declared(self, stage: Stage) -> None:
        name = stage.new_name("credential")
        call = _put(stage, name, stage.harness.credential_keys, description=DESCRIPTION)
        await _only_if(stage, "credentials" in stage.limits.descriptions, call)
        if "credentials" in stage.limits.descriptions:
            found = {one.name: one.description async for one in stage.adapter.credentials.find()}
            assert found[name] == DESCRIPTION

    @requires(Feature.CREDENTIAL_PUT)
    async def test_credentials_have_the_fields_that_are_declared(self, stage: Stage) -> None:
        declared = stage.limits.credential_fields
        for names in declared or (frozenset({"conformance"}), frozenset({"user", "größer ☃"})):
            made = await _put(stage, stage.new_name("credential"), names)
            assert set(made.keys) == names
        await _only_if(stage, not declared, _put(stage, stage.new_name("credential"), {"conformance-no-such-field"}))

    @requires(Feature.ARTIFACT_UPLOAD)
    async def test_files_lie_where_the_limits_say_and_nowhere_else(self, stage: Stage) -> None:
        place = stage.limits.file_place
        job = (await stage.adapter.jobs.start(stage.automation)).id
        await _upload(stage, job=job)
        await _only_if(stage, place is FilePlace.ANYTHING, _upload(stage))
        container = stage.harness.container or "conformance"
        await _only_if(stage, place is not FilePlace.JOB, _upload(stage, container=container))


def _put(stage: Stage, name: str, keys: Iterable[str], *, description: str | None = None) -> Awaitable[Credential]:
    fields = {key: SecretStr(f"value of {key}") for key in keys}
    return stage.adapter.credentials.put(name, fields, description=description)


def _upload(stage: Stage, *, container: str | None = None, job: str | None = None) -> Awaitable[Artifact]:
    return stage.adapter.artifacts.upload("limits.txt", b"content", container=container, job=job)
