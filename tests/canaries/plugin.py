"""A plug-in over the whole suite: a test fails when a secret that was in it came out of it anywhere.

Secrets are what the sandbox hands out, what its faces are born with, and what is told to the redactor while a test
runs. The ways out are all that a test lets be seen: log records at DEBUG before any filter, what commands and
processes write and are called with, errors that were expected, with their chains, warnings, the files below
`tmp_path`, and the sandbox's list of requests. A test that has to show one says so:

    @pytest.mark.shows_secrets("output", why="it is asked to")
"""

from __future__ import annotations

import logging
import subprocess
import traceback
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any
from warnings import WarningMessage

import pytest
from click.testing import CliRunner

from rpa_bridge.redaction import REDACTOR, Redactor
from rpa_bridge.sandbox.world import Exchange, World
from rpa_bridge_botmaestro.sandbox.face import BotMaestroFace
from rpa_bridge_uipath.sandbox.face import UiPathFace
from rpa_bridge_uipath.sandbox.identity import CLIENT_SECRET
from rpa_bridge_uipath.sandbox.older_logins import PASSWORD, USER_KEY
from rpa_bridge_uipath.sandbox.tokens import PERSONAL_ACCESS_TOKEN

from .scan import SHORTEST, finds

MARK = "shows_secrets"
WAYS = ("log", "output", "process", "called", "error", "warning", "file", "request")
FOREIGN = ("botcity", "httpcore", "httpx", "requests", "uipath", "urllib3")
"""Loggers of the vendors' own clients, which log what they like."""
LARGEST_FILE = 1024 * 1024
"""Bytes of a file that are looked at."""
PRIVATE_FILES = (".json", ".env")
"""Settings, and the sandbox's state and ready files."""
AS_USUAL = 9
"""Our level of the root logger: everything is made, and whoever did not ask for it does not get it."""


class Canaries:
    """What is secret in the test that runs, and what came out of it."""

    def __init__(self) -> None:
        self._born_with = _of_new_faces()
        self._secrets: set[str] = set()
        self._out: defaultdict[str, list[str]] = defaultdict(list)
        self._requests: list[Exchange] = []

    def begin(self) -> None:
        """Forgets the last test."""
        self._secrets = set(self._born_with)
        self._out.clear()
        self._requests.clear()

    def plant(self, secret: str) -> None:
        """From now on this must not come out."""
        if len(secret) >= SHORTEST:
            self._secrets.add(secret)

    def out(self, way: str, text: str | bytes | None) -> None:
        """This came out."""
        if text:
            self._out[way].append(text.decode("utf-8", "replace") if isinstance(text, bytes) else text)

    def asked(self, exchange: Exchange) -> None:
        """This stands in a sandbox's list of requests; its body comes later."""
        self._requests.append(exchange)

    def leaks(self, *, besides: set[str]) -> Iterator[str]:
        """A sentence for each secret that came out by another way than these."""
        for one in self._requests:
            self.out("request", f"{one.method} {one.path} {one.headers} {one.body}")
        for way in self._out.keys() - besides:
            text = "\n".join(self._out[way])
            for find in finds(text, self._secrets):
                yield f"{way}: {find}"


class Watch(logging.Handler):
    """Sees each log record before any filter."""

    def __init__(self, canaries: Canaries) -> None:
        super().__init__(logging.NOTSET)
        self._canaries = canaries

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.split(".")[0] in FOREIGN:
            return
        try:
            told = record.getMessage()
        except Exception:  # noqa: BLE001 - a test may well log what cannot be shown
            told = str(record.msg)
        self._canaries.out("log", told)
        if record.exc_info:
            self._canaries.out("log", "".join(traceback.format_exception(record.exc_info[1])))


def _as_usual(record: logging.LogRecord) -> bool:
    """Whether the record would have been made without us: the root logger's usual level is WARNING."""
    logger: logging.Logger | None = logging.getLogger(record.name)
    while logger is not None:
        if logger.level not in (logging.NOTSET, AS_USUAL):
            return record.levelno >= logger.level
        logger = logger.parent
    return record.levelno >= logging.WARNING


