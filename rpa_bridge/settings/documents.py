"""Where the settings file is, and what it says."""

from __future__ import annotations

import json
import os
import shlex
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from rpa_bridge.errors import ConfigError

from .places import Place, dotted

VARIABLE = "RPA_BRIDGE_SETTINGS"
FILE_NAME = "settings.json"
MOST_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Origin:
    """Where settings come from."""

    source: Path | None = None
    """The file; None for settings made in the program."""
    exposure: str | None = None
    """Who else can read the file and how to end that; None when nobody can."""

    @property
    def folder(self) -> Path:
        """Where relative paths in the settings begin."""
        return Path.cwd() if self.source is None else self.source.absolute().parent

    def at(self, place: Place) -> str:
        """The head of an error's sentence."""
        return dotted(place) if self.source is None else f"{self.source}: {dotted(place)}"


NOWHERE = Origin()
"""The origin of settings made in the program."""


def expanded(path: str | Path) -> str:
    """The path with `~` replaced by the home folder; kept where that is not known."""
    return os.path.expanduser(path)  # noqa: PTH111 - Path.expanduser fails for a user whom it does not know


def find_settings(
    path: str | Path | None = None, *, environ: Mapping[str, str] = os.environ, cwd: Path | None = None
) -> Path | None:
    """The settings file: the one named here, by RPA_BRIDGE_SETTINGS, in the working folder, or the user's own.

    None when there is none. Raises ConfigError when a file that was named does not exist.
    """
    here = cwd or Path.cwd()
    for named, by in ((path, "the path given"), (environ.get(VARIABLE) or None, VARIABLE)):
        if named is not None:
            found = here / expanded(named)
            if not _exists(found):
                raise ConfigError(
                    f"there is no settings file {found} (named by {by}); correct the name or write the file"
                )
            return found
    usual = (here / FILE_NAME, Path(platformdirs.user_config_dir("rpa-bridge")) / FILE_NAME)
    return next((one for one in usual if _exists(one)), None)


def read_document(path: Path) -> tuple[Any, Origin]:
    """What the file says, and how far it can be trusted with secrets. Raises ConfigError."""
    problem = None
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
            origin = Origin(path, exposure(path, os.fstat(file.fileno())))
    except OSError as error:
        problem = error.strerror or type(error).__name__
    if problem is not None:
        raise ConfigError(f"settings file {path} cannot be read ({problem})")
    if len(content) > MOST_BYTES:
        raise ConfigError(f"settings file {path} is larger than {MOST_BYTES} bytes; is it the right file?")
    return _parsed(path, content), origin


def exposure(path: Path, status: os.stat_result) -> str | None:
    """Who else can read the file and how to end that; None when it is ours alone."""
    if os.name != "posix":
        return None  # owners and modes say nothing on Windows
    if status.st_uid != os.geteuid():
        return f"{path} belongs to another user; make it yours"
    if status.st_mode & 0o077:
        mode = stat.S_IMODE(status.st_mode)
        return f"others can read or change {path} (mode {mode:04o}); run chmod 600 {shlex.quote(str(path))}"
    return None


def _exists(path: Path) -> bool:
    try:
        path.stat()
    except (OSError, ValueError):
        return False
    return True


def _parsed(path: Path, content: bytes) -> Any:
    """Errors are raised outside of the handlers, so that none carries the document in its context."""
    try:
        return json.loads(content.decode("utf-8-sig"), object_pairs_hook=_without_rivals)
    except json.JSONDecodeError as error:
        problem = f"is not JSON: {error.msg} at line {error.lineno} column {error.colno}"
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8 text (byte {error.start}); save it as UTF-8"
    except _TwiceError as error:
        problem = f"names {error.key!r} twice in one place; remove one of them"
    except (ValueError, RecursionError):
        problem = "is JSON that cannot be held: it nests too deeply or has a number with too many digits"
    raise ConfigError(f"settings file {path} {problem}")


class _TwiceError(Exception):
    """A key that stands twice in one JSON object."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def _without_rivals(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _TwiceError(key)
        found[key] = value
    return found
