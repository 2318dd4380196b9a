"""Sealed files: where their key lies, and what happens where there is none."""

from __future__ import annotations

import asyncio
import base64
import logging
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import SecretStr

from rpa_bridge.auth import sealing
from rpa_bridge.auth.caching import CacheOptions, open_store
from rpa_bridge.auth.private_files import DoubtfulFileError
from rpa_bridge.auth.records import EMPTY, Record
from rpa_bridge.auth.sealing import KeyringKey, NoKeyError, Seal
from rpa_bridge.auth.stores import TokenStore
from rpa_bridge.auth.tokens import Token, TokenKey
from rpa_bridge.testing import ManualClock

core = pytest.importorskip("keyring").core


class Keyring:
    """A keyring of the operating system, as good as a test can have one."""

    priority: ClassVar[float] = 5.0

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.asked = 0
        self.writes = 0
        self.reached = threading.Event()
        """Set: somebody has asked it."""
        self.held = threading.Event()
        """Cleared: it waits for a person who does not come."""
        self.held.set()

    def get_password(self, service: str, user: str) -> str | None:
        self.asked += 1
        self.reached.set()
        self.held.wait()
        return self.kept.get((service, user))

    def set_password(self, service: str, user: str, password: str) -> None:
        time.sleep(0.001)
        self.writes += 1
        self.kept[service, user] = password


class Broken(Keyring):
    def get_password(self, service: str, user: str) -> str | None:
        raise RuntimeError(f"no way to {service}")


class Plaintext(Keyring):
    """Such as keyrings.alt has: a file that anybody may read."""

    priority: ClassVar[float] = 0.5


class Chain(Keyring):
    """What the keyring package takes where there are several, of which one is not safe."""

    priority: ClassVar[float] = 10.0
    backends: ClassVar[list[Any]] = [Keyring, Plaintext]


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> Iterator[Keyring]:
    keyring = Keyring()
    monkeypatch.setattr(core, "get_keyring", lambda: keyring)
    yield keyring
    keyring.held.set()


Open = Callable[[str], TokenStore]
"""Opens the store in one folder once more, with this `cache.encryption`."""


@pytest.fixture
def open_one(tmp_path: Path, clock: ManualClock) -> Open:
    return lambda encryption: open_store(
        tmp_path / "cache", clock, CacheOptions.model_validate({"encryption": encryption})
    )


@pytest.fixture
def record(clock: ManualClock) -> Record:
    now = clock.now()
    token = Token(SecretStr("token-to-be-sealed"), now, now + timedelta(hours=1), clock.monotonic())
    return Record(token=token, refresh=SecretStr("refresh-to-be-sealed"))


def shown(tmp_path: Path) -> list[str]:
    """The names of files in which a token can be read."""
    files = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    return [path.name for path in files if b"to-be-sealed" in path.read_bytes()]


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]


def test_a_seal_opens_for_its_name_and_its_key_only() -> None:
    sealed = Seal(b"1" * 32).seal(b"content", "name")

    assert Seal(b"1" * 32).open(sealed, "name") == b"content"
    assert Seal(b"1" * 32).seal(b"content", "name") != sealed, "each has a nonce of its own"
    for key, content, name in [
        (b"2" * 32, sealed, "name"),
        (b"1" * 32, sealed, "another"),
        (b"1" * 32, sealed[:-1], "name"),
        (b"1" * 32, sealed[:25], "name"),
        (b"1" * 32, sealed.replace(b"sealed 1", b"sealed 2"), "name"),
        (b"1" * 32, b"", "name"),
    ]:
        with pytest.raises(DoubtfulFileError):
            Seal(key).open(content, name)


@pytest.mark.parametrize("encryption", ["auto", "required"])
async def test_with_a_keyring_files_are_sealed(
    open_one: Open, key: TokenKey, record: Record, keyring: Keyring, tmp_path: Path, encryption: str
) -> None:
    store = open_one(encryption)
    name = await store.name(key)
    await store.save(name, record)

    other = open_one(encryption)
    assert await other.load(await other.name(key)) == record
    assert not shown(tmp_path)
    assert keyring.writes == 1
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "cache" / "tokens").iterdir()} == {0o600}


async def test_a_keyring_is_not_asked_where_nothing_is_to_be_sealed(
    open_one: Open, key: TokenKey, record: Record, keyring: Keyring, tmp_path: Path
) -> None:
    keyring.held.clear()
    for encryption, place in (("off", "file"), ("memory", "memory")):
        store = open_one(encryption)
        name = await store.name(key)
        await store.save(name, record)
        assert (await store.load(name), store.place(name)) == (record, place)

    assert len(shown(tmp_path)) == 1