class Plugin:
    """Looks after each test. Everything that it is put between is set back at the end."""

    def __init__(self) -> None:
        self.canaries = Canaries()
        self._patch = pytest.MonkeyPatch()
        self._watch = Watch(self.canaries)
        self._stand_between()

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        root = logging.getLogger()
        root.handlers.insert(0, self._watch)
        root.setLevel(AS_USUAL)
        own = session.config.pluginmanager.get_plugin("logging-plugin")
        for handler in (own.caplog_handler, own.report_handler) if own else ():
            handler.addFilter(_as_usual)

    def pytest_unconfigure(self) -> None:
        self._patch.undo()
        root = logging.getLogger()
        root.removeHandler(self._watch)
        root.setLevel(logging.WARNING)

    def pytest_runtest_logstart(self) -> None:
        self.canaries.begin()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if report.when == "teardown":
            leaks = list(self._leaks(item, report))
            if leaks:
                report.outcome = "failed"
                report.longrepr = "\n".join([*([report.longreprtext] if report.longrepr else []), *leaks])
        return report

    def _leaks(self, item: pytest.Item, report: pytest.TestReport) -> Iterator[str]:
        for name, text in report.sections:
            if name.startswith("Captured std"):
                self.canaries.out("output", text)
        folder: Path | None = getattr(item, "funcargs", {}).get("tmp_path")
        for path in _files(folder) if folder is not None else ():
            with path.open("rb") as file:
                self.canaries.out("file", f"{path.name}: ".encode() + file.read(LARGEST_FILE))
        allowed = {way for mark in item.iter_markers(MARK) for way in mark.args}
        assert allowed <= set(WAYS), f"{MARK} knows {WAYS}"
        return self.canaries.leaks(besides=allowed)

    def _stand_between(self) -> None:
        plant, out = self.canaries.plant, self.canaries.out

        def see_all(way: str) -> Callable[..., object]:
            return lambda seen, *_: [out(way, text) for text in seen]

        self._after(World, "new_token", lambda token, *_: plant(token))
        self._after(World, "note", lambda _, __, exchange: self.canaries.asked(exchange))
        self._after(Redactor, "add", lambda _, told, secret: plant(secret if told is REDACTOR else ""))
        self._after(
            pytest.ExceptionInfo, "fill_unfilled", lambda _, __, raised: out("error", _everything_of(raised[1]))
        )
        self._after(WarningMessage, "__init__", lambda _, __, told, *___: out("warning", str(told)))
        self._after(pytest.CaptureFixture, "readouterr", see_all("output"))
        self._after(subprocess.Popen, "__init__", lambda _, __, called, *___: out("called", repr(called)))
        self._after(subprocess.Popen, "communicate", see_all("process"))
        isolation: Callable[..., AbstractContextManager[tuple[BytesIO, ...]]] = CliRunner.isolation

        @contextmanager
        def watched(*arguments: Any, **settings: Any) -> Iterator[tuple[BytesIO, ...]]:
            with isolation(*arguments, **settings) as streams:
                yield streams
                out("output", streams[-1].getvalue())

        self._patch.setattr(CliRunner, "isolation", watched)

    def _after(self, owner: type, name: str, look: Callable[..., object]) -> None:
        """Has the method's result and arguments looked at after each call."""
        usual: Callable[..., Any] = getattr(owner, name)

        def stand_in(*arguments: Any, **settings: Any) -> Any:
            result = usual(*arguments, **settings)
            look(result, *arguments)
            return result

        self._patch.setattr(owner, name, stand_in)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{MARK}(*ways, why): secrets come out of this test by {', '.join(WAYS)}")
    config.pluginmanager.register(Plugin(), "canaries")


def _of_new_faces() -> set[str]:
    """What opens something at the sandbox's faces: log-ins, keys of robots, what assets and credentials hide."""
    tables, maestro = UiPathFace(World()).dump()["tables"], BotMaestroFace(World()).dump()
    robots = {keys["Key"] for keys in tables["robot keys"].values()}
    assets = {row.get(name) for row in tables["assets"].values() for name in ("CredentialPassword", "SecretValue")}
    sets = {secret["value"] for one in maestro["credentials"].values() for secret in one["secrets"]}
    logins = {CLIENT_SECRET, USER_KEY, PASSWORD, PERSONAL_ACCESS_TOKEN, maestro["organization"]["key"]}
    return {secret for secret in robots | assets | sets | logins if secret and len(secret) >= SHORTEST}


def _everything_of(error: BaseException) -> str:
    """What a log, a debugger or an error tracker could take from an error and from those it hangs on."""
    told: list[str] = []
    seen: list[BaseException] = []
    todo: list[BaseException | None] = [error]
    while todo:
        one = todo.pop()
        if one is not None and one not in seen:
            seen.append(one)
            told += [str(one), repr(one.args), repr(vars(one)), *getattr(one, "__notes__", ())]
            todo += [one.__cause__, one.__context__]
    return "\n".join(told)


def _files(folder: Path) -> Iterator[Path]:
    """The files below, but for those that keep secrets on purpose: tokens, and what only its owner may read."""
    for path in folder.rglob("*"):
        if path.is_symlink() or not path.is_file() or "tokens" in path.relative_to(folder).parts:
            continue
        if path.suffix not in PRIVATE_FILES or path.stat().st_mode & 0o077:
            yield path
