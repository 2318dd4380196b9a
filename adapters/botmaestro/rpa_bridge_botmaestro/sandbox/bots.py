"""Bots: what automations run, in versions. docs: botmaestro.md 10"""

from __future__ import annotations

from aiohttp import web
from pydantic import Field

from .backend import Backend, Body, Route
from .errors import invalid
from .records import REPOSITORY, Bot, Technology


class NewBot(Body):
    """A version of a bot, which may be its first."""

    organization: str = ""
    bot_id: str = Field(min_length=1)
    version: str = Field(min_length=1)
    technology: Technology
    command: str | None = None
    repository_label: str = REPOSITORY


class Release(Body):
    bot_id: str
    version: str


class Bots:
    """All bots by id. A bot shows as its released version, or as its newest while none is (a guess)."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def routes(self) -> list[Route]:
        version = "/bot/{bot_id}/version/{version}"
        return [
            Route("GET", "/bot", self._list),
            Route("GET", "/bot/pagination", self._page),
            Route("POST", "/bot", self._create),
            Route("POST", "/bot/upload/{bot_id}/version/{version}", self._upload),
            Route("POST", "/bot/release", self._release),
            Route("GET", version, self._get),
            Route("DELETE", version, self._delete),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        return self._backend.answer_all(self._shown(request))

    async def _page(self, request: web.Request) -> web.Response:
        return self._backend.answer_page(request, self._shown(request))

    async def _create(self, request: web.Request) -> web.Response:
        new = await self._backend.read(request, NewBot)
        versions = self._backend.state.bots.get(new.bot_id, {})
        if new.version in versions:
            raise invalid(f"Version {new.version!r} of bot {new.bot_id!r} already exists")
        bot = Bot(**new.model_dump(exclude={"organization"}))
        self._backend.state.bots[new.bot_id] = versions | {new.version: bot}
        return self._backend.answer(bot)

    async def _upload(self, request: web.Request) -> web.Response:
        """A second upload replaces the first: that is how clients update a version."""
        self._version(request)
        stored = await self._backend.read_file(request)
        bot = self._version(request)
        bot.stored = stored
        return self._backend.answer(bot)

    async def _release(self, request: web.Request) -> web.Response:
        """One version of a bot is released at a time."""
        given = await self._backend.read(request, Release)
        bot = self._bot(given.bot_id, given.version)
        for other in self._backend.state.bots[bot.bot_id].values():
            other.released = other is bot
        return self._backend.answer(bot)

    async def _get(self, request: web.Request) -> web.Response:
        return self._backend.answer(self._version(request))

    async def _delete(self, request: web.Request) -> web.Response:
        """Exactly 200; a bot goes with its last version."""
        bot = self._version(request)
        versions = self._backend.state.bots[bot.bot_id]
        del versions[bot.version]
        if not versions:
            del self._backend.state.bots[bot.bot_id]
        return web.Response()

    def _shown(self, request: web.Request) -> list[Bot]:
        wanted = request.query.get("botId")
        return [
            next((one for one in versions.values() if one.released), [*versions.values()][-1])
            for bot_id, versions in self._backend.state.bots.items()
            if wanted in (None, "", bot_id)
        ]

    def _version(self, request: web.Request) -> Bot:
        return self._bot(request.match_info["bot_id"], request.match_info["version"])

    def _bot(self, bot_id: str, version: str) -> Bot:
        known = self._backend.state.bots.get(bot_id, {}).get(version)
        if known is None:
            raise self._backend.unknown(f"Version {version!r} of bot {bot_id!r}")
        return known
