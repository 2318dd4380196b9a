"""`rpa_bridge.sync`: the same names without `await`. mypy checks the `assert_type` lines against the stub."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import inspect
import io
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterable, AsyncIterator, Callable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Self, assert_type

import pytest

from rpa_bridge import registry, sync
from rpa_bridge.contract.adapter import SERVICES, Adapter, AdapterContext, AdapterInfo, AdapterSettings, Finding
from rpa_bridge.contract.artifacts import Artifact, ArtifactService
from rpa_bridge.contract.features import Service
from rpa_bridge.contract.jobs import Job, JobService, JobState
from rpa_bridge.contract.model import Priority
from rpa_bridge.contract.queues import (
    AddResult,
    AddStatus,
    AddSummary,
    Drafts,
    Failure,
    Item,
    ItemDraft,
    ItemState,
    Queue,
    QueueService,
)
from rpa_bridge.errors import BusinessError, ConfigError, NotFoundError, UnsupportedError
from rpa_bridge.helpers.blocking import Blocking
from rpa_bridge.helpers.calls import Call
from rpa_bridge.testing import ManualClock
from rpa_bridge.transport.base import Effect, Request, Response

ROOT = Path(__file__).parents[2]


class Jobs(JobService):
    def __init__(self, clock: ManualClock) -> None:
        super().__init__("fake", clock)
        self.threads: set[str] = set()
        self.cancelled = threading.Event()
        self.waiting = threading.Event()
        self.closed_sources = 0

    async def start(
        self,
        automation: str,
        inputs: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
        priority: Priority | None = None,
        not_before: datetime | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> Job:
        self.threads.add(threading.current_thread().name)
        await asyncio.sleep(0)
        return Job(id=key or "1", automation=automation, state=JobState.RUNNING, native_state="Running")

    async def get(self, job_id: str) -> Job:
        if job_id == "slow":
            self.waiting.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.cancelled.set()
                raise
        raise NotFoundError(f"there is no job {job_id!r}")

    async def find(
        self,
        *,
        automation: str | None = None,
        state: JobState | None = None,
        key: str | None = None,
        since: datetime | None = None,
    ) -> AsyncIterator[Job]:
        try:
            for number in range(3):
                yield await self.start(automation or "a", key=str(number))
        finally:
            await asyncio.sleep(0)
            self.closed_sources += 1


class Queues(QueueService):
    def __init__(self, clock: ManualClock) -> None:
        super().__init__("fake", clock)
        self.items_in: list[Item] = []
        self.ended: list[tuple[str, str]] = []

    async def get(self, name: str) -> Queue:
        return Queue(id=name, name=name)

    async def add(self, queue: str, draft: ItemDraft) -> Item:
        number = str(len(self.items_in))
        item = Item(id=number, queue=queue, state=ItemState.NEW, native_state="New", values=draft.values)
        self.items_in.append(item)
        return item

    async def take(self, queue: str) -> Item | None:
        return self.items_in.pop(0) if self.items_in else None

    async def complete(self, item: Item, output: Mapping[str, Any] | None = None) -> None:
        self.ended.append((item.id, f"done {dict(output or {})}"))

    async def fail(self, item: Item, failure: Failure) -> None:
        self.ended.append((item.id, f"{failure.kind} {failure.reason}"))

    async def items(
        self,
        queue: str,
        *,
        state: ItemState | None = None,
        reference: str | None = None,
        mark: str | None = None,
        after: str | None = None,
    ) -> AsyncIterator[Item]:
        for item in list(self.items_in):
            await asyncio.sleep(0)
            yield item

    async def add_many(
        self, queue: str, drafts: Drafts, *, on_result: Callable[[AddResult], None] | None = None
    ) -> AddSummary:
        added = 0
        async for draft in _any_iterable(drafts):
            item = await self.add(queue, draft)
            if on_result:
                on_result(AddResult(position=added, reference=None, status=AddStatus.ADDED, item_id=item.id))
            added += 1
        return AddSummary(added=added)


async def _any_iterable(drafts: Drafts) -> AsyncIterator[ItemDraft]:
    if isinstance(drafts, AsyncIterable):
        async for draft in drafts:
            yield draft
    else:
        for draft in drafts:
            yield draft


class Artifacts(ArtifactService):
    def __init__(self, clock: ManualClock) -> None:
        super().__init__("fake", clock)
        self.open_blocks = 0
        self.uploaded = b""

    async def find(self, *, container: str | None = None, job: str | None = None) -> AsyncIterator[Artifact]:
        yield Artifact(id="1", name="report.pdf")

    def open(self, artifact: Artifact | str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        return self._opened(artifact)

    @asynccontextmanager
    async def _opened(self, artifact: Artifact | str) -> AsyncIterator[AsyncIterator[bytes]]:
        if artifact == "gone":
            raise NotFoundError("there is no artifact 'gone'")
        self.open_blocks += 1
        try:
            async with asyncio.timeout(60):  # bound to one task from entry to exit
                yield _pieces()
        finally:
            self.open_blocks -= 1

    async def upload(
        self,
        name: str,
        content: AsyncIterable[bytes] | bytes,
        *,
        size: int | None = None,
        container: str | None = None,
        job: str | None = None,
    ) -> Artifact:
        self.uploaded = content if isinstance(content, bytes) else b"".join([piece async for piece in content])
        return Artifact(id="2", name=name, size=len(self.uploaded))


async def _pieces() -> AsyncIterator[bytes]:
    for piece in (b"one ", b"two"):
        await asyncio.sleep(0)
        yield piece


class Raw:
    def __init__(self) -> None:
        self.closed = False

    async def send(self, request: Request) -> Response:
        return Response(200, {}, request.operation.encode())

    async def aclose(self) -> None:
        self.closed = True


class Fake(Adapter):
    info = AdapterInfo(name="fake", title="Fake")
    settings_model = AdapterSettings
    last: ClassVar[Fake]

    def __init__(self, context: AdapterContext) -> None:
        clock = ManualClock()
        self.job_service, self.queue_service, self.artifact_service = Jobs(clock), Queues(clock), Artifacts(clock)
        self.wire = Raw()
        super().__init__(context, self.job_service, self.queue_service, self.artifact_service, raw=self.wire)
        type(self).last = self

    @classmethod
    def open(cls, settings: Any, context: AdapterContext) -> Self:
        return cls(context)

    async def check(self) -> list[Finding]:
        return [Finding(subject="fake", ok=True, message="well")]


@pytest.fixture
def bridge(monkeypatch: pytest.MonkeyPatch) -> Iterator[sync.Bridge]:
    monkeypatch.setattr(registry, "load_adapter", lambda _name: Fake)
    with sync.Bridge({"connections": {"erp": {"adapter": "fake"}}}, cache_dir=None) as bridge:
        yield bridge
    assert not any(thread.name == "rpa-bridge" for thread in threading.enumerate())


@pytest.fixture
def erp(bridge: sync.Bridge) -> sync.Adapter:
    return bridge["erp"]


def draft(number: int) -> ItemDraft:
    return ItemDraft(values={"number": number})


class TestVerbs:
    def test_return_what_they_would_give_when_awaited(self, erp: sync.Adapter) -> None:
        job = assert_type(erp.jobs.start("Invoices", {"month": "2026-10"}, key="k"), Job)
        assert (job.id, job.automation) == ("k", "Invoices")
        assert assert_type(erp.check(), list[Finding])[0].ok
        assert assert_type(erp.queues.take("empty"), Item | None) is None

    def test_run_in_the_thread_of_the_loop(self, erp: sync.Adapter) -> None:
        erp.jobs.start("a")
        assert Fake.last.job_service.threads == {"rpa-bridge"}

    def test_raise_what_they_would_raise(self, erp: sync.Adapter) -> None:
        with pytest.raises(NotFoundError, match="there is no job 'x'"):
            erp.jobs.get("x")

    def test_refuse_before_any_iteration(self, erp: sync.Adapter) -> None:
        with pytest.raises(UnsupportedError):
            erp.queues.find()
        with pytest.raises(UnsupportedError):
            erp.robots.find()

    def test_plain_attributes_are_there_too(self, erp: sync.Adapter) -> None:
        assert assert_type(erp.connection, str) == "erp"
        assert erp.info.title == "Fake"
        assert assert_type(erp.messages.is_absent, bool)
        assert [one.noun for one in assert_type(erp.services, list[sync.Service])] == [noun.noun for noun in SERVICES]
        assert {"start", "get", "find", "wait"} <= set(dir(erp.jobs))
        with pytest.raises(AttributeError):
            erp.jobs._private  # type: ignore[attr-defined] # noqa: B018 - the access itself is the test

    def test_the_raw_door_waits_as_well(self, erp: sync.Adapter) -> None:
        raw = assert_type(erp.raw, sync.Transport)
        assert raw.send(Request("GET", "/", effect=Effect.READ, operation="look")).body == b"look"

    def test_can_be_called_while_the_calling_thread_runs_a_loop(self, erp: sync.Adapter) -> None:
        async def inside() -> Job:
            return erp.jobs.start("a")

        assert asyncio.run(inside()).automation == "a"

    def test_can_be_called_by_many_threads(self, erp: sync.Adapter) -> None:
        with ThreadPoolExecutor(8) as pool:
            jobs = list(pool.map(lambda number: erp.jobs.start("a", key=str(number)), range(200)))
        assert [job.id for job in jobs] == [str(number) for number in range(200)]


class TestIterators:
    def test_give_everything(self, erp: sync.Adapter) -> None:
        found = assert_type(erp.jobs.find(automation="a"), Generator[Job, None, None])
        assert [job.id for job in found] == ["0", "1", "2"]
        assert Fake.last.job_service.closed_sources == 1

    def test_close_their_source_when_closed_early(self, erp: sync.Adapter) -> None:
        with contextlib.closing(erp.jobs.find()) as found:
            assert next(found).id == "0"
        assert Fake.last.job_service.closed_sources == 1

    def test_close_their_source_when_the_loop_is_left(self, erp: sync.Adapter) -> None:
        for job in erp.jobs.find():
            assert job.id == "0"
            break
        gc.collect()
        assert Fake.last.job_service.closed_sources == 1

    def test_that_were_never_begun_cost_nothing(self, erp: sync.Adapter) -> None:
        erp.jobs.find().close()
        assert Fake.last.job_service.threads == set()

    def test_left_open_do_not_outlive_the_bridge(self, bridge: sync.Bridge) -> None:
        found = bridge["erp"].jobs.find()
        next(found)
        bridge.close()
        assert Fake.last.job_service.closed_sources == 1
        found.close()
        with pytest.raises(ConfigError, match="this bridge is closed"):
            bridge["erp"]


class TestBlocks:
    def test_a_download_is_a_block(self, erp: sync.Adapter) -> None:
        with erp.artifacts.open("report.pdf") as stream:
            assert_type(stream, Generator[bytes, None, None])
            assert Fake.last.artifact_service.open_blocks == 1
            assert b"".join(stream) == b"one two"
        assert Fake.last.artifact_service.open_blocks == 0

    def test_a_block_that_cannot_begin_raises_on_entry(self, erp: sync.Adapter) -> None:
        with pytest.raises(NotFoundError, match="'gone'"), erp.artifacts.open("gone"):
            pytest.fail("the block must not begin")

    @pytest.mark.parametrize("error", [ValueError("own"), StopIteration("own"), KeyboardInterrupt("own")])
    def test_an_exception_in_the_block_comes_out_as_it_was(self, erp: sync.Adapter, error: BaseException) -> None:
        with pytest.raises(type(error), match="own") as caught, erp.artifacts.open("report.pdf"):
            raise error
        assert caught.value is error
        assert [entry.name for entry in caught.traceback][-1].startswith("test_an_exception")
        assert Fake.last.artifact_service.open_blocks == 0

    def test_a_lease_completes_or_fails_by_how_the_block_ends(self, erp: sync.Adapter) -> None:
        for number in range(3):
            erp.queues.add("Letters", draft(number))
        with erp.queues.lease("Letters") as item:
            assert_type(item, Item | None)
            assert item is not None
            item.output["page"] = 1
        with pytest.raises(BusinessError), erp.queues.lease("Letters"):
            raise BusinessError("no address")
        with pytest.raises(ZeroDivisionError), erp.queues.lease("Letters"):
            _ = 1 / 0
        with erp.queues.lease("Letters") as nothing:
            assert nothing is None
        assert Fake.last.queue_service.ended == [
            ("0", "done {'page': 1}"),
            ("1", "business no address"),
            ("2", "application ZeroDivisionError: division by zero"),
        ]


class TestWhatTheCallerHandsIn:
    def test_a_list_goes_as_it_is(self, erp: sync.Adapter) -> None:
        assert assert_type(erp.queues.add_many("Letters", [draft(1), draft(2)]), AddSummary).added == 2

    def test_a_generator_and_a_callback_run_in_the_callers_thread(self, erp: sync.Adapter) -> None:
        threads: set[threading.Thread] = set()
        heard: list[int] = []

        def drafts() -> Iterator[ItemDraft]:
            for number in range(3):
                threads.add(threading.current_thread())
                yield draft(number)

        def hear(result: AddResult) -> None:
            threads.add(threading.current_thread())
            heard.append(result.position)

        assert erp.queues.add_many("Letters", drafts(), on_result=hear).added == 3
        assert threads == {threading.current_thread()}
        assert heard == [0, 1, 2]

    def test_a_generator_may_read_from_the_same_bridge(self, erp: sync.Adapter) -> None:
        for number in range(3):
            erp.queues.add("Old", draft(number))
        copies = (ItemDraft(values=item.values) for item in erp.queues.items("Old"))
        assert erp.queues.add_many("New", copies).added == 3

    def test_a_callback_may_call_the_same_bridge(self, erp: sync.Adapter) -> None:
        started: list[Job] = []
        erp.queues.add_many("Letters", [draft(1)], on_result=lambda _result: started.append(erp.jobs.start("a")))
        assert [job.automation for job in started] == ["a"]

    def test_a_generator_for_a_verb_without_streams_is_read_first(self, erp: sync.Adapter) -> None:
        jobs = erp.jobs.as_finished((erp.jobs.start("a", key=key).id for key in "xy"), timeout=1)
        with pytest.raises(NotFoundError, match="'x'"):
            next(jobs)

    def test_a_file_is_streamed(self, erp: sync.Adapter) -> None:
        artifact = assert_type(erp.artifacts.upload("a.txt", io.BytesIO(b"one\ntwo\n"), size=8), Artifact)
        assert artifact.size == 8
        assert Fake.last.artifact_service.uploaded == b"one\ntwo\n"
        erp.artifacts.upload("b.txt", b"whole")
        assert Fake.last.artifact_service.uploaded == b"whole"

    def test_a_generators_failure_reaches_the_caller(self, erp: sync.Adapter) -> None:
        def drafts() -> Iterator[ItemDraft]:
            yield draft(1)
            raise ValueError("bad row")

        with pytest.raises(ValueError, match="bad row"):
            erp.queues.add_many("Letters", drafts())
        assert erp.jobs.start("a").automation == "a", "the loop must have survived"

    @pytest.mark.parametrize("error", [ValueError("mine"), SystemExit("mine")])
    def test_a_callbacks_failure_reaches_the_caller(self, erp: sync.Adapter, error: BaseException) -> None:
        def fail(_result: AddResult) -> None:
            raise error

        with pytest.raises(type(error), match="mine"):
            erp.queues.add_many("Letters", [draft(1)], on_result=fail)
        assert erp.jobs.start("a").automation == "a", "the loop must have survived"

    def test_the_verbs_that_take_streams_are_those_of_the_contract(self) -> None:
        takes_stream = {
            name
            for noun in SERVICES
            for name, method in inspect.getmembers(noun, inspect.isfunction)
            for parameter in inspect.signature(method).parameters.values()
            if "AsyncIterable" in str(parameter.annotation) or parameter.annotation == "Drafts"
        }
        assert takes_stream == sync.STREAMING


class TestEnding:
    @pytest.mark.skipif(sys.platform == "win32", reason="no signal can be sent to one thread")
    def test_an_interrupt_cancels_the_call_and_the_bridge_lives_on(self, erp: sync.Adapter) -> None:
        main = threading.main_thread().ident
        assert main is not None
        jobs = Fake.last.job_service

        def interrupt() -> None:
            assert jobs.waiting.wait(10)
            signal.pthread_kill(main, signal.SIGINT)

        other = threading.Thread(target=interrupt)
        other.start()
        with pytest.raises(KeyboardInterrupt):
            erp.jobs.get("slow")
        other.join()
        assert jobs.cancelled.is_set()
        assert erp.jobs.start("a").automation == "a"

    def test_an_interrupt_before_the_wait_begins_cancels_the_call_too(
        self, erp: sync.Adapter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        jobs, accept = Fake.last.job_service, Blocking._accept

        def accept_and_be_interrupted(blocking: Blocking, call: Call[Any]) -> None:
            accept(blocking, call)
            assert jobs.waiting.wait(10)
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(Blocking, "_accept", accept_and_be_interrupted)
            with pytest.raises(KeyboardInterrupt):
                erp.jobs.get("slow")
        assert jobs.cancelled.is_set()
        assert erp.jobs.start("a").automation == "a"

    def test_an_interrupt_before_anything_was_begun_ends_the_call(
        self, erp: sync.Adapter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def be_interrupted(_blocking: Blocking, _call: Call[Any]) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(Blocking, "_accept", be_interrupted)
            with pytest.raises(KeyboardInterrupt):
                erp.jobs.get("slow")
        assert not Fake.last.job_service.waiting.is_set()

    def test_an_interrupt_that_swallows_the_end_of_a_call_does_not_wait_for_another(
        self, erp: sync.Adapter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        next_step, interrupts = Call._next_step, iter([True])

        def swallowed(call: Call[Any]) -> Any:
            step = next_step(call)
            if next(interrupts, False):
                raise KeyboardInterrupt
            return step

        with monkeypatch.context() as patch:
            patch.setattr(Call, "_next_step", swallowed)
            with pytest.raises(KeyboardInterrupt):
                erp.jobs.start("a")

    def test_a_call_of_another_thread_is_told_when_the_bridge_closes(self, bridge: sync.Bridge) -> None:
        jobs = bridge["erp"].jobs
        with ThreadPoolExecutor(1) as pool:
            call = pool.submit(jobs.get, "slow")
            assert Fake.last.job_service.waiting.wait(10)
            bridge.close()
            with pytest.raises(ConfigError, match="was closed during this call"):
                call.result(10)

    async def test_a_call_that_is_cancelled_before_it_begins_does_not_wait_for_ever(self) -> None:
        call = Call(asyncio.get_running_loop(), lambda _call: asyncio.sleep(0))
        call.begin()
        call._cancel()
        for _ in range(3):
            await asyncio.sleep(0)
        with pytest.raises(ConfigError, match="was closed during this call"):
            call.wait(lambda: None)

    def test_closing_closes_the_connections_and_may_be_repeated(self, bridge: sync.Bridge) -> None:
        assert bridge["erp"].connection == "erp"
        bridge.close()
        bridge.close()
        assert Fake.last.wire.closed

    def test_wrong_settings_leave_no_thread_behind(self) -> None:
        with pytest.raises(ConfigError):
            sync.Bridge({"connections": {}})
        assert not any(thread.name == "rpa-bridge" for thread in threading.enumerate())

    def test_a_script_that_never_closes_ends_all_the_same(self) -> None:
        script = (
            "from rpa_bridge.sync import Bridge\n"
            "bridge = Bridge({'connections': {'a': {'adapter': 'x'}}})\n"
            "face = bridge._blocking\n"
            "async def endless():\n"
            "    while True: yield 1\n"
            "numbers = face.face(endless())\n"
            "print(next(numbers), len(bridge))\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False, cwd=ROOT
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "1 1\n", "")


class TestNames:
    def test_the_bridge_offers_the_same_names(self, bridge: sync.Bridge) -> None:
        assert list(bridge) == ["erp"]
        assert len(bridge) == 1
        assert "erp" in bridge
        assert assert_type(bridge["erp"], sync.Adapter).connection == "erp"

    def test_a_file_can_be_loaded(self, tmp_path: Path) -> None:
        path = tmp_path / "settings.json"
        path.write_text('{"connections": {"here": {"adapter": "local"}}}')
        with sync.Bridge.load(path) as loaded:
            assert list(assert_type(loaded, sync.Bridge)) == ["here"]

    def test_each_noun_has_a_class_of_its_name(self, erp: sync.Adapter) -> None:
        assert isinstance(erp, sync.Adapter)
        assert isinstance(erp.queues, sync.QueueService)
        assert not isinstance(erp.queues, Service)
        assert type(erp.raw) is sync.Transport

    def test_the_committed_stub_is_current(self) -> None:
        done = subprocess.run(
            [sys.executable, "tools/generate_sync_stub.py", "--check"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
