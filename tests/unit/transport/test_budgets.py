"""Budgets that processes share: what the platform allows in a minute is kept by all of them together."""

from __future__ import annotations

import asyncio
import os
import random
import stat
import struct
from pathlib import Path

import pytest
from filelock import FileLock

from rpa_bridge.errors import RateLimitedError
from rpa_bridge.testing import ManualClock
from rpa_bridge.transport.budgets import LONGEST_LOCK, Budget, Memory, Rate, Shared, shared_or_own
from rpa_bridge.transport.call import deadline, seconds_left

MINUTE = 60.0
DAY = 86_400.0
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


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x" * 7,
        b"\xff" * 84,
        b"\x00" * 1000,
        struct.pack("<6d36s", 1e300, 1e300, 1e300, 1e300, 1e300, 1e300, b""),
        struct.pack("<6d36s", 0, 0, 2, 1e9, 2e9, 0, b""),
    ],
)
async def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, content: bytes) -> None:
    path, clock = tmp_path / "b", ManualClock()
    path.write_bytes(content)
    budget = shared(path, clock)

    for _ in range(30):
        await budget.turn("jobs.find")
    await budget.refused(1.0)

    assert clock.slept == []
    assert len(path.read_bytes()) == 84


@pytest.mark.parametrize("seconds", [-600, 600, -DAY, DAY])
async def test_a_clock_that_is_set_changes_no_turn(tmp_path: Path, seconds: float) -> None:
    clock = ManualClock()
    await shared(tmp_path / "b", clock, Rate(1.0)).turn("jobs.find")
    clock.jump(seconds)

    await shared(tmp_path / "b", clock, Rate(1.0)).turn("jobs.find")

    assert clock.slept == [pytest.approx(1.0)]


async def test_a_rest_that_was_asked_for_by_a_wrong_clock_ends_when_it_was_to_end(tmp_path: Path) -> None:
    clock = ManualClock()
    clock.jump(DAY)
    await shared(tmp_path / "b", clock).refused(1.0)
    clock.jump(-DAY)

    other = shared(tmp_path / "b", clock)
    await other.turn("jobs.find")
    await other.refused(1.0)

    assert sum(clock.slept) <= 1.1


async def test_no_rest_is_longer_than_a_day_whatever_is_asked(tmp_path: Path) -> None:
    clock = ManualClock()
    await shared(tmp_path / "b", clock).refused(1e9)

    with pytest.raises(RateLimitedError, match=r"jobs\.find: the platform asked for a rest"):
        await shared(tmp_path / "b", clock).turn("jobs.find")
    clock.advance(DAY * 1.1)
    await shared(tmp_path / "b", clock).turn("jobs.find")

    assert clock.slept == []


@pytest.mark.parametrize(("off", "left"), [(0.0, 40.0), (30.0, 10.0), (DAY, 0.0), (-DAY, 40.0)])
async def test_after_a_restart_of_the_machine_the_time_of_day_tells_what_is_left_of_a_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, off: float, left: float
) -> None:
    before = ManualClock()
    before.advance(DAY)
    await shared(tmp_path / "b", before).refused(40.0)
    monkeypatch.setattr("rpa_bridge.transport.budgets.boot_id", lambda: "another start")
    after = ManualClock(before.now())
    after.advance(off)

    await shared(tmp_path / "b", after).turn("jobs.find")

    assert left <= sum(after.slept) <= left + 4.0


async def test_a_process_that_was_stopped_with_the_lock_holds_up_nobody_for_long(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, clock = tmp_path / "b", ManualClock()
    budget, other = (shared(path, clock, Rate(1.0), seed) for seed in (1, 2))
    await other.turn("jobs.find")
    stopped = FileLock(path.with_suffix(".lock"))
    stopped.acquire()
    began = clock.monotonic()

    await budget.turn("jobs.find")
    assert clock.monotonic() - began <= LONGEST_LOCK + 0.1
    clock.slept.clear()
    await budget.turn("jobs.find")
    await budget.turn("jobs.find")
    assert sum(clock.slept) <= 2.0, "its own pace, and no more waiting for the lock"
    assert ["keeps the lock" in one.message for one in caplog.records] == [True]

    await budget.refused(30.0)
    stopped.release()
    await budget.turn("jobs.find")
    resumed = clock.monotonic()
    await other.turn("jobs.find")
    assert clock.monotonic() - resumed >= 1.0, "shared again, with the rest that was asked for meanwhile"


async def test_waiting_for_the_lock_leaves_time_for_the_request(tmp_path: Path) -> None:
    path, clock = tmp_path / "b", ManualClock()
    with FileLock(path.with_suffix(".lock")), deadline(1.0, clock=clock):
        await shared(path, clock).turn("jobs.find")

        assert seconds_left() >= 0.7


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
