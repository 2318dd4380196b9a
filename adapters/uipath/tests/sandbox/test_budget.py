"""The budget of the long lists."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Any

import pytest


@pytest.fixture
def tight(wire: Any) -> Any:
    """A server that allows two lists a minute, at a standing clock."""
    wire.world.clock.freeze()
    wire.world.switches["uipath.list_budget"] = 2
    return wire


@pytest.mark.parametrize("path", ["/odata/Jobs", "/odata/QueueItems"])
async def test_one_list_too_many_must_wait_until_the_first_is_a_minute_old(tight: Any, path: str) -> None:
    await tight.ask("GET", path, status=200)
    tight.world.clock.advance(20.5)
    await tight.ask("GET", path, status=200)
    refused = await tight.ask("GET", path, status=429)
    assert refused.headers["Retry-After"] == "40"
    assert refused.code == 0
    tight.world.clock.advance(39)
    assert (await tight.ask("GET", path, status=429)).headers["Retry-After"] == "1"
    tight.world.clock.advance(1)
    await tight.ask("GET", path, status=200)
    await tight.ask("GET", path, status=429)


async def test_each_list_has_a_budget_of_its_own_and_single_looks_have_none(tight: Any) -> None:
    job, item = await tight.start(), (await tight.add()).body
    for _ in range(2):
        await tight.ask("GET", "/odata/Jobs", status=200)
        await tight.ask("GET", "/odata/QueueItems", status=200)
    await tight.ask("GET", "/odata/Jobs", status=429)
    await tight.ask("GET", "/odata/QueueItems", status=429)
    for _ in range(5):
        await tight.ask("GET", f"/odata/Jobs({job['Id']})", status=200)
        await tight.ask("GET", f"/odata/QueueItems({item['Id']})", status=200)
        await tight.ask("GET", "/odata/QueueDefinitions", status=200)
    await tight.ask("GET", "/odata/Jobs", headers=tight.in_folder(FolderPath="Finance"), status=429)


async def test_the_wait_may_be_told_as_a_date(tight: Any) -> None:
    tight.world.switches["uipath.retry_after_as_date"] = True
    for _ in range(2):
        await tight.ask("GET", "/odata/Jobs", status=200)
    told = (await tight.ask("GET", "/odata/Jobs", status=429)).headers["Retry-After"]
    wait = parsedate_to_datetime(told) - tight.world.clock.now()
    assert 60 <= wait.total_seconds() <= 61
    tight.world.clock.advance(wait.total_seconds())
    await tight.ask("GET", "/odata/Jobs", status=200)
