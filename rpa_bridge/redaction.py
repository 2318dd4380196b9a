"""Keeping secrets out of whatever people read: by value, and by name.

Every secret that enters the process is told to the `REDACTOR`; a filter on the log handlers and the command line's
own output go through it. This is the second fence: the first is that nothing here formats a secret at all.
"""

from __future__ import annotations

import base64
import json
import logging
import re
from collections import OrderedDict
from collections.abc import Iterator
from textwrap import indent
from urllib.parse import quote, quote_plus

MASK = "***"
SHORTEST_SECRET = 6
"""Shorter values would mask ordinary words; they are covered by name alone."""
MOST_SECRETS = 4096
"""Beyond this the oldest is forgotten, so that a year of renewed tokens does not fill the memory."""

_NAMES = r"[\w-]{0,40}(?:token|secret|password)|authorization|key|api_?key|user_?key|result|sig|signature|code_verifier"
_NAMED = re.compile(
    rf"""(?P<head>\b(?:{_NAMES})(?:\\*["'])?\s*[:=]\s*)
    (?:
        (?P<quote>["'])(?:\\.|[^\\\n])*?(?P=quote)
        | (?P<escaped>\\+["'])[^\n]*?(?<!\\)(?P=escaped)    # quoted inside a quoted text
        | (?:(?:bearer|basic|digest|negotiate)\s+)?(?:\\*["'])?[^\s,;&"'}}\])]+    # bare, or cut off in its quotes
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_COOKIES = re.compile(r"(?P<head>\bcookie:\s*)[^\n]+", re.IGNORECASE)
_PERCENT = re.compile("%[0-9A-F]{2}")
_URL_SAFE = str.maketrans("+/", "-_")
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if code != 9}


class Redactor:
    """Replaces known secrets, and values behind telling names, with `***`."""

    def __init__(self) -> None:
        self._secrets: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        self._pattern: re.Pattern[str] | None = None

    def add(self, secret: str) -> None:
        """Learns a secret, so that no text shows it in any of its usual encodings."""
        if len(secret) < SHORTEST_SECRET:
            return
        if secret in self._secrets:
            self._secrets.move_to_end(secret)
            return
        self._secrets[secret] = _forms(secret)
        while len(self._secrets) > MOST_SECRETS:
            self._secrets.popitem(last=False)
        self._pattern = None

    def clean(self, text: str) -> str:
        """The text without secrets, and with control characters made visible; its lines stay lines."""
        if self._secrets:
            text = self._known().sub(MASK, text)
        for pattern in (_COOKIES, _NAMED):
            text = pattern.sub(rf"\g<head>{MASK}", text)
        return "\n".join(line.translate(_CONTROL) for line in text.split("\n"))

    def line(self, text: str) -> str:
        """The text without secrets as one line, so that nobody can forge another."""
        return self.clean(text).replace("\n", r"\x0a")

    def _known(self) -> re.Pattern[str]:
        if self._pattern is None:
            forms = sorted({form for all_forms in self._secrets.values() for form in all_forms}, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, forms)))
        return self._pattern


def _forms(secret: str) -> tuple[str, ...]:
    raw = secret.encode("utf-8", "surrogatepass")
    quoted = {quote(raw), quote(raw, safe=""), quote_plus(raw)}
    forms = {
        secret,
        repr(secret)[1:-1],
        raw.hex(),
        *quoted,
        *(_PERCENT.sub(lambda found: found[0].lower(), one) for one in quoted),
    }
    forms |= {json.dumps(secret, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)}
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
    """A filter for log handlers: the finished message goes through the redactor, tracebacks included.

    A message becomes one line. Tracebacks keep their lines, indented, so that none passes for a line of the log.
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
        return True

    def _indented(self, text: str) -> str:
        return indent(self._redactor.clean(text), "    ", predicate=lambda _line: True)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):  # arguments that do not fit: logging would say so, in clear
        return f"{record.msg} {record.args}"
