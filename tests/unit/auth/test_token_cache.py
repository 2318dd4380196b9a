"""One token for many callers: when it is served, when it is renewed, and what a failure does."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from rpa_bridge.auth.stores import MemoryStore, TokenStore
from rpa_bridge.auth.tokens import Freshness, Token, TokenCache, TokenKey
from rpa_bridge.errors import (
    AuthError,
    Delivery,
    DeniedError,
    InvalidError,
    NotFoundError,
    ProtocolError,
    RateLimitedError,
    RemoteError,
    UnavailableError,
)
from rpa_bridge.testing import ManualClock

if TYPE_CHECKING:
    from tests.unit.auth.conftest import NewCache, Platform

AGING, STALE, DEAD = 3000.0, 3400.0, 3595.0
"""Ages, in seconds, of a token that lives an hour."""
FOREVER = 99


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def cache(new_cache: NewCache, store: MemoryStore) -> TokenCache:
    return new_cache(store)


def number(token: Token) -> int:
    """Which of the platform's tokens it is."""
    return int(token.value.get_secret_value().rpartition("-")[2])


async def settle() -> None:
    """Lets everything run that can run."""
    for _ in range(50):
        await asyncio.sleep(0)


async def test_a_fresh_token_is_served_from_memory(cache: TokenCache, platform: Platform) -> None:
    first = await cache.get()

    assert all([await cache.get() is first for _ in range(100)])
    assert len(platform.asked) == 1
    assert cache.counters.token_requests == Counter(absent=1)
    assert cache.counters.cache_hits == Counter(memory=100)


async def test_a_fresh_token_costs_no_look_at_the_store(cache: TokenCache, store: MemoryStore) -> None:
    await cache.get()
    store.load = None  # type: ignore[method-assign, assignment]  # whoever calls it fails

    await cache.get()


async def test_a_hundred_callers_at_once_make_one_request(cache: TokenCache, platform: Platform) -> None:
    tokens = await asyncio.gather(*(cache.get() for _ in range(100)))

    assert {number(token) for token in tokens} == {1}
    assert len(platform.asked) == 1


async def test_a_cancelled_caller_does_not_cancel_the_others(cache: TokenCache, platform: Platform) -> None:
    platform.open.clear()
    callers = [asyncio.create_task(cache.get()) for _ in range(3)]
    await settle()

    callers[0].cancel()
    await settle()
    platform.open.set()

    assert [number(token) for token in await asyncio.gather(*callers[1:])] == [1, 1]
    assert callers[0].cancelled()
    assert len(platform.asked) == 1


async def test_when_all_callers_give_up_the_log_in_still_serves_the_next(cache: TokenCache, platform: Platform) -> None:
    platform.open.clear()
    caller = asyncio.create_task(cache.get())
    await settle()
    caller.cancel()
    await settle()
    platform.open.set()
    await settle()

    assert number(await cache.get()) == 1
    assert len(platform.asked) == 1


async def test_an_aging_token_is_served_at_once_and_renewed_once_behind_it(
    cache: TokenCache, platform: Platform, clock: ManualClock
) -> None:
    await cache.get()
    clock.advance(AGING)
    platform.open.clear()

    assert {number(await cache.get()) for _ in range(20)} == {1}
    await settle()
    assert {number(await cache.get()) for _ in range(20)} == {1}
    platform.open.set()
    await settle()

    assert number(await cache.get()) == 2
    assert cache.counters.token_requests == Counter(absent=1, aging=1)


async def test_a_new_process_serves_an_aging_token_and_renews_it_behind(
    new_cache: NewCache, store: MemoryStore, platform: Platform, clock: ManualClock
) -> None:
    await new_cache(store).get()
    clock.advance(AGING)
    newcomer = new_cache(store)

    assert number(await newcomer.get()) == 1
    await settle()
    assert number(await newcomer.get()) == 2
    assert len(platform.asked) == 2


async def test_what_another_process_has_renewed_is_taken_over(
    new_cache: NewCache, store: MemoryStore, platform: Platform, clock: ManualClock
) -> None:
    one, other = new_cache(store), new_cache(store)
    await asyncio.gather(one.get(), other.get())
    clock.advance(AGING)
    await asyncio.gather(one.get(), other.get())
    await settle()
    clock.advance(0.2)

    assert [number(await cache.get()) for cache in (one, other)] == [2, 2]
    assert len(platform.asked) == 2


