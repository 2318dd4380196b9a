"""The one visit with which a browser brings a code: from whom it is taken, and what everybody else gets."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import pickle
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import pytest

from rpa_bridge.auth.browser import LARGEST_VISIT, Challenge, Redirect
from rpa_bridge.errors import AuthError, ConfigError
from rpa_bridge.redaction import REDACTOR
from rpa_bridge.testing import ManualClock
from tests.ports import free_port

STATE, CODE = "the-state-of-this-log-in", "canary-code-4711"
OURS = {"code": CODE, "state": STATE}


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
async def redirect(port: int, clock: ManualClock) -> AsyncIterator[Redirect]:
    async with Redirect(f"http://localhost:{port}/back", STATE, clock) as listening:
        yield listening
    with pytest.raises(OSError, match=r"refused|Connect call failed"):
        await asyncio.open_connection("127.0.0.1", port)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def visit(port: int, query: dict[str, str] | None = None, *, line: str = "GET /back{query} HTTP/1.1") -> str:
    """What a browser is answered."""
    text = line.format(query=f"?{urlencode(query)}" if query is not None else "")
    return await say(port, f"{text}\r\nHost: localhost\r\n\r\n".encode())


async def say(port: int, request: bytes) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        return (await reader.read()).decode()
    except ConnectionError:
        return ""
    finally:
        writer.close()


async def test_the_code_is_taken_and_the_person_is_thanked(redirect: Redirect, port: int) -> None:
    answer = await visit(port, OURS)

    assert (await redirect.code()).get_secret_value() == CODE
    assert answer.startswith("HTTP/1.1 200 OK")
    assert "You may close this window" in answer
    assert "Referrer-Policy: no-referrer" in answer
    assert CODE not in answer
    assert REDACTOR.clean(f"code {CODE}") == "code ***"


@pytest.mark.parametrize(
    "query",
    [
        {"code": CODE},
        {"code": CODE, "state": ""},
        {"code": CODE, "state": f"{STATE}x"},
        {"code": CODE, "state": "ünïcode"},
        {"error": "access_denied", "state": "of another log-in"},
    ],
)
async def test_a_visit_of_another_log_in_ends_this_one_and_its_code_is_not_taken(
    redirect: Redirect, port: int, query: dict[str, str]
) -> None:
    answer = await visit(port, query)

    with pytest.raises(AuthError, match="wrong state") as caught:
        await redirect.code()
    assert CODE not in str(caught.value)
    assert answer.startswith("HTTP/1.1 400")


@pytest.mark.parametrize(
    ("brought", "sentence"),
    [
        ({"error": "access_denied"}, r"refused in the browser \(access_denied\)"),
        (
            {"error": "invalid_scope", "error_description": "a canary"},
            r"failed in the browser \(invalid_scope\); check auth",
        ),
        ({"error": "\x1b[31m red\nwords"}, r"failed in the browser \(no reason given\)"),
        ({"code": "", "error": ""}, r"failed in the browser \(no reason given\)"),
    ],
)
async def test_a_refusal_in_the_browser_is_an_auth_error_in_our_own_words(
    redirect: Redirect, port: int, brought: dict[str, str], sentence: str
) -> None:
    query = urlencode(brought | {"state": STATE})
    answer = await say(port, f"GET /back?{query} HTTP/1.1\r\n\r\n".encode())

    with pytest.raises(AuthError, match=sentence) as caught:
        await redirect.code()
    assert "canary" not in str(caught.value)
    assert "The log-in failed" in answer


@pytest.mark.parametrize(
    "line",
    [
        "GET /favicon.ico HTTP/1.1",
        "GET /back HTTP/1.1",
        "GET /{query} HTTP/1.1",
        "POST /back{query} HTTP/1.1",
        "HEAD /back{query} HTTP/1.1",
        "nonsense",
        "",
    ],
)
async def test_other_visits_are_turned_away_and_end_nothing(redirect: Redirect, port: int, line: str) -> None:
    assert (await visit(port, OURS, line=line)).startswith("HTTP/1.1 404")

    await visit(port, OURS)
    assert (await redirect.code()).get_secret_value() == CODE


async def test_only_the_first_visit_counts(redirect: Redirect, port: int) -> None:
    await visit(port, OURS)

    assert (await visit(port, OURS | {"code": "another"})).startswith("HTTP/1.1 404")
    assert (await redirect.code()).get_secret_value() == CODE


async def test_a_visitor_who_says_too_much_or_nothing_holds_nobody_up(redirect: Redirect, port: int) -> None:
    silent = await asyncio.open_connection("127.0.0.1", port)
    assert await say(port, b"GET /back?x=" + b"x" * 2 * LARGEST_VISIT + b" HTTP/1.1\r\n\r\n") == ""
    assert (await say(port, b"\xff\xfe\r\n\r\n")).startswith("HTTP/1.1 404")

    await visit(port, OURS)
    assert (await redirect.code()).get_secret_value() == CODE
    silent[1].close()


async def test_after_two_minutes_by_the_clock_nobody_waits_any_more(redirect: Redirect, clock: ManualClock) -> None:
    waiting = asyncio.create_task(redirect.code())
    await asyncio.sleep(0)
    assert not waiting.done()

    clock.advance(120.0)

    with pytest.raises(AuthError, match="within 120 seconds; log in again"):
        await waiting


async def test_a_port_that_is_taken_is_named(redirect: Redirect, port: int, clock: ManualClock) -> None:
    with pytest.raises(ConfigError, match=rf"port {port} of this machine.*auth\.redirect_url") as caught:
        async with Redirect(f"http://127.0.0.1:{port}", STATE, clock):
            raise AssertionError("two cannot listen")
    assert caught.value.__context__ is None


async def test_nobody_but_this_machine_is_listened_to(redirect: Redirect) -> None:
    assert {one.getsockname()[0] for one in redirect._server.sockets} == {"127.0.0.1"}


def test_a_challenge_cannot_be_guessed_and_shows_no_verifier() -> None:
    challenges = [Challenge.new() for _ in range(100)]
    assert len({one.verifier.get_secret_value() for one in challenges} | {one.state for one in challenges}) == 200
    one = challenges[0]
    verifier = one.verifier.get_secret_value()
    assert 43 <= len(verifier) <= 128
    assert base64.urlsafe_b64decode(f"{one.s256}=") == hashlib.sha256(verifier.encode()).digest()
    assert verifier not in repr(one)
    assert verifier not in REDACTOR.clean(f"sent {verifier}")
    with pytest.raises(TypeError, match="in clear"):
        pickle.dumps(one)
