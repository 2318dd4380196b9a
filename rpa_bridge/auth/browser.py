"""A person's log-in with a browser: a code by way of this machine. docs: RFC 6749 4.1, RFC 7636 (PKCE), RFC 8252 7.3"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlsplit

from pydantic import SecretStr

from rpa_bridge.clock import Clock
from rpa_bridge.errors import AuthError, ConfigError
from rpa_bridge.redaction import REDACTOR

from .flight import OPERATION
from .token import NeverPickled

PATIENCE = 120.0
"""Seconds in which the person must have come back."""
HOST = "127.0.0.1"
LARGEST_VISIT = 16_384
"""Bytes of a request to the listener."""
MOST_FIELDS = 50
_LOOK = 0.1
"""Seconds between two looks at the clock."""
_WORD = re.compile(r"[\w.-]{1,64}", re.ASCII)
_PAGE = (
    "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {length}\r\n"
    "Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n{page}"
)


@dataclass(frozen=True, slots=True)
class Challenge(NeverPickled):
    """What binds a code to the one who asked for it."""

    verifier: SecretStr = field(repr=False)
    """Told when the code is redeemed: whoever else saw the code does not know it."""
    state: str
    """Comes back with the code: whoever sends the browser here without it did not begin this log-in."""

    @classmethod
    def new(cls) -> Self:
        """A challenge that nobody can guess."""
        verifier = secrets.token_urlsafe(48)
        REDACTOR.add(verifier)
        return cls(SecretStr(verifier), secrets.token_urlsafe(24))

    @property
    def s256(self) -> str:
        """What the identity server is told of the verifier at first."""
        digest = hashlib.sha256(self.verifier.get_secret_value().encode()).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")


class Redirect:
    """Listens on this machine for the one visit with which the identity server sends the browser back.

    Entering raises ConfigError when the port of `url` is taken.
    """

    def __init__(self, url: str, state: str, clock: Clock) -> None:
        parts = urlsplit(url)
        self._port, self._path = parts.port or 80, parts.path or "/"
        self._state, self._clock = state, clock
        self._visits: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._came: asyncio.Future[Mapping[str, str]] = asyncio.get_running_loop().create_future()
        reason = ""
        try:
            self._server = await asyncio.start_server(self._visit, HOST, self._port, limit=LARGEST_VISIT)
        except OSError as error:
            reason = error.strerror or type(error).__name__
        else:
            return self
        raise ConfigError(
            f"port {self._port} of this machine, to which the browser is to come back, cannot be used ({reason}); end "
            f"what uses it, or set another auth.redirect_url, which the platform must know as well"
        )

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for visit in self._visits:
            visit.cancel()
        if self._visits:
            await asyncio.wait(self._visits)

    async def code(self) -> SecretStr:
        """The code that the browser brought. Raises AuthError when it brought another word, or did not come in time."""
        deadline = self._clock.monotonic() + PATIENCE
        while not self._came.done():
            if self._clock.monotonic() >= deadline:
                raise _failed(f"nobody came back from the browser within {PATIENCE:.0f} seconds; log in again")
            await asyncio.wait({self._came}, timeout=_LOOK)
        brought = self._came.result()
        if not self._is_ours(brought):
            raise _failed("the browser came back from another log-in than this one (wrong state); log in again")
        if brought.get("code"):
            return SecretStr(brought["code"])
        word = brought.get("error", "")
        word = word if _WORD.fullmatch(word) else "no reason given"
        raise _failed(
            f"the log-in was refused in the browser ({word}); log in again, or ask who administers the platform"
            if word == "access_denied"
            else f"the log-in failed in the browser ({word}); check auth in the settings",
            word,
        )

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._visits.add(task)
            task.add_done_callback(self._visits.discard)
        try:
            with suppress(OSError, EOFError, asyncio.LimitOverrunError):  # a visitor who is no browser
                brought = self._brought(await reader.readuntil(b"\r\n\r\n"))
                writer.write(self._answer(brought))
                await writer.drain()
                if brought is not None and not self._came.done():
                    self._came.set_result(brought)
        finally:
            writer.close()

    def _brought(self, head: bytes) -> Mapping[str, str] | None:
        """What a visit says; None for one that does not end a log-in, such as for an icon, or a second one."""
        method, _, rest = head.decode("latin-1").partition(" ")
        path, _, query = rest.partition(" ")[0].partition("?")
        brought: dict[str, str] = {}
        with suppress(ValueError):
            brought = dict(parse_qsl(query, keep_blank_values=True, max_num_fields=MOST_FIELDS))
        REDACTOR.add(brought.get("code", ""))
        ends = method == "GET" and path == self._path and not brought.keys().isdisjoint(("code", "error"))
        return brought if ends and not self._came.done() else None

    def _answer(self, brought: Mapping[str, str] | None) -> bytes:
        if brought is None:
            return _page("404 Not Found", "There is nothing here.")
        if self._is_ours(brought) and brought.get("code"):
            return _page("200 OK", "Thank you. You may close this window and go back to the program.")
        return _page("400 Bad Request", "The log-in failed; the program says why. You may close this window.")

    def _is_ours(self, brought: Mapping[str, str]) -> bool:
        told = brought.get("state", "").encode("utf-8", "surrogatepass")
        return hmac.compare_digest(told, self._state.encode())


def _page(status: str, sentence: str) -> bytes:
    page = f"<!DOCTYPE html><meta charset=utf-8><title>rpa-bridge</title><p>{sentence}</p>\n"
    return _PAGE.format(status=status, length=len(page), page=page).encode()


def _failed(sentence: str, code: str | None = None) -> AuthError:
    return AuthError(f"{OPERATION}: {sentence}", code=code, operation=OPERATION)