async def test_a_failed_renewal_ahead_of_time_is_tried_again_after_a_growing_pause(
    cache: TokenCache, platform: Platform, clock: ManualClock
) -> None:
    platform.lifetime = 86_400.0
    born = clock.monotonic()
    await cache.get()
    clock.advance(85_300.0)
    platform.failures = [NotFoundError("not here") for _ in range(FOREVER)]  # one attempt each: no pause within

    while clock.monotonic() < born + 86_000.0:
        assert number(await cache.get()) == 1
        await settle()
        clock.advance(1.0)

    pauses = [later - earlier for earlier, later in zip(platform.asked[1:], platform.asked[2:], strict=False)]
    assert len(pauses) == 4
    for pause, expected in zip(pauses, (30.0, 60.0, 120.0, 240.0), strict=True):
        assert expected * 0.8 <= pause <= expected * 1.2 + 1


async def test_a_stale_token_is_renewed_while_the_caller_waits(
    cache: TokenCache, platform: Platform, clock: ManualClock
) -> None:
    await cache.get()
    clock.advance(STALE)

    assert number(await cache.get()) == 2
    assert cache.counters.token_requests == Counter(absent=1, stale=1)


@pytest.mark.parametrize(
    "failure", [UnavailableError("down"), RateLimitedError("slow", retry_after=60.0), ProtocolError("a web page")]
)
async def test_a_stale_token_is_served_when_the_platform_cannot_give_one_now(
    cache: TokenCache, platform: Platform, clock: ManualClock, failure: RemoteError, caplog: pytest.LogCaptureFixture
) -> None:
    await cache.get()
    clock.advance(STALE)
    platform.failures = [failure] * FOREVER

    assert number(await cache.get()) == 1
    asked = len(platform.asked)
    assert number(await cache.get()) == 1, "at once: the next try is half a minute away"
    assert len(platform.asked) == asked
    assert "the old one is used while it lasts" in caplog.text


async def test_a_new_process_serves_a_stale_token_too_when_the_platform_is_down(
    new_cache: NewCache, store: MemoryStore, platform: Platform, clock: ManualClock
) -> None:
    await new_cache(store).get()
    clock.advance(STALE)
    platform.failures = [UnavailableError("down")] * FOREVER

    assert number(await new_cache(store).get()) == 1


async def test_a_stale_token_is_not_served_when_the_credentials_are_refused(
    cache: TokenCache, platform: Platform, clock: ManualClock
) -> None:
    await cache.get()
    clock.advance(STALE)
    platform.failures = [AuthError("wrong secret", status=401)]

    for _ in range(3):
        with pytest.raises(AuthError):
            await cache.get()
    assert len(platform.asked) == 2


async def test_a_dead_token_is_never_served(cache: TokenCache, platform: Platform, clock: ManualClock) -> None:
    await cache.get()
    clock.advance(DEAD)
    platform.failures = [UnavailableError("down")] * 3

    with pytest.raises(UnavailableError, match="down"):
        await cache.get()
    assert number(await cache.get()) == 5


@pytest.mark.parametrize("failure", [UnavailableError, RateLimitedError])
async def test_a_passing_failure_is_tried_three_times_with_growing_pauses(
    cache: TokenCache, platform: Platform, clock: ManualClock, failure: type[RemoteError]
) -> None:
    platform.failures = [failure("not now") for _ in range(3)]

    with pytest.raises(failure) as caught:
        await cache.get()

    assert len(platform.asked) == caught.value.attempts == 3
    assert 0.5 <= clock.slept[0] <= 1.0 <= clock.slept[1] <= 2.0
    assert len(clock.slept) == 2


async def test_a_passing_failure_is_not_noticed_when_the_third_attempt_succeeds(
    cache: TokenCache, platform: Platform
) -> None:
    platform.failures = [UnavailableError("cut"), UnavailableError("cut")]

    assert number(await cache.get()) == 3


@pytest.mark.parametrize("failure", [ProtocolError("a web page"), NotFoundError("no such address")])
async def test_other_failures_are_neither_repeated_nor_remembered(
    cache: TokenCache, platform: Platform, failure: RemoteError
) -> None:
    platform.failures = [failure]

    with pytest.raises(type(failure)):
        await cache.get()
    assert len(platform.asked) == 1
    assert number(await cache.get()) == 2


async def test_retry_after_is_obeyed_between_attempts(
    cache: TokenCache, platform: Platform, clock: ManualClock
) -> None:
    platform.failures = [RateLimitedError("slow down", retry_after=7.0)]

    await cache.get()

    assert platform.asked[1] - platform.asked[0] >= 7.0
    assert sum(clock.slept) <= 7.7