@pytest.mark.parametrize("bad", [Broken, Plaintext, Chain])
async def test_without_a_safe_keyring_auto_keeps_plain_files_and_required_none(
    open_one: Open,
    key: TokenKey,
    record: Record,
    bad: type[Keyring],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(core, "get_keyring", bad)
    required = open_one("required")
    await required.save(await required.name(key), record)
    assert required.place(await required.name(key)) == "memory"
    assert await required.load(await required.name(key)) == record
    assert not shown(tmp_path)
    assert len(warnings(caplog)) == 1
    assert "cache.encryption is 'required' and" in warnings(caplog)[0]

    auto = open_one("auto")
    await auto.save(await auto.name(key), record)
    assert len(shown(tmp_path)) == 1
    assert sum("and not sealed: " in one.getMessage() for one in caplog.records) == 1
    assert len(warnings(caplog)) == 1


async def test_a_keyring_that_waits_for_a_person_holds_nobody_up(
    open_one: Open,
    key: TokenKey,
    record: Record,
    keyring: Keyring,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(sealing, "KEYRING_PATIENCE", 0.05)
    keyring.held.clear()
    store = open_one("auto")
    name = await store.name(key)
    await store.save(name, record)

    assert (await store.load(name), store.place(name)) == (record, "file")
    assert "did not answer within" in caplog.text
    waiting = [thread for thread in threading.enumerate() if thread.name == "rpa-bridge-keyring"]
    assert [thread.daemon for thread in waiting] == [True], "a program may end meanwhile"


async def test_a_process_without_the_key_leaves_sealed_records_alone(
    open_one: Open, key: TokenKey, record: Record, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_key = open_one("auto")
    name = await with_key.name(key)
    await with_key.save(name, record)
    with monkeypatch.context() as without:
        without.setattr(core, "get_keyring", Broken)
        scheduled = open_one("auto")
        assert await scheduled.name(key) == name
        assert await scheduled.load(name, locked=True) == EMPTY

    assert await with_key.load(name) == record, "whoever is logged in there still is"


async def test_plain_records_are_believed_by_auto_and_sealed_with_the_next_save_but_never_by_required(
    open_one: Open, key: TokenKey, record: Record, keyring: Keyring, tmp_path: Path
) -> None:
    plain, auto, required = (open_one(encryption) for encryption in ("off", "auto", "required"))
    name = await plain.name(key)
    await plain.save(name, record)
    assert await required.name(key) == await auto.name(key) == name

    assert await required.load(name) == EMPTY
    assert await auto.load(name) == record
    assert await required.load(name, locked=True) == EMPTY
    assert not shown(tmp_path), "not even set aside"
    await auto.save(name, record)

    assert not shown(tmp_path)
    assert await required.load(name) == record


async def test_the_keyring_is_asked_when_something_is_written_or_sealed_and_not_to_read_what_is_plain(
    open_one: Open, key: TokenKey, record: Record, keyring: Keyring, tmp_path: Path
) -> None:
    plain, auto = open_one("off"), open_one("auto")
    name = await plain.name(key)
    await plain.save(name, record)
    keyring.held.clear()

    assert await auto.name(key) == name
    assert await auto.load(name) == record
    assert not keyring.asked
    keyring.held.set()
    await auto.save(name, record)
    assert not shown(tmp_path)
    asked, other = keyring.asked, open_one("auto")
    assert await other.name(key) == name
    assert keyring.asked == asked
    assert await asyncio.gather(*(other.load(name) for _ in range(5))) == [record] * 5
    assert keyring.asked == asked + 1, "one of them asks for all"


async def test_who_holds_the_lock_has_the_key_before_there_is_a_token_to_keep(
    open_one: Open, key: TokenKey, keyring: Keyring
) -> None:
    store = open_one("auto")
    name = await store.name(key)

    assert await store.load(name) == EMPTY
    assert not keyring.asked
    assert await store.load(name, locked=True) == EMPTY
    assert keyring.asked


async def test_who_is_cancelled_while_the_keyring_is_asked_writes_nothing_in_clear_later(
    open_one: Open, key: TokenKey, record: Record, keyring: Keyring, tmp_path: Path
) -> None:
    store = open_one("auto")
    name = await store.name(key)
    keyring.held.clear()
    saving = asyncio.create_task(store.save(name, record))
    await asyncio.to_thread(keyring.reached.wait)
    saving.cancel()
    await asyncio.wait({saving})
    keyring.held.set()
    await store.save(name, record)

    assert saving.cancelled()
    assert not shown(tmp_path)
    assert await store.load(name) == record


def test_all_who_start_at_once_agree_on_one_key(keyring: Keyring, tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        keys = list(pool.map(lambda _: KeyringKey()._key(tmp_path), range(64)))

    assert len(set(keys)) == keyring.writes == 1
    assert [base64.b64decode(kept) for kept in keyring.kept.values()] == [keys[0]]


def test_a_named_keyring_is_taken_and_a_strange_entry_is_not_overwritten(
    keyring: Keyring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = Keyring()
    named.kept[sealing.SERVICE, sealing.USER] = "somebody else's"
    monkeypatch.setattr(core, "load_keyring", {"acme.Keyring": named}.__getitem__)

    with pytest.raises(NoKeyError, match="holds something else under rpa-bridge/token-cache"):
        KeyringKey("acme.Keyring")._key(tmp_path)
    with pytest.raises(NoKeyError, match="does not work"):
        KeyringKey("unknown.Keyring")._key(tmp_path)
    assert not named.writes
    assert not keyring.writes


@pytest.mark.parametrize("package", ["keyring", "cryptography.exceptions"])
async def test_without_the_libraries_auto_keeps_plain_files(
    open_one: Open,
    key: TokenKey,
    record: Record,
    keyring: Keyring,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    package: str,
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setitem(sys.modules, package, None)
    store = open_one("auto")
    name = await store.name(key)
    await store.save(name, record)

    assert (await store.load(name), store.place(name)) == (record, "file")
    assert "is not installed (rpa-bridge[sealed])" in caplog.text
