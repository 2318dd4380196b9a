"""A platform of two addresses, where one logs in and where one works. It counts, and can be told to misbehave."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

GOOD, BAD = "the-good-client-secret", "the-bad-client-secret"


class TokenPlatform(ThreadingHTTPServer):
    """Gives a new token, of an hour, to whoever has the good secret or the one good refresh token."""

    daemon_threads = False
    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.askers: list[int] = []
        """The process of each request for a token."""
        self.calls = 0
        """Calls that were carried out."""
        self.refused = 0
        """Calls that came with a token which is not good."""
        self.good: set[str] = set()
        """The tokens that are taken."""
        self.refresh = ""
        self.delay = 0.0
        """Seconds that a log-in takes."""
        self.first_hangs = False
        """True: the first request for a token gets no answer."""
        self.revoke_after: int | None = None
        """After so many calls all tokens of until then are withdrawn."""
        self.asked, self._released, self.changing = threading.Event(), threading.Event(), threading.Lock()
        self._serving = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> Self:
        self._serving.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._released.set()
        self.shutdown()
        self._serving.join()
        self.server_close()

    def log_in(self, process: int, secret: str) -> tuple[int, dict[str, object]] | None:
        """What a request for a token is answered; None when it is not."""
        with self.changing:
            self.askers.append(process)
            number = len(self.askers)
        self.asked.set()
        if number == 1 and self.first_hangs:
            self._released.wait()
            return None
        time.sleep(self.delay)
        with self.changing:
            if secret not in {GOOD, self.refresh}:
                return 400, {"error": "invalid_client"}
            token: dict[str, object] = {"access_token": f"token-number-{number}", "expires_in": 3600}
            self.good.add(f"token-number-{number}")
            if secret == self.refresh:
                self.refresh = f"refresh-number-{number}"
                token["refresh_token"] = self.refresh
        return 200, token

    def work(self, token: str) -> int:
        """The status of a call with this token."""
        with self.changing:
            if token not in self.good:
                self.refused += 1
                return 401
            self.calls += 1
            if self.calls == self.revoke_after:
                self.good.clear()
            return 200


class _Answer(BaseHTTPRequestHandler):
    server: TokenPlatform
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_POST(self) -> None:
        secret = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["secret"]
        answer = self.server.log_in(int(self.headers["X-Process"]), secret)
        if answer is None:
            self.close_connection = True
        else:
            self._answer(*answer)

    def do_GET(self) -> None:
        self._answer(self.server.work(self.headers["Authorization"].removeprefix("Bearer ")), {})

    def _answer(self, status: int, content: dict[str, object]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""