async def test_a_long_retry_after_is_raised_at_once_and_obeyed_by_all_processes(
    new_cache: NewCache, store: MemoryStore, platform: Platform, clock: ManualClock
) -> None:
    platform.failures = [RateLimitedError("slow down", retry_after=120.0)]
    with pytest.raises(RateLimitedError, match="slow down"):
        await new_cache(store).get()

    clock.advance(60.0)
    with pytest.raises(RateLimitedError, match="another 60 seconds") as caught:
        await new_cache(store).get()
    assert caught.value.retry_after == 60.0
    assert caught.value.delivery is Delivery.NOT_SENT
    assert (len(platform.asked), clock.slept) == (1, [])

    clock.advance(50.0)
    assert number(await new_cache(store).get()) == 2
    assert platform.asked[1] - platform.asked[0] >= 120.0


@pytest.mark.parametrize("retry_after", [1e6, float("inf")])
async def test_an_absurd_retry_after_is_believed_for_an_hour_at_most(
    cache: TokenCache, platform: Platform, clock: ManualClock, retry_after: float
) -> None:
    platform.failures = [RateLimitedError("slow down", retry_after=retry_after)]
    with pytest.raises(RateLimitedError):
        await cache.get()

    clock.advance(3600.0)

    assert number(await cache.get()) == 2


@pytest.mark.parametrize("failure", [AuthError, DeniedError, InvalidError])
async def test_a_refusal_is_remembered_by_all_processes_for_a_doubling_time(
    new_cache: NewCache, store: MemoryStore, platform: Platform, clock: ManualClock, failure: type[RemoteError]
) -> None:
    platform.failures = [failure("wrong secret", status=400, code="invalid_client") for _ in range(FOREVER)]

    for quiet in (60.0, 120.0, 240.0, 480.0, 900.0, 900.0):
        with pytest.raises(failure, match="wrong secret"):
            await new_cache(store).get()
        asked = len(platform.asked)
        clock.advance(quiet - 1.0)
        with pytest.raises(
            AuthError, match=r"\(invalid_client\) and is not asked again until .* UTC; correct the"
        ) as caught:
            await new_cache(store).get()
        assert (caught.value.status, caught.value.code, caught.value.delivery) == (400, "invalid_client", "not_sent")
        assert len(platform.asked) == asked
        clock.advance(1.0)


async def test_a_success_ends_the_doubling(cache: TokenCache, platform: Platform, clock: ManualClock) -> None:
    for _ in range(2):
        platform.failures = [AuthError("wrong secret"), AuthError("wrong secret")]
        with pytest.raises(AuthError):
            await cache.get()
        clock.advance(60.0)
        with pytest.raises(AuthError, match="wrong secret"):
            await cache.get()
        clock.advance(120.0)
        await cache.get()
        clock.advance(DEAD)


async def test_another_secret_is_not_held_back_by_the_refusal_of_the_old_one(
    new_cache: NewCache, store: MemoryStore, platform: Platform, key: TokenKey
) -> None:
    platform.failures = [AuthError("wrong secret")]
    with pytest.raises(AuthError):
        await new_cache(store).get()

    mended = replace(key, secret=SecretStr("the-right-secret"))

    assert number(await new_cache(store, key=mended).get()) == 2


async def test_a_code_that_is_a_text_is_not_kept(cache: TokenCache, platform: Platform) -> None:
    platform.failures = [AuthError("wrong", code="a whole sentence, perhaps with a secret")]
    with pytest.raises(AuthError):
        await cache.get()

    with pytest.raises(AuthError) as caught:
        await cache.get()
    assert caught.value.code is None
    assert "sentence" not in str(caught.value)


async def test_forgetting_removes_the_token_and_the_memory_of_refusals(
    new_cache: NewCache, store: MemoryStore, platform: Platform
) -> None:
    cache = new_cache(store)
    await cache.get()
    await cache.forget()
    assert number(await cache.get()) == 2

    await cache.forget()
    platform.failures = [AuthError("wrong secret")]
    with pytest.raises(AuthError):
        await cache.get()
    await new_cache(store).forget()
    assert number(await cache.get()) == 4


async def test_a_rejected_token_is_replaced(cache: TokenCache, platform: Platform, clock: ManualClock) -> None:
    token = await cache.get()
    clock.advance(10.0)

    await cache.reject(token)

    assert (await cache.status()).state == "absent"
    assert number(await cache.get()) == 2
    assert cache.counters.token_requests == Counter(absent=1, rejected=1)


