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
from urllib.parse import quote, quote_plus

MASK = "***"
SHORTEST_SECRET = 6
"""Shorter values would mask ordinary words; they are covered by name alone."""
MOST_SECRETS = 4096
"""Beyond this the oldest is forgotten, so that a year of renewed tokens does not fill the memory."""

_NAMES = (
    "authorization|token|access_token|refresh_token|id_token|api_key|apikey|key|client_secret|password|secret|result"
    "|sig|signature|code_verifier|cookie|userkey|user_key|accesstoken|refreshtoken|clientsecret|x-amz-signature"
)
_NAMED = re.compile(
    rf"""(?P<head>["']?\b(?:{_NAMES})["']?\s*[:=]\s*)(?P<value>"[^"]*"|'[^']*'|(?:bearer\s+)?[^\s,;&"'}})]+)""",
    re.IGNORECASE,
)
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if code != 9}


class Redactor:
    """Replaces known secrets, and values behind telling names, with `***`."""

    def __init__(self) -> None:
        self._secrets: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        self._pattern: re.Pattern[str] | None = None

    def add(self, secret: str) -> None:
        """Learns a secret, so that no text shows it in any of its usual encodings."""
        if len(secret) < SHORTEST_SECRET or secret in self._secrets:
            return
        self._secrets[secret] = _forms(secret)
        while len(self._secrets) > MOST_SECRETS:
            self._secrets.popitem(last=False)
        self._pattern = None

    def clean(self, text: str) -> str:
        """The text without secrets, and with control characters made visible so that no line can be forged."""
        if self._secrets:
            text = self._known().sub(MASK, text)
        text = _NAMED.sub(rf"\g<head>{MASK}", text)
        return "\n".join(line.translate(_CONTROL) for line in text.split("\n"))

    def _known(self) -> re.Pattern[str]:
        if self._pattern is None:
            forms = sorted({form for all_forms in self._secrets.values() for form in all_forms}, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, forms)))
        return self._pattern


def _forms(secret: str) -> tuple[str, ...]:
    raw = secret.encode("utf-8", "surrogatepass")
    forms = {secret, quote(raw, safe=""), quote_plus(raw), json.dumps(secret)[1:-1], raw.hex()}
    forms |= {base64.b64encode(raw).decode().rstrip("="), base64.urlsafe_b64encode(raw).decode().rstrip("=")}
    return tuple(form for form in forms if len(form) >= SHORTEST_SECRET)


REDACTOR = Redactor()
"""The process's own: secrets of all connections are known to it."""


class RedactingFilter(logging.Filter):
    """A filter for log handlers: the finished message goes through the redactor, tracebacks included."""

    def __init__(self, redactor: Redactor = REDACTOR) -> None:
        super().__init__()
        self._redactor = redactor
        self._formatter = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = self._redactor.clean(record.getMessage())
        record.args = None
        if record.exc_info:
            record.exc_text = self._redactor.clean(self._formatter.formatException(record.exc_info))
            record.exc_info = None
        elif record.exc_text:
            record.exc_text = self._redactor.clean(record.exc_text)
        if record.stack_info:
            record.stack_info = self._redactor.clean(record.stack_info)
        return True
