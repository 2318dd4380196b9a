"""Keeping secrets out of whatever people read: by value, by name, and by the addresses they stand in.

Every secret that enters the process is told to the `REDACTOR`; a filter on the log handlers and the command line's
own output go through it. This is the second fence: the first is that nothing here formats a secret at all.

A program that logs by itself puts the filter on its own handlers:

    handler.addFilter(rpa_bridge.redaction.RedactingFilter())
"""

from __future__ import annotations

import base64
import json
import logging
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator
from textwrap import indent
from urllib.parse import quote, quote_plus

MASK = "***"
SHORTEST_SECRET = 6
"""Shorter values would mask ordinary words; they are covered by name alone."""
MOST_SECRETS = 4096
"""Beyond this the oldest that need not last is forgotten: a year of renewed tokens must not fill the memory."""

_NAMES = r"""
    [\w-]{0,40}(?:token|secret|password|passwd|passphrase|pwd)(?:[_-]?(?:value|text))?
    | authorization | assertion | client_assertion | code_verifier | result | sig | signature
    | (?:(?:access|account|api|license|machine|private|robot|secret|shared|signing|user)[_-]?)*key
"""
_NAMED = re.compile(
    rf"""(?P<head>\b(?:{_NAMES} | (?<=[?&])code)(?:\\*["'])?\s*[:=]\s*)(?:b(?=["']))?
    (?:
        (?P<quote>["'])(?:\\.|[^\\\n])*?(?P=quote)
        | (?P<escaped>\\+["'])[^\n]*?(?<!\\)(?P=escaped)    # quoted inside a quoted text
        | (?:(?:bearer|basic|digest|negotiate|uirobot)\s+)?(?:\\*["'])?[^\s,;&"'}}\])]+    # bare, or cut off inside
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_TELLING_NAME = re.compile(_NAMES, re.IGNORECASE | re.VERBOSE)
_HINTS = ("token", "secret", "passw", "passphrase", "pwd", "authorization", "assertion", "code", "result", "sig", "key")
"""One of them is in every name above. Looking for them first is ten times as fast, and most lines hold none."""
_COOKIES = re.compile(r"(?P<head>\bcookie:\s*)[^\n]+", re.IGNORECASE)
_ADDRESS = re.compile(
    r"""://(?P<user>[^\s/?\#"'<>@]*@)?(?P<place>[^\s?\#"'<>]*)(?P<query>\?(?:[^\s"'<>\\]|\\u)*)?""", re.VERBOSE
)
_PERCENT = re.compile("%[0-9A-F]{2}")
_URL_SAFE = str.maketrans("+/", "-_")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_OF_EVERY_RECORD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class Redactor:
    """Replaces known secrets, values behind telling names, and queries of addresses, with `***`.

    What it costs grows with the text, and not with the number of secrets. It may be used by several threads.
    """

    def __init__(self) -> None:
        self._secrets: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        self._lasting: set[str] = set()
        self._by_head: dict[str, tuple[str, ...]] = {}
        self._adding = threading.Lock()

    def add(self, secret: str, *, lasting: bool = False) -> None:
        """Learns a secret, so that no text shows it in any of its usual encodings.

        `lasting` is for what is good as long as the process, such as the secrets of settings: it is never forgotten.
        """
        if len(secret) < SHORTEST_SECRET:
            return
        with self._adding:
            if secret in self._lasting:
                return
            forms = self._secrets.pop(secret, None) or self._learn(secret)
            if lasting:
                self._lasting.add(secret)
                return
            self._secrets[secret] = forms
            while len(self._secrets) > MOST_SECRETS:
                self._forget(self._secrets.popitem(last=False)[1])

    def clean(self, text: str) -> str:
        """The text without secrets, and with control characters made visible; its lines stay lines."""
        text = self._without_known(text)
        if "://" in text:
            text = _ADDRESS.sub(_place_alone, text)
        lower = text.lower()
        if "cookie" in lower:
            text = _COOKIES.sub(rf"\g<head>{MASK}", text)
        if any(hint in lower for hint in _HINTS):
            text = _NAMED.sub(rf"\g<head>{MASK}", text)
        return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)

    def line(self, text: str) -> str:
        """The text without secrets as one line, so that nobody can forge another."""
        return self.clean(text).replace("\n", r"\x0a")

    def named(self, name: str, text: str) -> str:
        """The text that stands under a name: `***` where the name alone tells that it is a secret."""
        return MASK if _TELLING_NAME.fullmatch(name) else self.clean(text)

    def _learn(self, secret: str) -> tuple[str, ...]:
        forms = _forms(secret)
        for form in forms:
            head = form[:SHORTEST_SECRET]
            self._by_head[head] = tuple(sorted((*self._by_head.get(head, ()), form), key=len, reverse=True))
        return forms

    def _forget(self, forms: tuple[str, ...]) -> None:
        for form in forms:
            head = form[:SHORTEST_SECRET]
            others = list(self._by_head[head])
            others.remove(form)  # once: another secret may have the same form
            if others:
                self._by_head[head] = tuple(others)
            else:
                del self._by_head[head]

    def _without_known(self, text: str) -> str:
        """One look at each place of the text; every form is as long as what is looked at, or longer."""
        known, width = self._by_head, SHORTEST_SECRET
        if not known:
            return text
        pieces: list[str] = []
        done = 0
        for start in [at for at in range(len(text) - width + 1) if text[at : at + width] in known]:
            forms = known.get(text[start : start + width], ()) if start >= done else ()
            form = next((form for form in forms if text.startswith(form, start)), None)
            if form is not None:
                pieces += (text[done:start], MASK)
                done = start + len(form)
        return "".join((*pieces, text[done:]))


