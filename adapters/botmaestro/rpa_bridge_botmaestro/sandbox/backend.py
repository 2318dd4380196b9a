"""What all rooms of the face share: the world, the state, and how requests are read and answers are written."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from aiohttp import BodyPartReader, web
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from rpa_bridge.sandbox.world import World

from .errors import RefusedError, invalid
from .paging import page
from .records import Pool, Record, StoredFile, Task, date_text
from .state import State
from .switches import DEFAULTS

BodyT = TypeVar("BodyT", bound="Body")
RecordT = TypeVar("RecordT", bound=Record)
Handler = Callable[[web.Request], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class Route:
    """One thing that the face answers, below /api/v2."""

    method: str
    path: str
    handler: Handler
    since: str = "0"
    """The first backend version that has it."""
    anonymous: bool = False
    """Whether it needs no token."""
    needs: str = ""
    """The switch that must be on for it to be there."""


class Body(BaseModel):
    """A JSON body. Numbers and their texts may stand for each other, and a null member counts as absent (a guess)."""

    model_config = ConfigDict(alias_generator=to_camel, coerce_numbers_to_str=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, given: Any) -> Any:
        if isinstance(given, dict):
            return {name: value for name, value in given.items() if value is not None}
        return given


@dataclass
class Backend:
    """The rooms' common ground.

    A client that hangs up cancels its handler. So a handler first reads the whole request and then changes the state
    without waiting for anything: a request is carried out wholly or not at all.
    """

    world: World
    state: State

    def now(self) -> datetime:
        """The sandbox's time."""
        return self.world.clock.now()

    def switch(self, name: str) -> Any:
        """How an open question is decided."""
        return self.world.switch(f"botmaestro.{name}", DEFAULTS[name])

    def has_reached(self, version: str) -> bool:
        """Whether the backend is of this version, or a later one."""
        return _parts(version) <= _parts(self.switch("version"))

    def next_number(self, kind: str) -> int:
        """The next id of a kind of records."""
        return self.world.next_id(f"botmaestro.{kind}")

    async def read(self, request: web.Request, kind: type[BodyT]) -> BodyT:
        """The request's JSON body. Raises RefusedError 415 for another content type, 400 for another shape."""
        given = await self.read_object(request)
        if self.switch("refuse_unknown_members"):
            known = {field.alias for field in kind.model_fields.values()}
            strange = sorted(set(given) - known)
            if strange:
                raise invalid(f"Unrecognized member {strange[0]!r}")
        if not self.switch("coerce_numbers"):
            _refuse_texts(given, kind)
        try:
            return kind.model_validate(given)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            raise invalid(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None

    async def read_object(self, request: web.Request) -> dict[str, Any]:
        """The request's JSON object. Raises RefusedError 415 for another content type, 400 for anything else."""
        if request.content_type != "application/json":
            raise RefusedError(415, f"Content-Type {request.content_type!r} is not supported")
        try:
            given = json.loads(await request.read(), parse_constant=_no_number)
        except (ValueError, RecursionError):
            raise invalid("Malformed JSON request") from None
        if not isinstance(given, dict):
            raise invalid("A JSON object is expected")
        return given

    async def read_file(self, request: web.Request) -> StoredFile:
        """The one file of a multipart body. Raises RefusedError 415 or 400."""
        if request.content_type != "multipart/form-data":
            raise RefusedError(415, f"Content-Type {request.content_type!r} is not supported")
        try:
            parts = await request.multipart()
            part = await parts.next()
            if not isinstance(part, BodyPartReader) or part.name != "file" or not part.filename:
                raise invalid("Required part 'file' with a filename is not present")
            content = bytearray()
            while not part.at_eof():  # `part.read()` takes the stage's "no limit" for a limit of 0 bytes
                content += await part.read_chunk()
            file = StoredFile(file_name=part.filename, content=bytes(content))
            if await parts.next() is not None:
                raise invalid("One file per request is expected")
        except ValueError:
            raise invalid("Malformed multipart request") from None
        return file

    def answer(self, record: Record, status: int = 200) -> web.Response:
        """A record as JSON."""
        return web.json_response(self.wire(record), status=status)

    def answer_all(self, records: Iterable[Record]) -> web.Response:
        """Records as a JSON array."""
        return web.json_response([self.wire(one) for one in records])

    def answer_page(
        self, request: web.Request, rows: Sequence[RecordT], render: Callable[[RecordT], dict[str, Any]] | None = None
    ) -> web.Response:
        """The page of the rows that the request asks for."""
        sizes = self.switch("default_page_size"), self.switch("max_page_size")
        return web.json_response(page(rows, request.query, render=render or self.wire, sizes=sizes))

    def wire(self, record: Record) -> dict[str, Any]:
        """A record as the server writes it."""
        return record.wire(self.switch("date_format"))

    def refuse(self, refusal: RefusedError) -> web.Response:
        """A refusal as the server writes it."""
        return refusal.answer(date_text(self.now(), self.switch("date_format")), self.switch("error_body"))

    def unknown(self, what: str) -> RefusedError:
        """What an unknown id or label is answered."""
        return RefusedError(self.switch("status_unknown"), f"{what} not found")

    def conflict(self, message: str) -> RefusedError:
        """What a step that the state does not allow is answered."""
        return RefusedError(self.switch("status_conflict"), message)

    def task(self, task_id: int | str) -> Task:
        """The task. Raises RefusedError."""
        known = self.state.tasks.get(int(task_id)) if str(task_id).isdecimal() else None
        if known is None:
            raise self.unknown(f"Task {task_id}")
        return known

    def pool(self, request: web.Request) -> Pool:
        """The datapool of the path's label. Raises RefusedError."""
        label = request.match_info["label"]
        known = self.state.pools.get(label)
        if known is None:
            raise self.unknown(f"Datapool {label!r}")
        return known

    def task_of_note(self, task_id: int) -> Task | None:
        """The task that an alert, a result file or an error names; None where the server would not check."""
        if task_id not in self.state.tasks and not self.switch("check_task_ids"):
            return None
        return self.task(task_id)


def _refuse_texts(given: dict[str, Any], kind: type[Body]) -> None:
    """Numbers must be numbers, but for ids of tasks: those come as texts too. docs: botmaestro.md 14"""
    numbers = {field.alias for field in kind.model_fields.values() if field.annotation in (int, int | None)}
    for name, value in given.items():
        if name in numbers - {"taskId"} and isinstance(value, str):
            raise invalid(f"{name}: a number is expected")


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _no_number(word: str) -> float:
    """NaN and Infinity are Python's, not JSON's. Raises ValueError."""
    raise ValueError(word)
