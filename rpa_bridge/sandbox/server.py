"""The sandbox: one world, a port of 127.0.0.1 for each face, and one more for its control."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from aiohttp import web

from rpa_bridge.errors import AdapterLoadError, ConfigError
from rpa_bridge.registry import HOW_TO_GET, SANDBOXES, installed, load_face

from .control import control_app
from .face import Face
from .faults import FaultPlan
from .stage import Stage
from .world import World

HOST = "127.0.0.1"
"""A sandbox knows its secrets by heart and tells them to everybody: it never listens anywhere else."""

NO_REQUEST_LIMIT = sys.maxsize
"""Bodies of any size: each face knows the limits of its vendor. (aiohttp's own 0 stops at multipart bodies.)"""


class Sandbox:
    """The vendors' faces on loopback. Its state is born anew, or comes from `state_file`, which is written at the end.

    `faces` are names of installed faces; None means all. With a `port`, the first face listens there, the next on the
    port after it, and so on; control comes last. Port 0 takes free ones.
    Raises AdapterLoadError for a face that is not installed, ConfigError for a state file it cannot use.
    """

    def __init__(
        self, faces: Sequence[str] | None = None, *, port: int = 0, seed: int = 0, state_file: Path | None = None
    ) -> None:
        names = list(dict.fromkeys(faces if faces is not None else (one.name for one in installed(SANDBOXES))))
        if not names:
            raise AdapterLoadError(f"no sandbox is installed: {HOW_TO_GET}")
        self.world = World(seed=seed)
        self.faces: dict[str, Face] = {name: load_face(name)(self.world) for name in names}
        self._sides = [face for face in self.faces.values() if face.side_routes()]
        ports = len(names) + len(self._sides) + 1
        if not 0 <= port <= 65536 - ports:
            raise ConfigError(f"port {port} leaves no room for {ports} ports; choose one from 1024 to 65000")
        self._port = port
        self._state_file = state_file
        self._birth = json.dumps(self.dump())
        self._absent_faces: dict[str, Any] = {}
        self._origins: dict[str, str] = {}
        self._control_origin = ""
        self._runners: list[web.AppRunner] = []
        self._closing = asyncio.Event()
        if state_file is not None and state_file.exists():
            self._take_over(state_file)

    @property
    def faults(self) -> FaultPlan:
        """The faults on order."""
        return self.world.faults

    @property
    def origins(self) -> dict[str, str]:
        """Where each face listens, such as "http://127.0.0.1:8001"; empty unless it runs."""
        return dict(self._origins)

    @property
    def connections(self) -> dict[str, dict[str, Any]]:
        """Settings of connections to all faces, by name; empty unless it runs."""
        found: dict[str, dict[str, Any]] = {}
        for name, origin in self._origins.items():
            found |= self.faces[name].connections(origin)
        return found

    @property
    def control_url(self) -> str:
        """Where the sandbox is steered from, with a slash at its end; empty unless it runs."""
        return f"{self._control_origin}/_sandbox/" if self._control_origin else ""

    async def start(self) -> None:
        """Listens. Raises ConfigError when a port is in use; nothing listens then."""
        self._closing.clear()
        try:
            for offset, (name, face) in enumerate(self.faces.items()):
                self._origins[name] = await self._listen(self._app(face, face.routes()), offset)
            for offset, face in enumerate(self._sides, start=len(self.faces)):
                face.side_origin = await self._listen(self._app(face, face.side_routes()), offset)
            self._control_origin = await self._listen(control_app(self), len(self.faces) + len(self._sides))
        except BaseException:
            await self._hang_up()
            raise

    async def stop(self) -> None:
        """Hangs up, and writes the state file if there is one. What is still on its way is lost."""
        await self._hang_up()
        if self._state_file is not None:
            state = self.dump()
            state["faces"] = self._absent_faces | state["faces"]
            write_private(self._state_file, json.dumps(state))

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def dump(self) -> dict[str, Any]:
        """The whole state, as JSON can hold it."""
        return {"world": self.world.dump(), "faces": {name: face.dump() for name, face in self.faces.items()}}

    def reset(self) -> None:
        """Makes everything as it was born: content, clock, ids, switches, faults, lifecycle, list of requests.

        What is still on its way is lost.
        """
        self.world.forget()
        self._load(json.loads(self._birth))

    def _load(self, state: dict[str, Any]) -> None:
        self.world.load(state["world"])
        for name, face in self.faces.items():
            if name in state["faces"]:
                face.load(state["faces"][name])

    def _take_over(self, state_file: Path) -> None:
        try:
            state = json.loads(state_file.read_text(encoding="utf-8"))
            self._load(state)
            self._absent_faces = {name: kept for name, kept in state["faces"].items() if name not in self.faces}
        except OSError as error:
            raise ConfigError(
                f"the state file {state_file} cannot be read ({error.strerror}); mend its rights"
            ) from None
        except (ValueError, LookupError, TypeError, AttributeError):
            raise ConfigError(
                f"the state file {state_file} was not written by this version of the sandbox; "
                "name another file, or delete it to begin anew"
            ) from None

    def _app(self, face: Face, routes: list[web.RouteDef]) -> web.Application:
        app = web.Application(
            middlewares=[Stage(self.world, face, self._closing).play], client_max_size=NO_REQUEST_LIMIT
        )
        app.add_routes(routes)
        return app

    async def _listen(self, app: web.Application, offset: int) -> str:
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=1.0)
        self._runners.append(runner)
        await runner.setup()
        port = self._port + offset if self._port else 0
        try:
            await web.TCPSite(runner, HOST, port).start()
        except OSError as error:
            raise ConfigError(
                f"port {port} of {HOST} cannot be had ({os.strerror(error.errno or 0)}); "
                "choose another with --port, or 0 for a free one"
            ) from None
        return f"http://{HOST}:{runner.addresses[0][1]}"

    async def _hang_up(self) -> None:
        self._closing.set()
        self.world.late.clear()
        while self._runners:
            await self._runners.pop().cleanup()
        for face in self._sides:
            face.side_origin = ""
        self._origins.clear()
        self._control_origin = ""


def write_ready_file(path: Path, sandbox: Sandbox) -> None:
    """Tells other programs, by a file only the owner can read, where a running sandbox is and how to connect."""
    write_private(path, json.dumps({"connections": sandbox.connections, "control": sandbox.control_url}, indent=2))


def write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner can read, wholly or not at all. Raises ConfigError when it cannot."""
    draft = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise ConfigError(f"{path} cannot be written ({error.strerror}); choose another place") from None