def _place_alone(address: re.Match[str]) -> str:
    """An address without its user and its query: a pre-signed one is a secret as a whole."""
    return f"://{MASK + '@' if address['user'] else ''}{address['place']}{'?' + MASK if address['query'] else ''}"


def _forms(secret: str) -> tuple[str, ...]:
    raw = secret.encode("utf-8", "surrogatepass")
    quoted = {quote(raw), quote(raw, safe=""), quote_plus(raw)}
    forms = {
        secret,
        repr(secret)[1:-1],
        repr(raw)[2:-1],
        raw.hex(),
        raw.hex().upper(),
        *quoted,
        *(_PERCENT.sub(lambda found: found[0].lower(), one) for one in quoted),
    }
    for ascii_only in (True, False):
        in_json = json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
        forms |= {in_json, in_json.replace("/", r"\/")}
    for plain in _in_base64(raw):
        forms |= {plain, plain.translate(_URL_SAFE)}
    return tuple(form for form in forms if len(form) >= SHORTEST_SECRET)


def _in_base64(raw: bytes) -> Iterator[str]:
    """What base64 shows of the secret, alone or behind other bytes, as in `user:secret`."""
    for before, spoilt in ((0, 0), (1, 2), (2, 3)):
        text = base64.b64encode(b"\0" * before + raw).decode().rstrip("=")
        whole = text if (before + len(raw)) % 3 == 0 else text[:-1]
        yield text[spoilt:]
        yield whole[spoilt:]


REDACTOR = Redactor()
"""The process's own: secrets of all connections are known to it."""


class RedactingFilter(logging.Filter):
    """A filter for log handlers: the finished message goes through the redactor, tracebacks and extras included.

    A message becomes one line. Tracebacks keep their lines, indented, so that none passes for a line of the log.
    The record itself is changed: handlers that get it afterwards see no secret either.
    """

    def __init__(self, redactor: Redactor = REDACTOR) -> None:
        super().__init__()
        self._redactor = redactor
        self._formatter = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = self._redactor.line(_message(record))
        record.args = None
        if record.exc_info:
            record.exc_text = self._formatter.formatException(record.exc_info)
            record.exc_info = None
        if record.exc_text:
            record.exc_text = self._indented(record.exc_text)
        if record.stack_info:
            record.stack_info = self._indented(record.stack_info)
        for name in vars(record).keys() - _OF_EVERY_RECORD:
            self._clean_extra(record, name)
        return True

    def _clean_extra(self, record: logging.LogRecord, name: str) -> None:
        """What a program adds with `extra`: a formatter may show it. It stays as it is where there is no secret."""
        shown = str(getattr(record, name))
        cleaned = self._redactor.named(name, shown)
        if cleaned != shown:
            setattr(record, name, cleaned)

    def _indented(self, text: str) -> str:
        return indent(self._redactor.clean(text), "    ", predicate=lambda _line: True)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - arguments that do not fit, or cannot be shown: logging would tell them in clear
        return f"{record.msg} (its arguments do not fit)"
