"""Row 13 of the reliability targets: no secret is shown, by no command, on good days and on bad ones.

Canaries stand in every setting that may hold a secret, in log-ins that the platform takes and in log-ins that it
refuses. Commands run with --debug while the platform fails in all ways, also by repeating in its errors what it was
sent. Then everything that came out is searched: stdout, stderr, all log records before any filter, files that are not
meant to hold secrets, and the command lines of all processes.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import random
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, chdir, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from click.testing import CliRunner

from rpa_bridge.cli.main import main
from rpa_bridge.clock import SystemClock
from rpa_bridge.redaction import Redactor
from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from rpa_bridge.sandbox.world import World
from rpa_bridge.testing import SandboxThread
from rpa_bridge.transport.base import Request
from rpa_bridge.transport.http import Http
from rpa_bridge_uipath.sandbox.connections import all_connections
from tests.canaries.scan import finds

LINES = (
    "adapters",
    "check",
    "reconcile",
    "auth login",
    "auth status",
    "auth clear",
    "settings show",
    "settings path",
    "automations list",
    "automations get Invoices",
    "automations schema Invoices",
    "jobs start Invoices --key invoices-2026-10",
    "jobs start Nothing",
    "jobs list",
    "jobs get 1",
    "jobs stop 999999",
    "queues list",
    "queues get Invoices",
    "queues stats Invoices",
    "queues create Claims",
    "queues add Invoices -v number=4711 --reference INV-4711",
    "queues items Invoices",
    "queues take Invoices",
    "queues complete Invoices 1",
    "assets list",
    "assets put Currency EUR",
    "credentials list",
    "credentials put ERP username password",
    "artifacts list",
    "artifacts download bucket:5001:2026/october.txt",
    "artifacts upload settings.json",
    "robots list",
    "logs list",
    "alerts send Invoices late",
    "incidents report broken 1",
    "messages send subject body",
    "folders list",
    "schedules list",
    "webhooks list",
    "webhooks create ops https://hooks.example.com/rpa",
    "jobs start --password",
)
_SECRETS = ("client_secret", "token", "password", "refresh_token", "key")
PRESIGNED = "https://store.example/file?se=2030&sp=r&sig="
WAYS_TO_REFUSE = 6
"""For each way to log in: connections whose secrets the platform refuses."""


@dataclass(slots=True)
class Shown:
    """What was looked through, and what was found."""

    canaries: int = 0
    commands: int = 0
    characters: int = 0
    found: list[str] = field(default_factory=list)


def by_commands(commands: int = 150, *, seed: int = 13, guard: bool = True) -> Shown:
    """Runs so many. Without the guard, requests are logged as they are sent, and nothing is redacted."""
    rng = random.Random(seed)  # noqa: S311 - to be played again
    with ExitStack() as all_:
        folder = Path(all_.enter_context(tempfile.TemporaryDirectory()))
        sandbox = all_.enter_context(SandboxThread(["uipath", "botmaestro"]))
        all_.enter_context(chdir(folder))
        secrets = _Secrets(rng)
        connections = secrets.connections(sandbox)
        settings = folder / "settings.json"
        settings.touch(mode=0o600)
        settings.write_text(json.dumps({"connections": connections, "cache_dir": str(folder / "cache")}))
        all_.enter_context(patch.object(World, "new_token", secrets.watched(World.new_token)))
        all_.enter_context(patch.object(SystemClock, "sleep", _no_sleep))
        if not guard:
            all_.enter_context(patch.object(Http, "send", _logged(Http.send)))
            all_.enter_context(patch.object(Redactor, "clean", lambda _, text: text))
        seen = all_.enter_context(_log())
        shown = Shown(commands=commands)
        for line, name in itertools.islice(_pairs(connections, rng), commands):
            sandbox.world.faults.clear()
            if fault := rng.choice(_faults(secrets.of(connections[name]))):
                sandbox.world.faults.add(fault)
            seen += _run(["--settings", str(settings), "--debug", *line.split(), "--on", name], secrets.new())
        seen += _files(folder)
        seen += _command_lines()
        text = "\n".join(seen)
        shown.canaries, shown.characters = len(secrets.known), len(text)
        shown.found = list(finds(text, secrets.known))
    return shown


class _Secrets:
    """Canaries, each of its own shape, and what the sandbox hands out."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.known: set[str] = set()

    def new(self, *, plain: bool = False) -> str:
        """One that nothing else can be taken for; unless it is `plain`, with what encodings change."""
        tail = "" if plain else self._rng.choice(["", "+/=", "%41&x=1", 'q"uote\\', "ünïcode", "a b"])
        secret = f"canary-{len(self.known)}-{self._rng.getrandbits(64):016x}{tail}"
        self.known.add(secret)
        return secret

    def connections(self, sandbox: SandboxThread) -> dict[str, dict[str, Any]]:
        """Those that the platform takes, and for each several that it refuses."""
        origin = sandbox.sandbox.origins["uipath"]
        good = all_connections(origin) | {"botmaestro": sandbox.connections["botmaestro"]}
        del good["uipath-person"]  # wants a browser
        self.known |= {secret for one in good.values() for secret in self.of(one)}
        refused = {
            f"{name}-{number}": self._with_canaries(settings)
            for name, settings in good.items()
            for number in range(WAYS_TO_REFUSE)
        }
        return good | refused

    def of(self, settings: dict[str, Any]) -> list[str]:
        """The secrets among the settings of a connection."""
        places = settings.get("auth", {}) | settings
        return [places[name] for name in _SECRETS if name in places]

    def watched(self, hand_out: Any) -> Any:
        """The sandbox's tokens are secrets too."""

        def new_token(world: World, prefix: str = "sandbox") -> str:
            token: str = hand_out(world, prefix)
            self.known.add(token)
            return token

        return new_token

    def _with_canaries(self, settings: dict[str, Any]) -> dict[str, Any]:
        changed: dict[str, Any] = json.loads(json.dumps(settings))
        for part in (changed, changed.get("auth", {})):
            for name in _SECRETS:
                if name in part:
                    part[name] = self.new(plain=name == "token")
        if changed["adapter"] == "uipath":
            changed["robot_key"] = self.new()
        if self._rng.random() < 0.3:
            changed["http"] = {"proxy": f"http://me:{self.new(plain=True)}@127.0.0.1:1"}
        return changed


