"""Result files: whole or not at all, each once, and an error is never taken for a file."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from rpa_bridge import (
    Adapter,
    AuthError,
    InvalidError,
    NotFoundError,
    OutcomeUnknownError,
    ProtocolError,
    RemoteError,
    UnavailableError,
    UnsupportedError,
)
from rpa_bridge.contract.artifacts import Artifact
from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge.testing import ManualClock
from rpa_bridge.transport.reconcile import _moments
from rpa_bridge_botmaestro.artifacts import BotMaestroArtifacts
from rpa_bridge_botmaestro.client import PAGE

Kept = Callable[[], Any]
Requests = Callable[[str], list[Exchange]]
Rewrite = Callable[[Callable[[Any], None]], None]
RECORD, CONTENT, DOWNLOAD = "POST */artifact", "POST */artifact/log/*", "GET */artifact/*/file"
LOST = [FaultKind.CUT, FaultKind.TRUNCATE, FaultKind.HTML, FaultKind.STATUS]
WHOLE = bytes(range(256)) * 1024


@pytest.fixture
async def job(maestro: Adapter) -> str:
    return (await maestro.jobs.start("Letters")).id


async def one_shot(content: bytes) -> AsyncIterator[bytes]:
    """A stream that can be read once."""
    for start in range(0, len(content), 1000):
        yield content[start : start + 1000]


async def read(maestro: Adapter, artifact: Artifact | str) -> bytes:
    async with maestro.artifacts.open(artifact) as pieces:
        return b"".join([piece async for piece in pieces])


def stored(state: Any) -> list[bytes | None]:
    """What each record holds; None for one without content."""
    return [one["stored"] and b64decode(one["stored"]["content"], "-_") for one in state["artifacts"].values()]


def scripted(script: Any) -> BotMaestroArtifacts:
    return BotMaestroArtifacts(script.client, script.clock)


@pytest.mark.parametrize("match", [RECORD, CONTENT])
@pytest.mark.parametrize("kind", LOST)
async def test_a_lost_answer_makes_one_whole_file(
    sandbox: Sandbox, maestro: Adapter, kept: Kept, job: str, kind: FaultKind, match: str
) -> None:
    sandbox.world.faults.add(Fault(kind, match=match, when=When.AFTER))

    made = await maestro.artifacts.upload("größe.bin", WHOLE, job=job)

    assert stored(kept()) == [WHOLE]
    assert (made.name, made.size, made.job) == ("größe.bin", len(WHOLE), job)
    assert await read(maestro, made) == WHOLE


async def test_a_record_that_never_arrived_is_not_sent_again(
    sandbox: Sandbox, maestro: Adapter, kept: Kept, requests: Requests, job: str
) -> None:
    other = (await maestro.jobs.start("Letters")).id
    await maestro.artifacts.upload("report.txt", b"another, and full", job=job)
    sandbox.world.faults.add(Fault(FaultKind.STATUS, match=CONTENT, status=413, times=2))
    for name, task in (("of another name.txt", job), ("report.txt", other)):
        with pytest.raises(InvalidError):
            await maestro.artifacts.upload(name, WHOLE, job=task)
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=RECORD))

    with pytest.raises(OutcomeUnknownError, match=rf"record of file 'report.txt' of task {job} was not found"):
        await maestro.artifacts.upload("report.txt", WHOLE, job=job)

    assert len(requests(RECORD)) == 4
    assert stored(kept()) == [b"another, and full", None, None]


async def test_a_record_without_content_is_used_after_a_lost_answer(
    sandbox: Sandbox, maestro: Adapter, kept: Kept, job: str, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.world.faults.add(Fault(FaultKind.STATUS, match=CONTENT, status=413))
    with pytest.raises(InvalidError):
        await maestro.artifacts.upload("report.txt", WHOLE, job=job)
    assert f"stays on task {job}, and cannot be deleted" in caplog.text
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=RECORD))

    await maestro.artifacts.upload("report.txt", WHOLE, job=job)

    assert stored(kept()) == [WHOLE]


async def test_files_of_one_name_at_the_same_time_never_share_a_record(
    sandbox: Sandbox, maestro: Adapter, kept: Kept, job: str
) -> None:
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=RECORD, when=When.AFTER, times=2))
    contents = [bytes([number]) * 5000 for number in range(4)]

    made = await asyncio.gather(*(maestro.artifacts.upload("report.txt", one, job=job) for one in contents))

    assert sorted(one or b"" for one in stored(kept())) == contents
    assert [await read(maestro, one) for one in made] == contents


async def test_a_record_that_another_upload_took_for_its_own_is_left_to_it(script: Any) -> None:
    artifacts = scripted(script)
    record = {"id": 7, "taskId": 1, "name": "a.txt"}
    script.answer(record)
    artifacts._filling.add(7)  # as a look-up does that was quicker than this answer
    for _ in _moments(script.client.effects.settle_window):
        script.page(record, last=True)
        script.answer({"message": "no file"}, status=404)
    with pytest.raises(OutcomeUnknownError):
        await artifacts.upload("a.txt", b"ours", job="1")
    assert not [line for line in script.lines if line.startswith("POST /artifact/log/")]


@pytest.mark.parametrize("kind", LOST)
async def test_a_stream_whose_answer_is_lost_is_found_whole(
    sandbox: Sandbox, maestro: Adapter, kept: Kept, requests: Requests, job: str, kind: FaultKind
) -> None:
    sandbox.world.faults.add(Fault(kind, match=CONTENT, when=When.AFTER))

    await maestro.artifacts.upload("report.bin", one_shot(WHOLE), size=len(WHOLE), job=job)

    assert stored(kept()) == [WHOLE]
    assert len(requests(CONTENT)) == 1


async def test_a_stream_that_never_arrived_is_outcome_unknown(
    sandbox: Sandbox, maestro: Adapter, kept: Kept, requests: Requests, job: str
) -> None:
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=CONTENT))

    with pytest.raises(OutcomeUnknownError, match=r"the content of file 'report.bin', record \d+, was not found"):
        await maestro.artifacts.upload("report.bin", one_shot(WHOLE), size=len(WHOLE), job=job)

    assert stored(kept()) == [None]
    assert (len(requests(RECORD)), len(requests(CONTENT))) == (1, 1)


async def test_a_401_in_an_upload_renews_the_token(
    sandbox: Sandbox, clock: ManualClock, maestro: Adapter, kept: Kept, job: str
) -> None:
    clock.advance(10)  # a younger token would not be blamed
    sandbox.world.faults.add(Fault(FaultKind.STATUS, match=CONTENT, status=401))
    await maestro.artifacts.upload("bytes.bin", WHOLE, job=job)
    assert stored(kept()) == [WHOLE]


async def test_a_401_in_an_upload_never_sends_the_rest_of_a_stream(
    sandbox: Sandbox, clock: ManualClock, maestro: Adapter, kept: Kept, requests: Requests, job: str
) -> None:
    clock.advance(10)
    sandbox.world.faults.add(Fault(FaultKind.STATUS, match=CONTENT, status=401))
    with pytest.raises(AuthError):
        await maestro.artifacts.upload("stream.bin", one_shot(WHOLE), size=len(WHOLE), job=job)
    assert len(requests(CONTENT)) == 1
    assert stored(kept()) == [None]


async def test_content_of_another_size_is_refused_and_not_tried_again(
    maestro: Adapter, kept: Kept, requests: Requests, job: str
) -> None:
    for size in (len(WHOLE) - 1, len(WHOLE) + 1):
        with pytest.raises(InvalidError, match="bytes"):
            await maestro.artifacts.upload("torn.bin", one_shot(WHOLE), size=size, job=job)
    assert stored(kept()) == [None, None]
    assert len(requests(CONTENT)) <= 2, "each once, if it got so far"


async def test_a_failure_of_the_callers_own_stream_comes_out_as_it_is(maestro: Adapter, kept: Kept, job: str) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"half"
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await maestro.artifacts.upload("torn.bin", broken(), size=8, job=job)
    assert stored(kept()) == [None]


NAMES = ['say "no".txt', "a/b\\c.txt", "../../etc/passwd", "größer ☃.txt", "100 %?#.txt", "two\r\nlines.txt", "x" * 300]


@pytest.mark.parametrize("name", NAMES)
async def test_any_name_comes_back_as_it_went(maestro: Adapter, job: str, name: str) -> None:
    made = await maestro.artifacts.upload(name, b"content", job=job)

    assert [(one.id, one.name) async for one in maestro.artifacts.find(job=job)] == [(made.id, name)]
    assert await read(maestro, made) == b"content"


async def test_an_empty_file_is_a_file(maestro: Adapter, job: str) -> None:
    assert await read(maestro, await maestro.artifacts.upload("empty.txt", b"", job=job)) == b""


@pytest.mark.parametrize("kind", LOST)
@pytest.mark.parametrize("content", [WHOLE, b"short"])
async def test_what_is_not_the_whole_file_never_passes_for_it(
    sandbox: Sandbox, maestro: Adapter, job: str, kind: FaultKind, content: bytes
) -> None:
    made = await maestro.artifacts.upload("report.pdf", content, job=job)
    sandbox.world.faults.add(Fault(kind, match=DOWNLOAD, when=When.AFTER, times=99, body="an error"))
    with pytest.raises((UnavailableError, ProtocolError)):
        await read(maestro, made)


async def test_a_file_that_is_a_web_page_is_a_file(sandbox: Sandbox, maestro: Adapter, job: str) -> None:
    made = await maestro.artifacts.upload("report.html", b"<h1>Paid</h1>", job=job)
    assert made.content_type == "text/html"
    page = {"Content-Type": "text/html"}
    sandbox.world.faults.add(Fault(FaultKind.STATUS, match=DOWNLOAD, status=200, headers=page, body="<h1>Paid</h1>"))
    assert await read(maestro, made) == b"<h1>Paid</h1>"


async def test_a_record_without_content_is_not_found_on_entry(
    sandbox: Sandbox, maestro: Adapter, kept: Kept, job: str
) -> None:
    sandbox.world.faults.add(Fault(FaultKind.STATUS, match=CONTENT, status=400))
    with pytest.raises(RemoteError):
        await maestro.artifacts.upload("report.txt", WHOLE, job=job)
    with pytest.raises(NotFoundError):
        await read(maestro, next(iter(kept()["artifacts"])))


@pytest.mark.parametrize("file_id", ["", "abc", "1/../2", "-1", "²", "4711", "9" * 40])
async def test_a_file_that_is_not_there_is_not_found(maestro: Adapter, requests: Requests, file_id: str) -> None:
    with pytest.raises(NotFoundError, match=r"artifacts\.open: there is no file"):
        await read(maestro, file_id)
    assert bool(requests("GET */artifact/*")) is (file_id == "4711")


async def test_the_record_of_another_question_is_not_opened(script: Any) -> None:
    script.answer({"id": 8, "taskId": 1, "name": "other.txt"})
    with pytest.raises(ProtocolError, match="asked for file 7, got 8"):
        async with scripted(script).open("7"):
            pass


@pytest.mark.parametrize("largest", [1, 7, 2000])
async def test_every_file_is_listed_once_while_others_come(
    sandbox: Sandbox, maestro: Adapter, rewrite: Rewrite, job: str, largest: int
) -> None:
    pattern = await maestro.artifacts.upload("first.txt", b"1", job=job)
    count = 2 * PAGE + 5 if largest == 2000 else 20

    def add(state: Any, numbers: range) -> None:
        one = state["artifacts"][pattern.id]
        state["artifacts"].update({str(number): one | {"id": number} for number in numbers})

    rewrite(lambda state: add(state, range(1000, 1000 + count)))
    sandbox.world.switches["botmaestro.max_page_size"] = largest

    found = []
    async for one in maestro.artifacts.find():
        found.append(one.id)
        if len(found) in (3, PAGE):
            sandbox.world.clock.advance(1)
            await maestro.artifacts.upload("later.txt", b"2", job=job)

    assert len(found) == len(set(found))
    assert {str(number) for number in range(1000, 1000 + count)} | {pattern.id} <= set(found)


async def test_a_list_that_does_not_heed_the_task_is_filtered_here(script: Any) -> None:
    rows = [{"id": 1, "taskId": 7}, {"id": 2, "taskId": "8"}, {"id": 3, "taskId": None}, {"id": 4, "taskId": "7"}]
    script.page(*rows, last=True)
    assert [one.id async for one in scripted(script).find(job="7")] == ["1", "4"]
    script.page(*rows, last=True)
    found = [one async for one in scripted(script).find()]
    assert [(one.name, one.job) for one in found] == [("1", "7"), ("2", "8"), ("3", None), ("4", "7")]


async def test_what_a_file_needs_is_asked_for_before_anything_is_sent(maestro: Adapter, requests: Requests) -> None:
    upload = maestro.artifacts.upload
    for call, kind in (
        (upload("a.txt", b""), InvalidError),
        (upload(" ", b"", job="1"), InvalidError),
        (upload("a.txt", b"", size=1, job="1"), InvalidError),
        (upload("a.txt", one_shot(b""), job="1"), InvalidError),
        (upload("a.txt", b"", job="one"), NotFoundError),
        (upload("a.txt", b"", job="1", container="box"), UnsupportedError),
    ):
        with pytest.raises(kind):
            await call
    with pytest.raises(UnsupportedError, match="give job"):
        _ = [one async for one in maestro.artifacts.find(container="box")]
    assert not requests("*")


async def test_a_file_of_an_unknown_task_is_not_found(maestro: Adapter, kept: Kept) -> None:
    with pytest.raises(NotFoundError, match="Task 4711 not found"):
        await maestro.artifacts.upload("a.txt", WHOLE, job="4711")
    assert stored(kept()) == []
