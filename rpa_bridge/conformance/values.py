"""Values that break careless code: each must come back exactly, or be refused before anything is sent."""

from __future__ import annotations

from typing import Any

TEXTS: dict[str, str] = {
    "empty": "",
    "blank": "  ",
    "quotes": 'it\'s "quoted"',
    "slashes": "C:\\temp/x",
    "percent": "100 % %2F",
    "lines": "one\ntwo\tthree",
    "unicode": "größer ☃ 日本 🤖",
    "digits": "007",
    "word": "null",
    "markup": "<b>&amp;</b>",
    "braces": "{{x}} ${env:HOME}",
}
DATE_LIKE = "2026-11-20T10:00:00.5000000+02:00"
NUMBERS: dict[str, int | float] = {"zero": 0, "minus": -1, "half": 0.5, "long": 9007199254740993, "tiny": 1e-7}
NESTED: dict[str, Any] = {"list": [1, "two"], "object": {"a": {"b": None}}}
NOT_JSON: tuple[Any, ...] = (object(), b"bytes", float("nan"), float("inf"), {1, 2})
