"""Refresh tokens that are good once: kept before their token is used, spent by one renewal, never lost by us."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from rpa_bridge.auth.records import EMPTY, Record
from rpa_bridge.auth.stores import MemoryStore, TokenStore
from rpa_bridge.auth.tokens import Token, TokenCache, TokenKey
from rpa_bridge.errors import AuthError, Delivery, ProtocolError, RateLimitedError, RemoteError, UnavailableError
from rpa_bridge.redaction import REDACTOR
from rpa_bridge.testing import ManualClock

if TYPE_CHECKING:
    from tests.unit.auth.conftest import NewCache, NewRotating, Rotating

STALE, DEAD = 3400.0, 3595.0
"""Ages, in seconds, of a token that lives an hour."""
NOT_REACHED = UnavailableError("no connection", delivery=Delivery.NOT_SENT)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def cache(new_cache: NewCache, store: MemoryStore, rotating: Rotating) -> TokenCache:
    return new_cache(store, source=rotating)


@pytest.fixture
def kept(store: MemoryStore, key: TokenKey) -> Kept:
    """The refresh token in the store."""

    async def look() -> str | None:
        refresh = (await store.load(await store.name(key))).refresh
        return None if refresh is None else refresh.get_secret_value()

    return look


Kept = Callable[[], Awaitable["str | None"]]


def number(token: Token) -> int:
    """Which of the platform's tokens it is."""
    return int(token.value.get_secret_value().rpartition("-")[2])


class StillClock(ManualClock):
    """Time passes by hand alone: one who waits for the lock takes none from the one who has it."""

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


async def settle() -> None:
    """Lets everything run that can run."""
    for _ in range(50):
        await asyncio.sleep(0)


async def log_in_of_yesterday(cache: TokenCache, rotating: Rotating, clock: ManualClock) -> None:
    """A person logged in; the token of that is dead by now."""
    await cache.adopt(rotating.log_in())
    clock.advance(86_400.0)


async def test_without_a_log_in_the_error_says_what_to_run_and_a_log_in_counts_at_once(
    cache: TokenCache, rotating: Rotating
) -> None:
    for _ in range(3):
        with pytest.raises(AuthError, match="nobody is logged in; run `rpa-bridge auth login erp`"):
            await cache.get()

    await cache.adopt(rotating.log_in())

    assert number(await cache.get()) == 1
    assert rotating.sent == []


async def test_each_renewal_spends_the_refresh_token_and_keeps_the_next(
    cache: TokenCache, rotating: Rotating, clock: ManualClock, kept: Kept
) -> None:
    await cache.adopt(rotating.log_in())
    for day in range(1, 4):
        assert await kept() == f"refresh-number-{day}"
        clock.advance(DEAD)
        assert number(await cache.get()) == day + 1

    assert rotating.sent == ["refresh-number-1", "refresh-number-2", "refresh-number-3"]


async def test_the_new_refresh_token_is_kept_before_its_token_is_handed_out(
    cache: TokenCache, store: MemoryStore, rotating: Rotating, clock: ManualClock, kept: Kept
) -> None:
    await log_in_of_yesterday(cache, rotating, clock)
    handed_out: list[Token] = []
    at_save: list[tuple[str, int]] = []
    really_save = store.save

    async def save(name: str, record: Record) -> None:
        await settle()
        at_save.append((str(record.refresh and record.refresh.get_secret_value()), len(handed_out)))
        await really_save(name, record)

    store.save = save  # type: ignore[method-assign]
    handed_out.append(await cache.get())

    assert at_save == [("refresh-number-2", 0)]


async def test_a_platform_that_gives_no_other_refresh_token_stands_by_the_old_one(
    cache: TokenCache, rotating: Rotating, clock: ManualClock
) -> None:
    rotating.rotates = False
    await cache.adopt(rotating.log_in())
    for _ in range(3):
        clock.advance(DEAD)
        await cache.get()

    assert rotating.sent == ["refresh-number-1"] * 3


async def test_a_rejected_token_is_renewed_and_the_refresh_token_outlives_it(
    new_cache: NewCache, store: MemoryStore, rotating: Rotating, clock: ManualClock
) -> None:
    caches = [new_cache(store, source=rotating) for _ in range(5)]
    await caches[0].adopt(rotating.log_in())
    tokens = [await cache.get() for cache in caches]
    clock.advance(10.0)

    for cache, token in zip(caches, tokens, strict=True):
        await cache.reject(token)
        assert number(await cache.get()) == 2
    assert rotating.sent == ["refresh-number-1"]


