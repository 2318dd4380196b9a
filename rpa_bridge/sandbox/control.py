"""The sandbox's own routes under `/_sandbox/`: clock, faults, lifecycle, switches, requests, state, reset.

Each face may have more of them, below its name.

Everything is JSON. Wrong input is answered 400 with `{"error": SENTENCE}`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, TypeVar

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import AwareDatetime, TypeAdapter, ValidationError

from .faults import Chaos, Fault
from .lifecycle import Lifecycle
from .world import World

if TYPE_CHECKING:
    from .server import Sandbox

PREFIX = "/_sandbox/"
T = TypeVar("T")


@dataclass
class ClockOrder:
    """What to do with the clock, in this order; times are ISO 8601 with an offset."""

    freeze: bool | None = None
    now: AwareDatetime | None = None
    advance: float = 0.0


class Control:
    """The handlers, on one sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    @property
    def _world(self) -> World:
        return self._sandbox.world

    @web.middleware
    async def on_time(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """What is due has been carried out before anything is shown or changed."""
        await self._world.deliver()
        return await handler(request)

    async def show(self, request: web.Request) -> web.Response:
        faces = self._sandbox.faces
        routes = [
            f"{route.method} {route.resource.canonical}" for route in request.app.router.routes() if route.resource
        ]
        return web.json_response(
            {
                "faces": {
                    name: {"title": faces[name].title, "origin": at} for name, at in self._sandbox.origins.items()
                },
                "connections": self._sandbox.connections,
                "routes": [line for line in routes if not line.startswith("HEAD ")],
            }
        )

    async def clock(self, _: web.Request) -> web.Response:
        clock = self._world.clock
        return web.json_response({"now": clock.now().isoformat(), "frozen": clock.frozen})

    async def set_clock(self, request: web.Request) -> web.Response:
        order, clock = parse(ClockOrder, await read_json(request)), self._world.clock
        if order.freeze is not None:
            (clock.freeze if order.freeze else clock.thaw)()
        if order.now is not None:
            clock.set(order.now)
        clock.advance(order.advance)
        await self._world.deliver()
        return await self.clock(request)

    async def faults(self, _: web.Request) -> web.Response:
        return web.json_response({"faults": [asdict(fault) for fault in self._world.faults.faults]})

    async def add_faults(self, request: web.Request) -> web.Response:
        given = await read_json(request)
        for fault in [parse(Fault, one) for one in (given if isinstance(given, list) else [given])]:
            self._world.faults.add(fault)
        return await self.faults(request)

    async def clear_faults(self, request: web.Request) -> web.Response:
        self._world.faults.faults.clear()
        return await self.faults(request)

    async def chaos(self, _: web.Request) -> web.Response:
        chaos = self._world.faults.chaos
        return web.json_response({"chaos": chaos and asdict(chaos)})

    async def set_chaos(self, request: web.Request) -> web.Response:
        self._world.faults.chaos = parse(Chaos, await read_json(request))
        return await self.chaos(request)

    async def end_chaos(self, request: web.Request) -> web.Response:
        self._world.faults.chaos = None
        return await self.chaos(request)

    async def late(self, _: web.Request) -> web.Response:
        return web.json_response({"on_their_way": [late.due.isoformat() for late in self._world.late]})

    async def lifecycle(self, _: web.Request) -> web.Response:
        return web.json_response(asdict(self._world.lifecycle))

    async def set_lifecycle(self, request: web.Request) -> web.Response:
        given = await read_json(request)
        wanted = parse(Lifecycle, given)
        for name in given:
            setattr(self._world.lifecycle, name, getattr(wanted, name))
        return await self.lifecycle(request)

    async def switches(self, _: web.Request) -> web.Response:
        return web.json_response(self._world.switches)

    async def set_switches(self, request: web.Request) -> web.Response:
        given = await read_json(request)
        if not isinstance(given, dict):
            raise ValueError('switches are an object such as {"uipath.token_lifetime": 60}; null sets one back')
        for name, value in given.items():
            if value is None:
                self._world.switches.pop(name, None)
            else:
                self._world.switches[name] = value
        return await self.switches(request)

    async def requests(self, request: web.Request) -> web.Response:
        face, path = request.query.get("face", "*"), request.query.get("path", "*")
        found = [
            asdict(one) | {"at": one.at.isoformat(), "executed_at": one.executed_at and one.executed_at.isoformat()}
            for one in self._world.exchanges
            if fnmatchcase(one.face, face) and fnmatchcase(one.path, path)
        ]
        return web.json_response({"requests": found})

    async def clear_requests(self, request: web.Request) -> web.Response:
        self._world.exchanges.clear()
        return await self.requests(request)

    async def state(self, _: web.Request) -> web.Response:
        state = self._sandbox.dump()
        return web.json_response({"faces": state["faces"], "counters": state["world"]["counters"]})

    async def reset(self, _: web.Request) -> web.Response:
        self._sandbox.reset()
        return web.json_response({})


def control_app(sandbox: Sandbox) -> web.Application:
    """The application that steers a sandbox."""
    control = Control(sandbox)
    app = web.Application(middlewares=[_sentences, control.on_time])
    app.add_routes(
        [
            web.get(PREFIX, control.show),
            web.get(f"{PREFIX}clock", control.clock),
            web.post(f"{PREFIX}clock", control.set_clock),
            web.get(f"{PREFIX}faults", control.faults),
            web.post(f"{PREFIX}faults", control.add_faults),
            web.delete(f"{PREFIX}faults", control.clear_faults),
            web.get(f"{PREFIX}chaos", control.chaos),
            web.post(f"{PREFIX}chaos", control.set_chaos),
            web.delete(f"{PREFIX}chaos", control.end_chaos),
            web.get(f"{PREFIX}late", control.late),
            web.get(f"{PREFIX}lifecycle", control.lifecycle),
            web.post(f"{PREFIX}lifecycle", control.set_lifecycle),
            web.get(f"{PREFIX}switches", control.switches),
            web.post(f"{PREFIX}switches", control.set_switches),
            web.get(f"{PREFIX}requests", control.requests),
            web.delete(f"{PREFIX}requests", control.clear_requests),
            web.get(f"{PREFIX}state", control.state),
            web.post(f"{PREFIX}reset", control.reset),
        ]
    )
    for name, face in sandbox.faces.items():
        app.add_routes(
            web.route(one.method, f"{PREFIX}{name}{one.path}", one.handler)
            for one in face.control_routes(sandbox.origins[name])
        )
    return app


async def read_json(request: web.Request) -> Any:
    """The body's JSON. Raises ValueError with a sentence."""
    try:
        return json.loads(await request.read())
    except ValueError:
        raise ValueError("the body must be JSON") from None


def parse(kind: type[T], given: Any) -> T:
    """A dataclass made of a JSON object. Raises ValueError with a sentence."""
    names = [one.name for one in fields(kind)]  # type: ignore[arg-type]  # kind is always a dataclass
    if not isinstance(given, dict):
        raise ValueError(f"expected an object with any of: {', '.join(names)}")
    for name in given:
        if name not in names:
            near = get_close_matches(name, names, n=1)
            raise ValueError(
                f"there is no {name!r}; " + (f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names)}")
            )
    try:
        return TypeAdapter(kind).validate_python(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{place}: {first['msg']}" if place else first["msg"]) from None


@web.middleware
async def _sentences(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except ValueError as error:
        return web.json_response({"error": str(error)}, status=400)
    except web.HTTPNotFound:
        return web.json_response({"error": f"there is no {request.path}; see GET {PREFIX}"}, status=404)
