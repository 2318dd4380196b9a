from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest
from filelock import FileLock

from rpa_bridge.errors import ConflictError, Delivery
from rpa_bridge.testing import ManualClock
from rpa_bridge.transport.exclusive import PATIENCE, STRIPES, Exclusive


def exclusive(directory: Path | None) -> tuple[Exclusive, ManualClock]:
    clock = ManualClock()
    return Exclusive(directory, clock, random.Random(7)), clock  # noqa: S311 - jitter


async def most_at_once(locks: list[Exclusive], names: list[str]) -> int:
    """How many blocks were inside at the same time."""
    inside = most = 0

    async def work(lock: Exclusive, name: str) -> None:
        nonlocal inside, most
        async with lock.hold(name):
            inside += 1
            most = max(most, inside)
            for _ in range(5):
                await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(work(lock, name) for lock, name in zip(locks, names, strict=True)))
    return most


@pytest.mark.parametrize("shared", [True, False])
async def test_one_name_lets_one_in(tmp_path: Path, shared: bool) -> None:
    lock, _ = exclusive(tmp_path if shared else None)
    assert await most_at_once([lock] * 8, ["start k-1"] * 8) == 1


async def test_other_names_do_not_wait() -> None:
    lock, _ = exclusive(None)
    assert await most_at_once([lock] * 8, [f"start k-{number}" for number in range(8)]) > 1


async def test_two_that_share_a_folder_keep_each_other_out_and_two_that_do_not_do_not(tmp_path: Path) -> None:
    first, second, alone = (exclusive(folder)[0] for folder in (tmp_path, tmp_path, tmp_path / "other"))
    assert await most_at_once([first, second], ["start k-1"] * 2) == 1
    assert await most_at_once([first, alone], ["start k-1"] * 2) == 2


async def test_a_lock_is_given_back_when_its_block_fails(tmp_path: Path) -> None:
    lock, _ = exclusive(tmp_path)
    with pytest.raises(ZeroDivisionError):
        async with lock.hold("start k-1"):
            raise ZeroDivisionError
    async with exclusive(tmp_path)[0].hold("start k-1"):
        assert list((tmp_path / "locks").iterdir())


async def test_a_lock_that_is_not_given_back_ends_in_a_conflict_and_nothing_is_sent(tmp_path: Path) -> None:
    lock, clock = exclusive(tmp_path)
    async with lock.hold("start k-1"):
        [file] = (tmp_path / "locks").iterdir()
    began = clock.monotonic()
    with FileLock(file), pytest.raises(ConflictError, match="'start k-1'; wait for it, or end it") as caught:
        async with lock.hold("start k-1"):
            pytest.fail("somebody else holds it")
    assert caught.value.delivery is Delivery.NOT_SENT
    assert PATIENCE <= clock.monotonic() - began < PATIENCE + 1


async def test_where_no_file_can_be_made_this_process_is_kept_apart_and_that_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    lock, _ = exclusive(blocked)
    assert await most_at_once([lock] * 4, ["start k-1"] * 4) == 1
    assert [record.getMessage() for record in caplog.records if "no locks" in record.getMessage()] == [
        f"no locks in {blocked / 'locks'} (Not a directory); only this process is kept apart"
    ]


async def test_many_names_leave_few_files_that_others_cannot_read(tmp_path: Path) -> None:
    lock, _ = exclusive(tmp_path)
    for number in range(STRIPES * 2):
        async with lock.hold(f"start k-{number} \ud800"):
            pass
    files = list((tmp_path / "locks").iterdir())
    assert len(files) <= STRIPES
    assert {file.stat().st_mode & 0o077 for file in [*files, tmp_path / "locks"]} == {0}