async def test_many_callers_of_many_caches_spend_one_refresh_token(
    new_cache: NewCache, store: MemoryStore, rotating: Rotating, clock: ManualClock
) -> None:
    caches = [new_cache(store, source=rotating) for _ in range(10)]
    await log_in_of_yesterday(caches[0], rotating, clock)

    tokens = await asyncio.gather(*(cache.get() for cache in caches for _ in range(10)))

    assert {number(token) for token in tokens} == {2}
    assert rotating.sent == ["refresh-number-1"]


async def test_a_refresh_token_that_is_no_longer_good_is_dropped_and_the_error_says_what_to_run(
    cache: TokenCache, rotating: Rotating, clock: ManualClock, kept: Kept
) -> None:
    await log_in_of_yesterday(cache, rotating, clock)
    rotating.good.clear()

    for _ in range(3):
        with pytest.raises(AuthError, match="run `rpa-bridge auth login erp`"):
            await cache.get()

    assert rotating.sent == ["refresh-number-1"]
    assert await kept() is None


async def test_another_refusal_keeps_the_refresh_token_and_is_remembered(
    cache: TokenCache, rotating: Rotating, clock: ManualClock, kept: Kept
) -> None:
    await log_in_of_yesterday(cache, rotating, clock)
    rotating.failures = [AuthError("wrong application", status=400, code="invalid_client")]
    for _ in range(3):
        with pytest.raises(AuthError, match=r"wrong application|is not asked again until"):
            await cache.get()
    assert (len(rotating.sent), await kept()) == (1, "refresh-number-1")

    clock.advance(60.0)

    assert number(await cache.get()) == 2


@pytest.mark.parametrize("lost", [UnavailableError("cut off"), ProtocolError("half an answer")])
async def test_after_a_lost_answer_the_same_refresh_token_is_tried_once_more(
    cache: TokenCache, rotating: Rotating, clock: ManualClock, kept: Kept, lost: RemoteError
) -> None:
    await log_in_of_yesterday(cache, rotating, clock)
    rotating.failures = [lost]
    assert number(await cache.get()) == 2
    assert rotating.sent == ["refresh-number-1"] * 2

    clock.advance(86_400.0)
    rotating.lost, rotating.sent = [lost], []
    with pytest.raises(AuthError, match="run `rpa-bridge auth login erp`"):
        await cache.get()
    assert rotating.sent == ["refresh-number-2"] * 2
    assert await kept() is None


async def test_two_lost_answers_end_in_an_error_that_names_both_mends_and_lose_no_refresh_token(
    cache: TokenCache, rotating: Rotating, clock: ManualClock
) -> None:
    await log_in_of_yesterday(cache, rotating, clock)
    rotating.failures = [UnavailableError("cut off") for _ in range(2)]

    with pytest.raises(
        AuthError, match=r"try again when the platform answers, or .* `rpa-bridge auth login`"
    ) as caught:
        await cache.get()

    assert caught.value.maybe_applied
    assert rotating.sent == ["refresh-number-1"] * 2
    assert number(await cache.get()) == 2, "the platform had not seen it"


async def test_a_stale_token_is_served_while_nobody_knows_whether_its_renewal_happened(
    cache: TokenCache, rotating: Rotating, clock: ManualClock
) -> None:
    await cache.adopt(rotating.log_in())
    clock.advance(STALE)
    rotating.failures = [UnavailableError("cut off") for _ in range(2)]

    assert number(await cache.get()) == 1


@pytest.mark.parametrize("failure", [NOT_REACHED, RateLimitedError("slow down", retry_after=2.0)])
async def test_what_never_reached_the_platform_or_was_put_off_is_tried_three_times(
    cache: TokenCache, rotating: Rotating, clock: ManualClock, failure: RemoteError, kept: Kept
) -> None:
    await log_in_of_yesterday(cache, rotating, clock)
    rotating.failures = [failure] * 3

    with pytest.raises(type(failure)):
        await cache.get()

    assert rotating.sent == ["refresh-number-1"] * 3
    assert await kept() == "refresh-number-1"


