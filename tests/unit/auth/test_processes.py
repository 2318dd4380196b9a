"""Many processes, one log-in: real processes, real files and locks, and a token endpoint that counts."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pydantic import SecretStr

from rpa_bridge.auth.records import Record
from rpa_bridge.auth.stores import open_store
from rpa_bridge.auth.tokens import Token, TokenKey
from rpa_bridge.clock import SystemClock

GOOD, BAD = "the-good-client-secret", "the-bad-client-secret"
SOON = 15.0
"""Seconds; less than the patience with a lock's holder, so that nobody has simply run out of it."""

PROGRAM = """
import asyncio, http.client, json, os, random, sys
from pathlib import Path
from pydantic import SecretStr
from rpa_bridge.auth.stores import open_store
from rpa_bridge.auth.tokens import TokenCache, TokenKey, token_from
from rpa_bridge.clock import SystemClock
from rpa_bridge.errors import AuthError

PORT, FOLDER, CALLS, HOW = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
CLOCK = SystemClock()

def ask(secret):
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=20)
    try:
        connection.request("POST", "/token", secret, {"X-Process": str(os.getpid())})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()

class Source:
    def __init__(self, secret):
        self.secret = secret

    async def fetch(self):
        return await self.token(self.secret)

    async def token(self, secret):
        sent_at, sent_monotonic = CLOCK.now(), CLOCK.monotonic()
        status, answer = await asyncio.to_thread(ask, secret)
        if status != 200:
            raise AuthError("wrong secret", status=status, code=answer["error"])
        return token_from(
            answer["access_token"],
            lifetime=answer["expires_in"],
            default_lifetime=1800.0,
            sent_at=sent_at,
            sent_monotonic=sent_monotonic,
            refresh=answer.get("refresh_token"),
        )

class RenewingSource(Source):
    async def fetch(self):
        raise AuthError("nobody is logged in")

    async def renew(self, refresh):
        return await self.token(refresh.get_secret_value())

async def main(secret):
    key = TokenKey(adapter="test", token_url=f"http://127.0.0.1:{PORT}/token", secret=SecretStr(secret))
    store = open_store(Path(FOLDER) if FOLDER else None, CLOCK)
    source = RenewingSource(secret) if HOW == "renew" else Source(secret)
    cache = TokenCache(source, key, CLOCK, store, random.Random())
    seen = set()
    for call in range(CALLS):
        try:
            token = await cache.get()
        except AuthError:
            seen.add("refused")
            continue
        seen.add(token.fingerprint)
        if HOW == "reject" and call == 0:
            await cache.reject(token)
    await cache.aclose()
    print(json.dumps([sorted(seen), cache.counters.lock_bypassed]))

print("ready", flush=True)
asyncio.run(main(sys.stdin.readline().strip()))
"""


class Endpoint(ThreadingHTTPServer):
    """Gives a new token to whoever has the good secret; the first request may be left without an answer."""

    daemon_threads = False
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.askers: list[int] = []
        """The process of each request."""
        self.first_hangs = False
        self.refresh = ""
        """The one refresh token that is good."""
        self.asked, self.released, self.lock = threading.Event(), threading.Event(), threading.Lock()

    def count(self, process: int) -> int:
        with self.lock:
            self.askers.append(process)
            return len(self.askers)


