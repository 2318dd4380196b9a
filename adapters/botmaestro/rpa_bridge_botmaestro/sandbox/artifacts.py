"""Result files: the record first, then its content. docs: botmaestro.md 6"""

from __future__ import annotations

from urllib.parse import quote

from aiohttp import web

from .backend import Backend, Body, Route
from .paging import first_moment
from .records import Artifact


class NewArtifact(Body):
    """The request says `filename`, the answer `fileName`."""

    task_id: int
    name: str
    filename: str


class Artifacts:
    """The files of all tasks."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/artifact", self._create),
            Route("POST", "/artifact/log/{id}", self._upload),
            Route("GET", "/artifact", self._list),
            Route("GET", "/artifact/{id}", self._get),
            Route("GET", "/artifact/{id}/file", self._download),
        ]

    async def _create(self, request: web.Request) -> web.Response:
        new = await self._backend.read(request, NewArtifact)
        task = self._backend.task_of_note(new.task_id)
        artifact_id = self._backend.next_number("artifact")
        stored_as = f"{artifact_id}-{new.filename}"
        artifact = Artifact(
            id=artifact_id,
            task_id=new.task_id,
            task_name=task and task.activity_name,
            name=new.name,
            file_name=new.filename,
            storage_file_name=stored_as,
            storage_file_path=f"/artifacts/{stored_as}",
            date_creation=self._backend.now(),
        )
        self._backend.state.artifacts[artifact_id] = artifact
        return self._backend.answer(artifact)

    async def _upload(self, request: web.Request) -> web.Response:
        """Takes empty files too; a second upload replaces the first (a guess)."""
        self._artifact(request)
        stored = await self._backend.read_file(request)
        artifact = self._artifact(request)
        artifact.stored = stored
        return self._backend.answer(artifact)

    async def _list(self, request: web.Request) -> web.Response:
        since, task_id = first_moment(request.query, self._backend.now()), request.query.get("taskId")
        rows = [
            one
            for one in self._backend.state.artifacts.values()
            if task_id in (None, "", str(one.task_id)) and (since is None or one.date_creation >= since)
        ]
        return self._backend.answer_page(request, rows)

    async def _get(self, request: web.Request) -> web.Response:
        return self._backend.answer(self._artifact(request))

    async def _download(self, request: web.Request) -> web.Response:
        artifact = self._artifact(request)
        if artifact.stored is None:
            raise self._backend.unknown(f"The file of artifact {artifact.id}")
        return web.Response(
            body=artifact.stored.content,
            content_type="application/octet-stream",
            headers={"Content-Disposition": f"attachment; filename*=UTF-8''{quote(artifact.file_name, safe='')}"},
        )

    def _artifact(self, request: web.Request) -> Artifact:
        given = request.match_info["id"]
        known = self._backend.state.artifacts.get(int(given)) if given.isdecimal() else None
        if known is None:
            raise self._backend.unknown(f"Artifact {given}")
        return known