def _faults(secrets: list[str]) -> list[Fault | None]:
    """Bad days, and among them a platform that tells in its errors what it was sent."""
    told = " ".join(secrets)
    echoes = json.dumps({"message": f"bad credentials {told}", "error_description": told, "error": "invalid_client"})
    return [
        None,
        Fault(FaultKind.CUT, when=When.AFTER),
        Fault(FaultKind.HTML),
        Fault(FaultKind.TRUNCATE, when=When.AFTER),
        Fault(FaultKind.STATUS, status=401, times=9),
        Fault(FaultKind.STATUS, status=403, times=2),
        Fault(FaultKind.STATUS, status=429, times=2),
        Fault(FaultKind.STATUS, status=500, times=9),
        Fault(FaultKind.STATUS, status=400, body=echoes, headers={"Content-Type": "application/json"}, times=3),
        Fault(FaultKind.STATUS, status=302, headers={"Location": PRESIGNED + told.encode().hex()}),
    ]


def _pairs(connections: dict[str, Any], rng: random.Random) -> Iterator[tuple[str, str]]:
    """Each command once before any comes again, on connections by chance."""
    while True:
        for line in rng.sample(LINES, len(LINES)):
            yield line, rng.choice(list(connections))


def _run(arguments: list[str], typed: str) -> list[str]:
    with CliRunner().isolation(input=f"{typed}\n{typed}\n") as (out, err, _):
        try:
            main(arguments)
        except SystemExit:
            return [out.getvalue().decode(), err.getvalue().decode()]
    raise AssertionError("a command always exits")


@contextmanager
def _log() -> Iterator[list[str]]:
    """Every record of every logger of ours, before any filter."""
    seen: list[str] = []

    class Watch(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(logging.Formatter().format(logging.makeLogRecord(vars(record))))

    watch, ours = Watch(), logging.getLogger("rpa_bridge")
    before = ours.level
    ours.addHandler(watch)
    ours.setLevel(logging.DEBUG)
    yield seen
    ours.removeHandler(watch)
    ours.setLevel(before)


def _files(folder: Path) -> list[str]:
    """What lies about, but for the settings and the records of log-ins."""
    kept = [path for path in folder.rglob("*") if path.is_file() and "tokens" not in path.parts]
    return [path.read_text("utf-8", "replace") for path in kept if path.name != "settings.json"]


def _command_lines() -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_text("utf-8", "replace"))
        except OSError:  # it has ended
            continue
    return found


async def _no_sleep(_clock: SystemClock, _seconds: float) -> None:
    await asyncio.sleep(0)


def _logged(send: Any) -> Any:
    async def careless(http: Http, request: Request) -> Any:
        logging.getLogger("rpa_bridge.careless").debug("%s %s", request.headers, request.form or request.json)
        return await send(http, request)

    return careless
