"""What the library logs, on stderr, for the length of one command; all of it through the redactor."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rpa_bridge.redaction import RedactingFilter


class _OneLine(logging.Formatter):
    """Level and message, and never a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        return f"{record.levelname.lower()}: {record.getMessage()}"


@contextmanager
def logs_on_stderr(*, debug: bool, verbose: bool) -> Iterator[None]:
    """Shows warnings, with `verbose` also what happens, with `debug` everything and its tracebacks."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(RedactingFilter())
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s") if debug else _OneLine())
    root = logging.getLogger()
    level_before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG if debug else logging.INFO if verbose else logging.WARNING)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level_before)
