"""References: texts in settings that name where a value is kept instead of holding it.

`${env:NAME}`, `${file:PATH}` and `${keyring:SERVICE/USER}` may stand anywhere in a text, `$NAME` only as the whole of
it; `$$` is a dollar. They are expanded once, never recursively, and every value is told to the redactor.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rpa_bridge.errors import ConfigError
from rpa_bridge.redaction import MASK, REDACTOR

from .documents import Origin, expanded, exposure
from .places import Place, map_leaves

MOST_FILE_BYTES = 64 * 1024
KINDS = "${env:NAME}, ${file:PATH} or ${keyring:SERVICE/USER}"

_WHOLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
_PART = re.compile(r"(?P<dollar>\$\$)|\$\{(?P<kind>[a-z]+):(?P<name>[^{}]+)\}|(?P<broken>\$\{)")


def has_reference(text: str) -> bool:
    """Whether the text takes a value from elsewhere."""
    return _WHOLE.fullmatch(text) is not None or any(found["kind"] for found in _PART.finditer(text))


def escape(text: str) -> str:
    """The text with its dollars doubled, so that it stands for itself."""
    return text.replace("$", "$$")


def unescape(text: str) -> str:
    """What a text without references stands for."""
    return text.replace("$$", "$")


def embeddable(text: str) -> str:
    """The text with `$NAME` written as `${env:NAME}`, so that it can become part of a longer one."""
    return _WHOLE.sub(r"${env:\1}", text) if _WHOLE.fullmatch(text) else text


def mask_literals(text: str) -> str:
    """The text with its references as written and `***` for all the rest."""
    if _WHOLE.fullmatch(text):
        return text
    references = [found[0] for found in _PART.finditer(text) if found["kind"]]
    return text if "".join(references) == text else MASK + MASK.join(references)


class Resolver:
    """Expands references; its errors name the place and the reference, never a value."""

    def __init__(self, origin: Origin, environ: Mapping[str, str] = os.environ) -> None:
        self._origin = origin
        self._environ = environ

    def resolve(self, value: Any, place: Place) -> Any:
        """A copy of the value in which every reference is expanded. Raises ConfigError."""
        return map_leaves(value, self._expand, place)

    def _expand(self, place: Place, leaf: Any) -> Any:
        if not isinstance(leaf, str):
            return leaf
        whole = _WHOLE.fullmatch(leaf)
        if whole:
            return self._told(self._variable(whole[1], place))
        return _PART.sub(lambda found: self._part(found, place), leaf)

    def _part(self, found: re.Match[str], place: Place) -> str:
        if found["dollar"]:
            return "$"
        readers = {"env": self._variable, "file": self._file, "keyring": self._keyring}
        reader = readers.get(found["kind"] or "")
        if reader is None:
            raise self._error(place, f"holds a reference that is none; write {KINDS}, or $$ for a dollar")
        return self._told(reader(found["name"], place))

    @staticmethod
    def _told(value: str) -> str:
        REDACTOR.add(value, lasting=True)
        return value

    def _error(self, place: Place, problem: str) -> ConfigError:
        return ConfigError(f"{self._origin.at(place)} {problem}")

    def _variable(self, name: str, place: Place) -> str:
        value = self._environ.get(name)
        if not value:
            raise self._error(place, f"needs the environment variable {name}, which is not set; set it and try again")
        return value

    def _file(self, name: str, place: Place) -> str:
        path = self._origin.folder / expanded(name)
        content, problem = _read_private(path)
        if content is None:
            raise self._error(place, f"needs a file: {problem}")
        return re.sub(r"\r?\n\Z", "", content)

    def _keyring(self, name: str, place: Place) -> str:
        service, _, user = name.rpartition("/")
        if not service or not user:
            raise self._error(place, "must name both: ${keyring:SERVICE/USER}")
        try:
            import keyring
        except ImportError:
            raise self._error(place, "needs the keyring package; run pip install 'rpa-bridge[keyring]'") from None
        problem = f"needs a password that the keyring does not hold; run keyring set {service} {user}"
        value = None
        try:
            value = keyring.get_password(service, user)
        except Exception as error:  # noqa: BLE001 - backends are plug-ins and fail in any way; the caller gets one type
            kind = type(error).__name__
            problem = f"needs a working keyring ({kind}); install or unlock one, or use ${{env:NAME}} instead"
        if not value:
            raise self._error(place, problem)
        return str(value)


def _read_private(path: Path) -> tuple[str | None, str | None]:
    """The content of a small file that is ours alone, or what is wrong with it."""
    try:
        content, problem = _bytes_of_private(path)
    except (OSError, ValueError) as error:
        return None, f"{path} cannot be read ({getattr(error, 'strerror', None) or type(error).__name__})"
    if problem is None and not content.strip():
        problem = f"{path} is empty"
    elif len(content) > MOST_FILE_BYTES:
        problem = f"{path} is larger than {MOST_FILE_BYTES} bytes"
    if problem:
        return None, problem
    try:
        return content.decode(), None
    except UnicodeDecodeError:
        return None, f"{path} is not UTF-8 text; save it as UTF-8"


def _bytes_of_private(path: Path) -> tuple[bytes, str | None]:
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))  # a pipe must not make us wait
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return b"", f"{path} is not a regular file"
        problem = exposure(path, status)
        if problem:
            return b"", problem
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(MOST_FILE_BYTES + 1), None
    finally:
        os.close(descriptor)
