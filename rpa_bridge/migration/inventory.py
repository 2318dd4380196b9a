"""What is at the source: read, never changed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator

from rpa_bridge.contract.adapter import Adapter
from rpa_bridge.contract.artifacts import Artifact
from rpa_bridge.contract.assets import Asset
from rpa_bridge.contract.credentials import Credential
from rpa_bridge.contract.queues import Item, ItemState, Queue
from rpa_bridge.contract.schedules import Schedule

from .canonical import hash_of
from .selection import Picker, Selection, path_of


async def queues(source: Adapter, picker: Picker) -> list[Queue]:
    """The queues that are picked, by name."""
    return sorted([one async for one in source.queues.find() if picker.picks(one.name)], key=lambda one: one.name)


async def new_items(source: Adapter, queue: str, *, after: str | None = None) -> AsyncIterator[Item]:
    """The items of a queue that nobody has worked on, oldest first."""
    async for item in source.queues.items(queue, state=ItemState.NEW, after=after):
        yield item


async def assets(source: Adapter, picker: Picker) -> list[Asset]:
    """The assets that are picked, by name."""
    return sorted([one async for one in source.assets.find() if picker.picks(one.name)], key=lambda one: one.name)


async def credentials(source: Adapter, picker: Picker) -> list[Credential]:
    """The credentials that are picked, by name, without their values."""
    found = [one async for one in source.credentials.find() if picker.picks(one.name)]
    return sorted(found, key=lambda one: one.name)


async def files(source: Adapter, select: Selection, *, container: str | None = None) -> AsyncGenerator[Artifact]:
    """The files that are selected, in the platform's order; those of one container, "" being those in none."""
    async for file in picked_files(source, Picker(select.artifacts, of_paths=True), container=container):
        yield file


async def picked_files(source: Adapter, picker: Picker, *, container: str | None = None) -> AsyncIterator[Artifact]:
    """The files that are picked, as `files` gives them."""
    async for file in source.artifacts.find(container=container or None):
        if container in (None, file.container or "") and picker.picks(path_of(file.container, file.name)):
            yield file


async def schedules(source: Adapter) -> list[Schedule]:
    """What starts jobs by itself at present, by name."""
    return sorted([one async for one in source.schedules.find() if one.enabled], key=lambda one: one.name)


def item_digest(item_id: str, content: str) -> str:
    """What of an item a plan is held to; `content` is its `item_hash`."""
    return hash_of([item_id, content])


def file_digest(file: Artifact) -> str:
    """What of a file a plan is held to, without its content being read."""
    return hash_of([file.id, file.name, file.container, file.job, file.size])
