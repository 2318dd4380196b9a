"""Tokens on a disk: who may read them, and what is believed of what is read."""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import os
import socket
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest
from filelock import FileLock
from pydantic import SecretStr

from rpa_bridge.auth import records
from rpa_bridge.auth.file_store import FileStore
from rpa_bridge.auth.records import EMPTY, Record, Refusal
from rpa_bridge.auth.stores import TokenStore
from rpa_bridge.auth.tokens import Token, TokenKey
from rpa_bridge.testing import ManualClock

KEPT_FOR_GOOD = {"installation.key", "cleaned"}
OTHER = TokenKey(adapter="test", token_url="https://example.test/token", client_id="you", secret=SecretStr("another"))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "tokens"


@pytest.fixture
def store(file_store: Callable[[], TokenStore]) -> TokenStore:
    return file_store()


@pytest.fixture
def token(clock: ManualClock) -> Token:
    now = clock.now()
    value = SecretStr("token-of-the-record")
    return Token(value, now, now + timedelta(hours=1), clock.monotonic(), ("read", "write"), {"organization": "acme"})


@pytest.fixture
def record(token: Token, clock: ManualClock) -> Record:
    now = clock.now()
    return Record(
        token=token,
        refusal=Refusal(2, now + timedelta(seconds=120), 400, "invalid_client"),
        not_before=now + timedelta(seconds=30),
        renewals=(now - timedelta(seconds=10), now),
    )


@pytest.fixture
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]


@pytest.mark.usefixtures("no_umask")
async def test_nobody_else_may_read_anything_even_without_an_umask(
    store: TokenStore, key: TokenKey, record: Record, directory: Path
) -> None:
    name = await store.name(key)
    lock = store.lock(name)
    assert await lock.acquire()
    await store.save(name, record)
    await lock.release()

    assert names_in(directory) == {*KEPT_FOR_GOOD, f"{name}.json", f"{name}.lock"}
    assert {mode(directory / one) for one in names_in(directory)} == {0o600}
    assert {mode(path) for path in (directory, directory.parent)} == {0o700}


def test_a_folder_that_others_may_enter_is_closed_to_them(store: TokenStore, key: TokenKey, directory: Path) -> None:
    directory.mkdir(parents=True)
    directory.chmod(0o755)

    asyncio.run(store.name(key))

    assert mode(directory) == 0o700


async def test_only_the_record_holds_the_token_and_nothing_holds_the_secret(
    store: TokenStore, key: TokenKey, record: Record, directory: Path
) -> None:
    name = await store.name(key)
    await store.save(name, record)

    assert in_files(directory, b"token-of-the-record") == [f"{name}.json"]
    assert not in_files(directory, b"client-secret")


async def test_a_removed_record_is_gone(store: TokenStore, key: TokenKey, record: Record, directory: Path) -> None:
    name = await store.name(key)
    await store.save(name, record)

    await store.remove(name)
    await store.remove(name)

    assert await store.load(name) == EMPTY
    assert names_in(directory) == KEPT_FOR_GOOD


async def test_what_was_set_aside_is_forgotten_too(
    store: TokenStore, key: TokenKey, record: Record, directory: Path
) -> None:
    name = await store.name(key)
    await store.save(name, record)
    (directory / f"{name}.json").chmod(0o644)
    await store.load(name, locked=True)
    assert in_files(directory, b"token-of-the-record") == [f"{name}.bad"]

    await store.remove(name)

    assert not in_files(directory, b"token-of-the-record")