class _Answer(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        secret = self.rfile.read(int(self.headers["Content-Length"])).decode()
        number = self.server.count(int(self.headers["X-Process"]))
        self.server.asked.set()
        if number == 1 and self.server.first_hangs:
            self.server.released.wait()
            return
        token: dict[str, object] = {"access_token": f"token-number-{number}", "expires_in": 3600}
        if secret == GOOD:
            self._answer(200, token)
        elif secret == self.server.refresh:
            self.server.refresh = f"refresh-number-{number}"
            self._answer(200, token | {"refresh_token": self.server.refresh})
        else:
            self._answer(400, {"error": "invalid_client"})

    def _answer(self, status: int, content: dict[str, object]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        yield server
        server.released.set()
        server.shutdown()
        serving.join()


Process = subprocess.Popen[str]
Start = Callable[..., "list[Process]"]


@pytest.fixture
def start(endpoint: Endpoint, tmp_path: Path) -> Iterator[Start]:
    """Starts processes that share a folder, and lets them go all at once when the last of them is ready."""
    with ExitStack() as stack:

        def go(
            count: int, *, secret: str = GOOD, folder: Path | None = tmp_path / "cache", calls: int = 1, how: str = ""
        ) -> list[Process]:
            program = [sys.executable, "-c", PROGRAM, str(endpoint.server_port), str(folder or ""), str(calls), how]
            processes = [stack.enter_context(_running(program)) for _ in range(count)]
            for process in processes:
                assert process.stdout is not None
                assert process.stdout.readline() == "ready\n"
            for process in processes:
                assert process.stdin is not None
                process.stdin.write(f"{secret}\n")
                process.stdin.flush()
            return processes

        yield go


@contextmanager
def _running(program: list[str]) -> Iterator[Process]:
    pipe = subprocess.PIPE
    with subprocess.Popen(program, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def told(processes: Sequence[Process]) -> set[str]:
    """What all of them saw: fingerprints of tokens, or "refused"; none may have given up on the lock."""
    seen: set[str] = set()
    for process in processes:
        output, errors = process.communicate(timeout=SOON)
        assert process.returncode == 0, errors
        assert not errors
        mine, bypassed = json.loads(output)
        assert bypassed == 0
        seen.update(mine)
    return seen


def test_twenty_processes_that_start_at_once_make_one_token_request(start: Start, endpoint: Endpoint) -> None:
    processes = start(20, calls=20)

    assert len(told(processes)) == 1
    assert len(endpoint.askers) == 1


def test_without_a_shared_folder_each_process_asks_for_itself(start: Start, endpoint: Endpoint) -> None:
    processes = start(2, folder=None, calls=20)

    assert len(told(processes)) == 2
    assert len(endpoint.askers) == 2, "the count of one elsewhere is the shared folder's doing"


def test_when_the_process_that_logs_in_is_killed_the_next_one_takes_over(start: Start, endpoint: Endpoint) -> None:
    endpoint.first_hangs = True
    processes = start(4)
    assert endpoint.asked.wait(SOON)
    (leader,) = (process for process in processes if process.pid == endpoint.askers[0])

    leader.kill()
    others = [process for process in processes if process is not leader]

    assert len(told(others)) == 1
    assert len(endpoint.askers) == 2


def test_eight_processes_with_a_bad_secret_are_refused_by_one_request(start: Start, endpoint: Endpoint) -> None:
    processes = start(8, secret=BAD, calls=20)

    assert told(processes) == {"refused"}
    assert len(endpoint.askers) == 1

    (fingerprint,) = told(start(1, secret=GOOD))
    assert fingerprint != "refused", "another secret is another log-in"
    assert len(endpoint.askers) == 2


def test_a_withdrawn_token_that_four_processes_reject_is_renewed_once(
    start: Start, endpoint: Endpoint, tmp_path: Path
) -> None:
    withdrawn = asyncio.run(_keep_a_token_of_a_minute_ago(endpoint, tmp_path / "cache"))

    seen = told(start(4, calls=3, how="reject"))

    assert len(endpoint.askers) == 1
    assert len(seen - {withdrawn.fingerprint}) == 1


def test_eight_processes_that_renew_at_once_spend_the_refresh_token_once(
    start: Start, endpoint: Endpoint, tmp_path: Path
) -> None:
    endpoint.refresh = "refresh-number-0"
    asyncio.run(_keep(endpoint, tmp_path / "cache", Record(refresh=SecretStr("refresh-number-0"))))

    seen = told(start(8, calls=3, how="renew"))

    assert len(endpoint.askers) == 1
    assert len(seen - {"refused"}) == len(seen) == 1
    assert endpoint.refresh.encode() in b"".join(path.read_bytes() for path in (tmp_path / "cache").rglob("*.json"))


async def _keep_a_token_of_a_minute_ago(endpoint: Endpoint, folder: Path) -> Token:
    clock = SystemClock()
    born = clock.now() - timedelta(seconds=60)
    token = Token(SecretStr("token-withdrawn"), born, born + timedelta(hours=1), clock.monotonic() - 60.0)
    await _keep(endpoint, folder, Record(token=token))
    return token


async def _keep(endpoint: Endpoint, folder: Path, record: Record) -> None:
    store = open_store(folder, SystemClock())
    url = f"http://127.0.0.1:{endpoint.server_port}/token"
    await store.save(store.name(TokenKey(adapter="test", token_url=url, secret=SecretStr(GOOD))), record)