async def test_a_late_reject_of_an_old_token_evicts_nothing(
    cache: TokenCache, store: MemoryStore, platform: Platform, clock: ManualClock
) -> None:
    old = await cache.get()
    clock.advance(10.0)
    await cache.reject(old)
    new = await cache.get()
    clock.advance(10.0)

    await asyncio.gather(*(cache.reject(old) for _ in range(50)))
    store.load = None  # type: ignore[method-assign, assignment]  # whoever has to look there fails

    assert await cache.get() is new
    assert len(platform.asked) == 2


async def test_a_token_that_all_processes_reject_is_renewed_once(
    new_cache: NewCache, store: MemoryStore, platform: Platform, clock: ManualClock
) -> None:
    caches = [new_cache(store) for _ in range(10)]
    tokens = [await cache.get() for cache in caches]
    clock.advance(10.0)

    for cache, token in zip(caches, tokens, strict=True):
        await cache.reject(token)
        assert number(await cache.get()) == 2
    assert len(platform.asked) == 2


async def test_a_token_that_is_only_just_born_is_not_renewed_for_being_refused(
    cache: TokenCache, platform: Platform, clock: ManualClock
) -> None:
    token = await cache.get()
    clock.advance(4.9)

    await cache.reject(token)

    assert await cache.get() is token
    assert len(platform.asked) == 1


async def test_forced_renewals_are_bounded_across_processes(
    new_cache: NewCache, store: MemoryStore, platform: Platform, clock: ManualClock
) -> None:
    for _ in range(3):
        cache = new_cache(store)
        token = await cache.get()
        clock.advance(10.0)
        await cache.reject(token)
        await cache.get()
    cache = new_cache(store)
    token = await cache.get()
    clock.advance(10.0)
    await cache.reject(token)

    for _ in range(5):
        with pytest.raises(AuthError, match="refused 3 renewed tokens within five minutes"):
            await cache.get()
    assert len(platform.asked) == 4

    clock.advance(300.0)
    assert number(await cache.get()) == 5


async def test_a_platform_that_gives_the_same_token_again_is_taken_at_its_word(
    cache: TokenCache, platform: Platform, clock: ManualClock
) -> None:
    platform.stubborn = True
    token = await cache.get()
    clock.advance(10.0)
    await cache.reject(token)

    assert (await cache.get()).value == token.value
    assert (await cache.get()).value == token.value
    clock.advance(AGING)
    await cache.get()
    await settle()
    assert cache.counters.token_requests == Counter(absent=1, rejected=1, aging=1)


async def test_the_status_tells_all_but_the_token(cache: TokenCache, platform: Platform, clock: ManualClock) -> None:
    born = clock.now()
    assert (await cache.status()).state == "absent"
    await cache.get()
    seen = {}
    for age in (0.0, AGING, STALE, DEAD):
        clock.advance(age - (clock.now() - born).total_seconds())
        seen[age] = (await cache.status()).state
    status = await cache.status()

    assert seen == {0.0: "fresh", AGING: "aging", STALE: "stale", DEAD: "expired"}
    assert (status.obtained_at, status.expires_at) == (born, born + timedelta(hours=1))
    assert (status.scopes, status.stored) == (("read",), "memory")
    assert "token-number" not in repr(status)
    assert len(platform.asked) == 1


async def test_the_status_of_a_new_process_is_that_of_the_record(
    new_cache: NewCache, file_store: Callable[[], TokenStore], platform: Platform
) -> None:
    await new_cache(file_store()).get()

    status = await new_cache(file_store()).status()

    assert (status.state, status.stored) == ("fresh", "file")
    assert len(platform.asked) == 1