async def test_what_cannot_be_removed_is_hidden_at_least(
    store: TokenStore,
    key: TokenKey,
    record: Record,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    name = await store.name(key)
    await store.save(name, record)
    monkeypatch.setattr(os, "unlink", refuse(errno.EROFS))

    await store.remove(name)

    assert await store.load(name) == EMPTY
    assert len(warnings(caplog)) == 1


def changed(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Changes a record as somebody would who knows how to write one."""
    content = json.loads(path.read_text())
    change(content)
    try:
        line = records._RecordLine.model_validate_json(json.dumps(content))
        content["checksum"] = line.computed_checksum()
    except ValueError:
        content["checksum"] = "0"
    path.write_text(json.dumps(content))


def instead(path: Path, make: Callable[[Path], None]) -> None:
    path.unlink()
    make(path)


def names_in(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def in_files(directory: Path, text: bytes) -> list[str]:
    """The names of the files that hold this text."""
    return [path.name for path in directory.iterdir() if text in path.read_bytes()]


DOUBTS: dict[str, Callable[[Path], object]] = {
    "not a regular file (link)": lambda path: path.symlink_to(path.rename(path.with_name("elsewhere"))),
    "not a regular file (folder)": lambda path: instead(path, Path.mkdir),
    "not a regular file (pipe)": lambda path: instead(path, os.mkfifo),
    "others could read or change it (group)": lambda path: path.chmod(0o640),
    "others could read or change it (all)": lambda path: path.chmod(0o606),
    "too large": lambda path: path.write_bytes(path.read_bytes() + b" " * 65_536),
    "damaged (version)": lambda path: changed(path, lambda content: content.update(version=1)),
    "damaged (unknown member)": lambda path: changed(path, lambda content: content.update(more=1)),
    "damaged (token)": lambda path: changed(path, lambda content: content["token"].update(value="two words")),
    "damaged (no token at all)": lambda path: changed(path, lambda content: content["token"].update(value="")),
    "damaged (no zone)": lambda path: changed(
        path, lambda content: content["token"].update(obtained_at="2030-01-01T00:00:00")
    ),
    "damaged (refresh token)": lambda path: changed(path, lambda content: content.update(refresh="two words")),
    "belongs to another log-in": lambda path: changed(path, lambda content: content.update(key="0" * 64)),
    "from the future": lambda path: changed(
        path, lambda content: content["token"].update(obtained_at="2030-01-01T00:01:01Z")
    ),
    "would live too long (8 days)": lambda path: changed(
        path, lambda content: content["token"].update(expires_at="2030-01-09T00:00:00Z")
    ),
    "would live too long (backwards)": lambda path: changed(
        path, lambda content: content["token"].update(expires_at="2029-01-01T00:00:00Z")
    ),
}


@pytest.mark.parametrize("doubt", DOUBTS)
async def test_any_doubt_is_a_miss_with_one_warning_and_the_file_is_set_aside(
    store: TokenStore, key: TokenKey, record: Record, directory: Path, doubt: str, caplog: pytest.LogCaptureFixture
) -> None:
    name = await store.name(key)
    await store.save(name, record)
    path = directory / f"{name}.json"
    DOUBTS[doubt](path)

    assert [await store.load(name) for _ in range(3)] == [EMPTY] * 3
    assert path.is_symlink() or path.exists(), "only the holder of the lock may set it aside"
    assert await store.load(name, locked=True) == EMPTY

    assert not path.is_symlink()
    assert not path.exists()
    assert path.with_suffix(".bad").is_symlink() or path.with_suffix(".bad").exists()
    assert len(warnings(caplog)) == 1
    assert doubt.partition(" (")[0] in warnings(caplog)[0]
    assert "token-of-the-record" not in caplog.text
    await store.save(name, record)
    assert await store.load(name) == record


async def test_a_record_that_others_could_read_is_closed_to_them(
    store: TokenStore, key: TokenKey, record: Record, directory: Path
) -> None:
    await store.save(await store.name(key), record)
    path = directory / f"{await store.name(key)}.json"
    path.chmod(0o644)

    await store.load(await store.name(key), locked=True)

    assert mode(path.with_suffix(".bad")) == 0o600


async def test_a_socket_in_the_place_of_a_record_is_a_miss(
    store: TokenStore, key: TokenKey, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = await store.name(key)
    monkeypatch.chdir(directory)  # a socket's whole path may not be long
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{name}.json")
        assert await store.load(name, locked=True) == EMPTY


async def test_what_belongs_to_somebody_else_is_not_believed(
    file_store: Callable[[], TokenStore],
    key: TokenKey,
    record: Record,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    store, newcomer = file_store(), file_store()
    await store.save(await store.name(key), record)
    monkeypatch.setattr(os, "geteuid", lambda: 4711)

    assert await store.load(await store.name(key)) == EMPTY
    assert newcomer.place(await newcomer.name(key)) == "memory"
    assert [("belongs to somebody else" in one) for one in warnings(caplog)] == [True, True]


async def test_a_record_from_before_a_restart_counts_by_the_time_of_day(
    store: TokenStore, key: TokenKey, token: Token, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.save(await store.name(key), Record(token=token))
    clock.advance(600.0)
    clock._monotonic = 20.0
    monkeypatch.setattr(records, "boot_id", lambda: "another start")

    loaded = (await store.load(await store.name(key))).token

    assert loaded is not None
    assert loaded.obtained_monotonic == 20.0 - 600.0


async def test_a_restart_shows_even_when_the_new_start_was_longer_ago_than_the_old_one(
    store: TokenStore, key: TokenKey, token: Token, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.save(await store.name(key), Record(token=token))
    clock.advance(600.0)
    clock._monotonic = 9000.0
    monkeypatch.setattr(records, "boot_id", lambda: "another start")

    loaded = (await store.load(await store.name(key))).token

    assert loaded is not None
    assert loaded.obtained_monotonic == 9000.0 - 600.0


async def test_moments_that_a_wrong_clock_put_far_ahead_do_not_count(clock: ManualClock) -> None:
    ahead = clock.now() + timedelta(days=3650)
    record = Record(refusal=Refusal(1, ahead), not_before=ahead, renewals=(ahead, ahead, ahead))

    assert record.refusal_now(clock.now()) is None
    assert record.pause_now(clock.now()) == 0.0
    assert record.recent_renewals(clock.now()) == ()


def refuse(number: int) -> Callable[..., NoReturn]:
    """A system call that always fails in this way."""

    def fail(*_: object, **__: object) -> NoReturn:
        raise OSError(number, os.strerror(number))

    return fail


async def check_it_works_in_memory(store: TokenStore, key: TokenKey, record: Record) -> None:
    name = await store.name(key)
    for _ in range(3):
        lock = store.lock(name)
        assert await lock.acquire()
        assert not await store.lock(name).acquire()
        await store.save(name, record)
        await lock.release()
        assert await store.load(name, locked=True) == record
    assert store.place(name) == "memory"
    await store.remove(name)
    assert await store.load(name) == EMPTY


async def test_a_folder_that_cannot_be_made_means_memory_only_with_one_warning(
    tmp_path: Path, clock: ManualClock, key: TokenKey, record: Record, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "home").write_text("a file where the home should be")

    await check_it_works_in_memory(FileStore(tmp_path / "home" / "cache" / "tokens", clock), key, record)

    assert len(warnings(caplog)) == 1
    assert "kept in memory only" in warnings(caplog)[0]
    assert "make it a folder that belongs to this user" in warnings(caplog)[0]


@pytest.mark.parametrize("call", ["mkdir", "link"])
@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.ENOSPC, errno.EDQUOT])
async def test_a_read_only_or_full_home_means_memory_only_with_one_warning(
    store: TokenStore,
    key: TokenKey,
    record: Record,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    call: str,
    number: int,
) -> None:
    monkeypatch.setattr(os, call, refuse(number))

    await check_it_works_in_memory(store, key, record)

    assert len(warnings(caplog)) == 1
    assert os.strerror(number) in warnings(caplog)[0]


async def test_a_disk_that_fills_up_keeps_the_record_in_memory_until_there_is_room(
    store: TokenStore,
    key: TokenKey,
    record: Record,
    directory: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    name = await store.name(key)
    await store.save(name, replace(record, refusal=None))
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", refuse(errno.ENOSPC))
        await store.save(name, record)
        await store.save(name, record)
        assert store.place(name) == "memory"
        assert await store.load(name) == record
    assert names_in(directory) == {*KEPT_FOR_GOOD, f"{name}.json"}

    await store.save(name, record)

    assert store.place(name) == "file"
    assert len(warnings(caplog)) == 1


@pytest.mark.parametrize("error", [OSError(errno.ENOLCK, "no locks available"), NotImplementedError("no flock here")])
async def test_a_disk_without_locks_keeps_this_process_apart_from_itself_at_least(
    store: TokenStore,
    key: TokenKey,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
) -> None:
    def fail(*_: object, **__: object) -> NoReturn:
        raise error

    monkeypatch.setattr(FileLock, "acquire", fail)
    first, second = store.lock(await store.name(key)), store.lock(await store.name(key))

    assert await first.acquire()
    assert not await second.acquire()
    await first.release()
    assert await second.acquire()
    assert len(warnings(caplog)) == 1


def test_a_folder_that_is_a_link_is_not_used(
    store: TokenStore, key: TokenKey, directory: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "elsewhere").mkdir()
    directory.parent.mkdir()
    directory.symlink_to(tmp_path / "elsewhere")

    assert store.place(asyncio.run(store.name(key))) == "memory"
    assert not list((tmp_path / "elsewhere").iterdir())
    assert "it is a link" in warnings(caplog)[0]


@pytest.mark.parametrize("content", [b"", b"x" * 31, b"x" * 33])
def test_a_damaged_installation_key_means_memory_only_and_is_left_alone(
    store: TokenStore, key: TokenKey, directory: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    directory.mkdir(parents=True, mode=0o700)
    path = directory / "installation.key"
    path.touch(mode=0o600)
    path.write_bytes(content)

    assert store.place(asyncio.run(store.name(key))) == "memory"
    assert path.read_bytes() == content
    assert len(warnings(caplog)) == 1


def test_all_who_start_at_once_agree_on_one_installation_key(
    file_store: Callable[[], TokenStore], key: TokenKey, directory: Path
) -> None:
    with ThreadPoolExecutor(16) as pool:
        names = list(pool.map(lambda _: asyncio.run(file_store().name(key)), range(64)))

    assert len(set(names)) == 1
    assert [path.name for path in directory.iterdir()] == ["installation.key"]


async def test_what_is_long_over_is_cleaned_away_and_nothing_else(
    file_store: Callable[[], TokenStore], key: TokenKey, token: Token, directory: Path, clock: ManualClock
) -> None:
    store = file_store()
    names = ("over", "busy", "live", "mine", "later")
    over, busy, live, mine, later = [await store.name(replace(key, tenant=name)) for name in names]
    week = replace(token, expires_at=token.obtained_at + timedelta(days=7))
    for name, kept in ((over, token), (busy, token), (live, week)):
        await store.save(name, Record(token=kept))
    (directory / f"{over}-abc.tmp").write_text("what a killed process was about to write")
    (directory / f"{over}.bad").write_text("what was set aside")
    (directory / "readme").write_text("not ours")
    clock.advance(3600.0 + 86_400.0)
    lock = store.lock(busy)
    assert await lock.acquire()

    await file_store().save(mine, Record(token=week))

    await lock.release()
    left = {f"{busy}.json", f"{live}.json", f"{mine}.json", "readme"}
    assert {one for one in names_in(directory) if not one.endswith(".lock")} - KEPT_FOR_GOOD == left
    clock.advance(3599.0)
    await file_store().save(later, Record(token=week))
    assert f"{busy}.json" in names_in(directory), "no process cleans when another did within the hour"
    clock.advance(2.0)
    await file_store().save(later, Record(token=week))
    assert f"{busy}.json" not in names_in(directory)