async def test_when_the_lock_is_not_to_be_had_the_refresh_token_is_left_alone(
    cache: TokenCache, store: MemoryStore, key: TokenKey, rotating: Rotating, clock: ManualClock
) -> None:
    await log_in_of_yesterday(cache, rotating, clock)
    assert await store.lock(await store.name(key)).acquire()

    with pytest.raises(UnavailableError, match="another process takes too long"):
        await cache.get()
    assert rotating.sent == []


async def test_a_renewal_that_is_cancelled_on_its_way_still_keeps_what_it_brought(
    cache: TokenCache, rotating: Rotating, clock: ManualClock, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    await log_in_of_yesterday(cache, rotating, clock)
    monkeypatch.setattr("rpa_bridge.auth.tokens.CLOSING", 0.0)
    rotating.open.clear()
    caller = asyncio.create_task(cache.get())
    await settle()

    closing = asyncio.create_task(cache.aclose())
    await settle()
    rotating.open.set()
    await closing

    with pytest.raises(UnavailableError, match="closed during the log-in"):
        await caller
    assert await kept() == "refresh-number-2"
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_renewal_that_hangs_after_it_was_cancelled_is_ended(
    cache: TokenCache,
    store: MemoryStore,
    key: TokenKey,
    rotating: Rotating,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await log_in_of_yesterday(cache, rotating, clock)
    monkeypatch.setattr("rpa_bridge.auth.tokens.CLOSING", 0.0)
    monkeypatch.setattr("rpa_bridge.auth.flight.WINDING_UP", 0.0)
    rotating.open.clear()
    caller = asyncio.create_task(cache.get())
    await settle()

    await cache.aclose()

    with pytest.raises(UnavailableError, match="closed during the log-in"):
        await caller
    assert await store.lock(await store.name(key)).acquire()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_token_that_had_ended_when_it_came_loses_no_refresh_token(
    cache: TokenCache, rotating: Rotating, clock: ManualClock
) -> None:
    await log_in_of_yesterday(cache, rotating, clock)
    rotating.open.clear()
    caller = asyncio.create_task(cache.get())
    await settle()
    clock.jump(DEAD)
    rotating.open.set()

    assert number(await caller) == 3
    assert rotating.sent == ["refresh-number-1", "refresh-number-2"]


async def test_a_log_in_waits_for_the_renewal_of_another_process_and_stands_against_it(
    new_cache: NewCache, new_rotating: NewRotating, store: MemoryStore, key: TokenKey
) -> None:
    clock, name = StillClock(), await store.name(key)
    rotating = new_rotating(clock)
    cache = new_cache(store, source=rotating, clock=clock)
    other = store.lock(name)
    assert await other.acquire()
    newly = rotating.log_in()
    adopting = asyncio.create_task(cache.adopt(newly))
    await settle()

    hour = timedelta(hours=1)
    late = Token(SecretStr("late"), clock.now(), clock.now() + hour, clock.monotonic(), refresh=SecretStr("old"))
    await store.save(name, EMPTY.with_token(late))
    await other.release()
    await adopting

    assert (await cache.get()).value == newly.value
    assert (await new_cache(store, source=rotating, clock=clock).get()).value == newly.value
    assert (await store.load(name)).refresh == newly.refresh


async def test_a_log_in_that_is_forgotten_during_its_renewal_stays_forgotten(
    new_cache: NewCache, new_rotating: NewRotating, store: MemoryStore, kept: Kept
) -> None:
    clock = StillClock()
    rotating = new_rotating(clock)
    renewing, forgetting = (new_cache(store, source=rotating, clock=clock) for _ in range(2))
    await log_in_of_yesterday(renewing, rotating, clock)
    rotating.open.clear()
    caller = asyncio.create_task(renewing.get())
    await settle()

    forgotten = asyncio.create_task(forgetting.forget())
    await settle()
    rotating.open.set()
    await asyncio.gather(caller, forgotten)

    assert await kept() is None


async def test_a_log_in_ends_the_memory_of_a_refusal_and_of_a_rejected_token(
    cache: TokenCache, rotating: Rotating, clock: ManualClock
) -> None:
    await log_in_of_yesterday(cache, rotating, clock)
    rotating.failures = [AuthError("no", status=400, code="invalid_client")]
    with pytest.raises(AuthError):
        await cache.get()

    await cache.adopt(rotating.log_in())

    assert number(await cache.get()) == 2


async def test_the_status_tells_of_the_refresh_token_when_its_token_is_gone_and_nothing_after_it_is_forgotten(
    cache: TokenCache, rotating: Rotating, clock: ManualClock
) -> None:
    until = clock.now() + timedelta(days=60)
    await log_in_of_yesterday(cache, rotating, clock)
    status = await cache.status()
    assert (status.state, status.refresh_kept, status.refresh_until) == ("expired", True, until)

    await cache.forget()

    status = await cache.status()
    assert (status.state, status.refresh_kept, status.refresh_until) == ("absent", False, None)
    with pytest.raises(AuthError):
        await cache.get()


async def test_a_new_process_renews_with_what_the_file_keeps_and_a_damaged_file_means_log_in_again(
    new_cache: NewCache,
    file_store: Callable[[], TokenStore],
    key: TokenKey,
    rotating: Rotating,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await log_in_of_yesterday(new_cache(file_store(), source=rotating), rotating, clock)
    assert number(await new_cache(file_store(), source=rotating).get()) == 2

    store = file_store()
    path = store._path(await store.name(key))  # type: ignore[attr-defined]
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_bytes(path.read_bytes().replace(b"refresh-number-2", b"refresh-number-3"))

    with pytest.raises(AuthError, match="run `rpa-bridge auth login erp`"):
        await new_cache(store, source=rotating).get()
    assert rotating.sent == ["refresh-number-1"]
    assert "damaged" in caplog.text
    assert "refresh-number" not in caplog.text


async def test_without_a_refresh_token_for_it_a_source_that_only_fetches_is_not_asked_to_renew(
    new_cache: NewCache, store: MemoryStore, key: TokenKey
) -> None:
    await store.save(await store.name(key), Record(refresh=SecretStr("refresh-of-a-stranger")))

    assert number(await new_cache(store).get()) == 1


async def test_nothing_that_is_logged_or_shown_holds_a_refresh_token(
    cache: TokenCache,
    store: MemoryStore,
    key: TokenKey,
    rotating: Rotating,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    token = rotating.log_in()
    seen: list[object] = [token, str(token)]
    await cache.adopt(token)
    for failure in (None, UnavailableError("down"), RateLimitedError("slow", retry_after=900.0), AuthError("no")):
        rotating.failures = [failure] * 3 if failure else []
        clock.advance(DEAD)
        try:
            seen.append(await cache.get())
        except RemoteError as error:
            seen += [repr(error), str(error), vars(error), error.__context__, error.__cause__]
        seen += [await cache.status(), cache.counters, await store.load(await store.name(key))]

    shown = f"{seen} {caplog.text} {[record.__dict__ for record in caplog.records]}"
    assert "Token(fp=" in shown
    assert "refresh-number" not in shown
    assert REDACTOR.clean("sent refresh-number-1 and refresh-number-2") == "sent *** and ***"


@pytest.mark.parametrize("seed", range(60))
async def test_on_any_day_a_refresh_token_is_sent_again_only_where_its_answer_was_lost(
    new_cache: NewCache, new_rotating: NewRotating, seed: int
) -> None:
    rng = random.Random(seed)  # noqa: S311 - days that repeat
    clock, store = StillClock(), MemoryStore()
    rotating = new_rotating(clock)
    caches = [new_cache(store, source=rotating, clock=clock) for _ in range(3)]
    await caches[0].adopt(rotating.log_in())
    lost = 0
    for _ in range(60):
        match rng.randrange(6):
            case 0:
                rotating.failures = [UnavailableError("cut")] * rng.randint(1, 3)
                lost += len(rotating.failures)
            case 1:
                await caches.pop(0).aclose()
                caches.append(new_cache(store, source=rotating, clock=clock))
            case 2:
                with suppress(RemoteError):
                    await rng.choice(caches).reject(await rng.choice(caches).get())
            case _:
                clock.advance(rng.choice([6.0, 700.0, 3000.0, 4000.0]))
        await asyncio.gather(*(cache.get() for cache in caches), return_exceptions=True)
        await settle()

    again = len(rotating.sent) - len(set(rotating.sent))
    assert len(set(rotating.sent)) > 5
    assert again <= lost
    for cache in caches:
        await cache.aclose()
    rotating.failures.clear()
    clock.advance(86_400.0)
    assert number(await caches[0].get()) == rotating.given, "whatever happened, the log-in lives"
