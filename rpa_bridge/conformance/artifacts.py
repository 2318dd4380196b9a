"""Standard tests of artifacts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TypedDict

from rpa_bridge.contract.artifacts import Artifact
from rpa_bridge.contract.features import Feature
from rpa_bridge.errors import InvalidError, NotFoundError

from .stage import Stage, listed
from .standard import requires

PIECE = bytes(range(256)) * 256
"""64 KiB of everything."""


class _Place(TypedDict, total=False):
    container: str
    job: str


async def _place(stage: Stage) -> _Place:
    """Where files go: into the harness's container; without one, to a new job."""
    container = stage.harness.container
    return {"container": container} if container else {"job": (await stage.adapter.jobs.start(stage.automation)).id}


async def _upload(stage: Stage, name: str, content: bytes) -> Artifact:
    return await stage.adapter.artifacts.upload(name, content, **await _place(stage))


async def _read(stage: Stage, artifact: Artifact | str) -> bytes:
    async with stage.adapter.artifacts.open(artifact) as pieces:
        return b"".join([piece async for piece in pieces])


class ArtifactTests:
    """Standard tests of files."""

    @requires("artifacts.open")
    async def test_an_unknown_file_is_not_found_on_entry(self, stage: Stage) -> None:
        with stage.refused(NotFoundError):
            async with stage.adapter.artifacts.open(stage.harness.missing_id):
                raise AssertionError("the block of a file that is not there was entered")

    @requires("artifacts.find")
    async def test_each_file_is_listed_once(self, stage: Stage) -> None:
        found = await listed(stage.adapter.artifacts.find())
        assert all(one.id and one.name for one in found)
        assert len({one.id for one in found}) == len(found)

    @requires(Feature.ARTIFACT_UPLOAD)
    async def test_a_file_comes_back_as_it_was(self, stage: Stage) -> None:
        for name, content in (("report.txt", b"one\r\ntwo\n"), ("größer ☃.bin", PIECE), ("empty.txt", b"")):
            made = await _upload(stage, name, content)
            assert made.name == name
            assert made.size in {None, len(content)}
            assert await _read(stage, made) == content
            assert await _read(stage, made.id) == content

    @requires(Feature.ARTIFACT_UPLOAD)
    async def test_an_awkward_name_survives_or_is_refused(self, stage: Stage) -> None:
        for name in ("100 %.txt", "a&b+c.txt", "what?.txt", "a#b.txt", "O'Brien.txt", 'say "no".txt'):
            place = await _place(stage)
            made = await stage.unless_refused(stage.adapter.artifacts.upload(name, b"content", **place))
            if made is not None:
                assert made.name == name
                assert await _read(stage, made) == b"content"
                assert name in [one.name async for one in stage.adapter.artifacts.find()]

    @requires(Feature.ARTIFACT_UPLOAD)
    async def test_content_of_another_size_is_refused_and_not_kept(self, stage: Stage) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"four"

        place = await _place(stage)
        before = await listed(stage.adapter.artifacts.find())
        for size in (3, 5):
            with stage.refused(InvalidError):
                await stage.adapter.artifacts.upload("torn.bin", pieces(), size=size, **place)
        assert await listed(stage.adapter.artifacts.find()) == before

    @requires(Feature.ARTIFACT_UPLOAD)
    async def test_a_large_file_streams_both_ways(self, stage: Stage) -> None:
        count = 64

        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(count):
                yield PIECE

        size = count * len(PIECE)
        made = await stage.adapter.artifacts.upload("large.bin", pieces(), size=size, **await _place(stage))
        async with stage.adapter.artifacts.open(made) as stream:
            sizes = [len(piece) async for piece in stream]
        assert sum(sizes) == count * len(PIECE)
        assert max(sizes) < sum(sizes), "the file came in one piece; it has to be streamed"

    @requires(Feature.ARTIFACT_UPLOAD)
    async def test_a_file_need_not_be_read_to_its_end(self, stage: Stage) -> None:
        made = await _upload(stage, "report.bin", PIECE)
        async with stage.adapter.artifacts.open(made) as pieces:
            assert PIECE.startswith(await anext(pieces))
        assert await _read(stage, made) == PIECE

    @requires(Feature.ARTIFACT_UPLOAD, "artifacts.find")
    async def test_an_uploaded_file_is_found_where_it_lies(self, stage: Stage) -> None:
        made = await _upload(stage, "report.txt", b"content")
        other = await _upload(stage, "other.txt", b"content")
        assert {made.id, other.id} <= {one.id async for one in stage.adapter.artifacts.find()}
        if made.container is not None:
            found = [one.id async for one in stage.adapter.artifacts.find(container=made.container)]
            assert made.id in found
        if made.job is not None:
            assert [one.id async for one in stage.adapter.artifacts.find(job=made.job)] == [made.id]

    @requires(Feature.ARTIFACT_DELETE, Feature.ARTIFACT_UPLOAD)
    async def test_a_deleted_file_is_gone(self, stage: Stage) -> None:
        made = await _upload(stage, "report.txt", b"content")
        await stage.adapter.artifacts.delete(made)
        assert made.id not in [one.id async for one in stage.adapter.artifacts.find()]
        with stage.refused(NotFoundError):
            await _read(stage, made)

    @requires(Feature.ARTIFACT_DELETE)
    async def test_an_unknown_file_cannot_be_deleted(self, stage: Stage) -> None:
        with stage.refused(NotFoundError):
            await stage.adapter.artifacts.delete(stage.harness.missing_id)
