"""Budgets that processes share: what the platform allows in a minute is kept by all of them together."""

from __future__ import annotations

import asyncio
import os
import random
import stat
from pathlib import Path

import pytest

from rpa_bridge.errors import RateLimitedError
from rpa_bridge.testing import ManualClock
from rpa_bridge.transport.budgets import LONGEST_QUEUE, Budget, Memory, Rate, Shared, State, shared_or_own

MINUTE = 60.0
LISTS = Rate(1.0, burst=30)


def shared(path: Path, clock: ManualClock, rate: Rate | None = LISTS, seed: int = 1) -> Budget:
    rng = random.Random(seed)  # noqa: S311 - no secret
    return Budget(rate, Shared(path, clock, rng), clock, rng)


async def spend(budget: Budget, clock: ManualClock, until: float) -> list[float]:
    """The moments of as many turns as can be had until then."""
    turns = []
    while clock.monotonic() < until:
        await budget.turn("jobs.find")
        turns.append(clock.monotonic())
    return turns


def most_in_a_minute(moments: list[float]) -> int:
    moments = sorted(moments)
    return max(sum(start <= one < start + MINUTE for one in moments) for start in moments)


async def test_eight_who_share_a_file_never_send_more_than_ninety_lists_in_a_minute(tmp_path: Path) -> None:
    clock = ManualClock()
    ours = [shared(tmp_path / "lists.budget", clock, seed=seed) for seed in range(8)]
    end = clock.monotonic() + 10 * MINUTE

    moments = [one for turns in await asyncio.gather(*(spend(one, clock, end) for one in ours)) for one in turns]

    assert most_in_a_minute(moments) <= 90
    assert len(moments) >= 9 * 60


async def test_control_those_who_share_nothing_send_more(tmp_path: Path) -> None:
    clock = ManualClock()
    ours = [shared(tmp_path / f"{seed}.budget", clock, seed=seed) for seed in range(8)]
    end = clock.monotonic() + MINUTE

    moments = [one for turns in await asyncio.gather(*(spend(one, clock, end) for one in ours)) for one in turns]

    assert most_in_a_minute(moments) > 90


async def test_a_quiet_time_allows_a_burst_and_no_more(tmp_path: Path) -> None:
    clock = ManualClock()
    budget = shared(tmp_path / "lists.budget", clock)

    for _ in range(30):
        await budget.turn("jobs.find")
    assert clock.slept == []
    await budget.turn("jobs.find")
    assert clock.slept == [pytest.approx(1.0)]


async def test_a_429_makes_all_who_share_rest_and_go_more_slowly_for_a_while(tmp_path: Path) -> None:
    clock = ManualClock()
    one, other = (shared(tmp_path / "b", clock, Rate(10.0), seed) for seed in (1, 2))
    await one.turn("jobs.find")
    await one.refused(20.0)
    began = clock.monotonic()

    await other.turn("jobs.find")
    assert 20 <= clock.monotonic() - began <= 22
    first = clock.monotonic()
    await other.turn("jobs.find")
    assert clock.monotonic() - first > 0.1

    clock.advance(10 * MINUTE)
    await other.turn("jobs.find")
    later = clock.monotonic()
    await other.turn("jobs.find")
    assert clock.monotonic() - later == pytest.approx(0.1)


async def test_a_long_rest_is_told_to_all_who_share(tmp_path: Path) -> None:
    clock = ManualClock()
    await shared(tmp_path / "b", clock).refused(3600.0)

    with pytest.raises(RateLimitedError, match=r"jobs\.find: the platform asked for a rest"):
        await shared(tmp_path / "b", clock).turn("jobs.find")


@pytest.mark.parametrize("content", [b"", b"x" * 7, b"\xff" * 32, b"\x00" * 1000])
async def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "b"
    path.write_bytes(content)

    await shared(path, ManualClock()).turn("jobs.find")

    assert len(path.read_bytes()) == 32


async def test_a_clock_that_was_set_back_does_not_stop_anybody(tmp_path: Path) -> None:
    clock = ManualClock()
    keeper = Shared(tmp_path / "b", clock, random.Random(1))  # noqa: S311 - no secret
    await keeper.change(lambda _: State(due=clock.now().timestamp() + 2 * LONGEST_QUEUE))

    await shared(tmp_path / "b", clock).turn("jobs.find")

    assert clock.slept == []


@pytest.mark.skipif(os.name == "nt", reason="file modes are POSIX's")
async def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    keeper = shared_or_own(tmp_path, "https://host/acme Jobs", ManualClock(), random.Random(1))  # noqa: S311
    await Budget(LISTS, keeper, ManualClock(), random.Random(1)).turn("jobs.find")  # noqa: S311

    files = list((tmp_path / "budgets").iterdir())
    assert files
    assert {stat.S_IMODE(one.stat().st_mode) & 0o077 for one in files} == {0}
    assert "acme" not in str(files)


async def test_where_nothing_can_be_written_a_process_keeps_its_own_budget(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    clock = ManualClock()
    budget = shared(blocked / "b", clock, Rate(1.0))

    for _ in range(3):
        await budget.turn("jobs.find")

    assert clock.slept == [pytest.approx(1.0), pytest.approx(1.0)]
    assert [record.message for record in caplog.records].count(caplog.records[0].message) == 1
    assert "keeps its own" in caplog.records[0].message


def test_without_a_folder_the_budget_is_this_process_own() -> None:
    assert isinstance(shared_or_own(None, "n", ManualClock(), random.Random(1)), Memory)  # noqa: S311