async def test_a_closed_cache_leaves_no_task_and_no_lock_behind(
    new_cache: NewCache, store: MemoryStore, platform: Platform, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rpa_bridge.auth.tokens.CLOSING", 0.0)
    cache = new_cache(store)
    await cache.get()
    clock.advance(AGING)
    platform.open.clear()
    await cache.get()
    await settle()

    await cache.aclose()

    assert asyncio.all_tasks() == {asyncio.current_task()}
    platform.open.set()
    assert number(await new_cache(store).get()) == 1
    await cache.aclose()


async def test_short_lived_processes_do_not_each_ask_for_the_next_token(
    new_cache: NewCache, store: MemoryStore, platform: Platform, clock: ManualClock
) -> None:
    await new_cache(store).get()
    clock.advance(AGING)
    for _ in range(5):
        cache = new_cache(store)
        platform.open.clear()
        await cache.get()
        closing = asyncio.create_task(cache.aclose())
        await settle()
        platform.open.set()
        await closing

    assert len(platform.asked) == 2


async def test_a_caller_who_waits_while_the_cache_is_closed_is_told_so(cache: TokenCache, platform: Platform) -> None:
    platform.open.clear()
    caller = asyncio.create_task(cache.get())
    await settle()

    await cache.aclose()

    with pytest.raises(UnavailableError, match="closed during the log-in"):
        await caller


async def test_a_log_in_that_is_never_answered_ends(
    cache: TokenCache, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rpa_bridge.auth.flight.HOLD", 0.01)
    monkeypatch.setattr("rpa_bridge.auth.flight.LEAST_TIME", 0.0)
    platform.open.clear()

    with pytest.raises(UnavailableError, match="did not answer the log-in in time"):
        await cache.get()


async def test_a_renewal_ahead_of_time_that_hangs_is_ended(
    cache: TokenCache, platform: Platform, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await cache.get()
    clock.advance(AGING)
    platform.open.clear()
    monkeypatch.setattr("rpa_bridge.auth.tokens.BACKGROUND", 0.0)

    assert number(await cache.get()) == 1
    await settle()

    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_token_that_had_ended_when_it_came_is_not_served(
    cache: TokenCache, platform: Platform, clock: ManualClock
) -> None:
    platform.open.clear()
    caller = asyncio.create_task(cache.get())
    await settle()
    clock.jump(DEAD)
    platform.open.set()

    token = await caller

    assert number(token) == 2
    assert token.freshness(clock.now(), clock.monotonic()) is Freshness.FRESH


async def test_when_the_lock_is_not_to_be_had_the_platform_is_asked_all_the_same(
    cache: TokenCache, store: MemoryStore, key: TokenKey, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    foreign = store.lock(await store.name(key))
    assert await foreign.acquire()

    assert number(await cache.get()) == 1

    assert 25.0 <= sum(clock.slept) <= 30.1, "not all give up at the same moment"
    assert all(0.0025 <= pause <= 0.1 for pause in clock.slept)
    assert cache.counters.lock_bypassed == 1
    assert "logs in beside it" in caplog.text
    assert not await store.lock(await store.name(key)).acquire(), "the lock is still the other's"


async def test_a_follower_leaves_as_soon_as_the_token_is_there(
    new_cache: NewCache, store: MemoryStore, key: TokenKey, platform: Platform, clock: ManualClock
) -> None:
    token = await new_cache(store).get()
    kept = await store.load(await store.name(key))
    await store.remove(await store.name(key))
    assert await store.lock(await store.name(key)).acquire()
    follower = new_cache(store)
    caller = asyncio.create_task(follower.get())
    await settle()
    await store.save(await store.name(key), kept)

    assert (await caller).value == token.value
    assert follower.counters.cache_hits == Counter(memory=1)
    assert len(platform.asked) == 1


async def test_an_error_of_the_source_itself_reaches_the_caller_and_breaks_nothing(
    cache: TokenCache, platform: Platform, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    await cache.get()
    clock.advance(AGING)
    platform.failures = [ZeroDivisionError("with-a-secret")] * 2

    assert number(await cache.get()) == 1
    await settle()
    assert "ZeroDivisionError" in caplog.text
    assert "with-a-secret" not in caplog.text
    clock.advance(STALE - AGING)
    with pytest.raises(ZeroDivisionError):
        await cache.get()
    assert number(await cache.get()) == 4


async def test_nothing_that_is_logged_or_shown_holds_a_secret(
    new_cache: NewCache,
    file_store: Callable[[], TokenStore],
    platform: Platform,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    seen: list[object] = []
    cache = new_cache(file_store())
    for failure in (None, UnavailableError("down"), RateLimitedError("slow", retry_after=900.0), AuthError("no")):
        platform.failures = [failure] * 3 if failure else []
        for age in (0.0, AGING, STALE, DEAD):
            clock.advance(age)
            try:
                token = await cache.get()
            except RemoteError as error:
                seen += [repr(error), str(error), vars(error), error.__context__, error.__cause__]
            else:
                await cache.reject(token)
                seen += [token, str(token)]
            seen += [await cache.status(), cache.counters]
    await cache.aclose()

    shown = f"{seen} {caplog.text} {[record.__dict__ for record in caplog.records]}"
    assert "Token(fp=" in shown
    assert "token-number" not in shown
    assert "client-secret" not in shown
