"""Files on their way: whoever was taken over sends none of them a second time, and what was read is written down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from rpa_bridge.contract.artifacts import Artifact
from rpa_bridge.errors import Delivery, MigrationError, OutcomeUnknownError
from rpa_bridge.migration.documents import Kind
from rpa_bridge.migration.journal.sqlite import SqliteJournal
from rpa_bridge.migration.selection import Selection
from rpa_bridge.migration.verifying.verdicts import Outcome
from tests.migration.ends import FILES, SETTLE_WINDOW, Ends
from tests.migration.moved import Moved, OpenEnds
from tests.migration.moves import Crash, crash_at, files_of, planned

ARTIFACTS = Selection(artifacts=("**",))


async def names(ends: Ends) -> list[str]:
    return sorted([one.name async for one in ends.target.adapter.artifacts.find()])


async def taken_over(done: Moved, path: Path, hangs: asyncio.Event) -> asyncio.Task[None]:
    """One that hangs in the midst of its files, after another has done all of them."""
    done.journal = SqliteJournal(path, done.ends.clock)
    first = asyncio.create_task(done.apply())
    await hangs.wait()
    done.journal = SqliteJournal(path, done.ends.clock)
    await done.apply(take_over=True)
    return first


async def test_one_that_hung_before_it_sent_a_file_does_not_send_it_when_it_goes_on_too_late(
    open_ends: OpenEnds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = await open_ends("local", "botmaestro")
    upload, hangs, goes_on = ends.target.adapter.artifacts.upload, asyncio.Event(), asyncio.Event()

    async def hang(*given: Any, **more: Any) -> Artifact:
        if not goes_on.is_set():
            hangs.set()
            ends.target.adapter.artifacts.upload = upload  # type: ignore[method-assign]
            await goes_on.wait()
        return await upload(*given, **more)

    done = Moved(ends, await planned(ends, ARTIFACTS))
    monkeypatch.setattr("rpa_bridge.migration.applying.file_moves.AT_ONCE", 1)
    ends.target.adapter.artifacts.upload = hang  # type: ignore[method-assign]
    first = await taken_over(done, tmp_path / "journal.db", hangs)
    goes_on.set()
    with pytest.raises(MigrationError, match="another process"):
        await first

    assert await names(ends) == sorted(FILES)
    assert await files_of(ends.target.adapter) == FILES


@pytest.mark.parametrize("source", ["local", "botmaestro"])
async def test_one_that_hung_in_the_midst_of_a_file_does_not_finish_it(
    open_ends: OpenEnds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    """However fast it goes on: each piece is sent only by whoever has the migration."""
    ends = await open_ends(source, "local")
    upload, hangs, goes_on = ends.target.adapter.artifacts.upload, asyncio.Event(), asyncio.Event()

    async def late(pieces: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        hangs.set()
        await goes_on.wait()
        async for piece in pieces:
            yield piece

    async def hang(name: str, content: Any, **more: Any) -> Artifact:
        ends.target.adapter.artifacts.upload = upload  # type: ignore[method-assign]
        return await upload(name, late(content), **more)

    done = Moved(ends, await planned(ends, ARTIFACTS))
    monkeypatch.setattr("rpa_bridge.migration.applying.file_moves.AT_ONCE", 1)
    ends.target.adapter.artifacts.upload = hang  # type: ignore[method-assign]
    first = await taken_over(done, tmp_path / "journal.db", hangs)
    goes_on.set()
    with pytest.raises(MigrationError, match="another process"):
        await first

    assert await names(ends) == sorted(FILES)
    assert await files_of(ends.target.adapter) == FILES


async def test_a_file_that_was_sent_a_second_time_is_waited_for_as_long_as_the_first_time(open_ends: OpenEnds) -> None:
    ends = await open_ends("local", "uipath")
    done = Moved(ends, await planned(ends, ARTIFACTS))
    with pytest.raises(Crash):
        await done.apply(reached=crash_at("files.intended"))
    upload, sent = ends.target.adapter.artifacts.upload, dict[str, list[float]]()

    async def lose_the_first(name: str, *given: Any, **more: Any) -> Artifact:
        sent.setdefault(name, []).append(ends.clock.monotonic())
        if len(sent[name]) == 1:
            ends.clock.advance(60)
            raise OutcomeUnknownError("the answer was lost", delivery=Delivery.MAYBE)
        return await upload(name, *given, **more)

    ends.target.adapter.artifacts.upload = lose_the_first  # type: ignore[method-assign]
    await done.apply()

    assert all(second - first >= 60 + SETTLE_WINDOW for first, second in sent.values())
    assert len(sent) == len(FILES)
    assert {(row.attempt, row.existed) for row in await done.rows(Kind.ARTIFACTS, row_container(done))} == {(3, False)}


def row_container(done: Moved) -> str:
    return next(step.name for step in done.plan.steps if step.kind is Kind.ARTIFACTS)


@pytest.mark.parametrize("target", ["uipath", "local"])
async def test_a_file_whose_source_names_no_size_is_compared_by_the_one_that_was_read(
    open_ends: OpenEnds, target: str
) -> None:
    ends = await open_ends("botmaestro", target)
    done = Moved(ends, await planned(ends, ARTIFACTS))
    with pytest.raises(Crash):  # one of them is found again afterwards, and not sent anew
        await done.apply(reached=crash_at("files.uploaded"))
    await done.apply()

    verdict = await done.verdict(Kind.ARTIFACTS, row_container(done))

    assert verdict.outcome is Outcome.OK
    assert {row.bytes for row in await done.rows(Kind.ARTIFACTS, row_container(done))} == {
        len(content) for content in FILES.values()
    }
