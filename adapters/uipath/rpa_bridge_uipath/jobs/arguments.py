"""Inputs and outputs that are longer than UiPath's text takes: JSON in attachments. docs: uipath.md 3.8, size"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import UUID

from rpa_bridge.contract.jobs import Job
from rpa_bridge.errors import Delivery, DeniedError, InvalidError, NotFoundError, ProtocolError, RemoteError
from rpa_bridge.helpers.checks import refuse
from rpa_bridge.transport.content import Content
from rpa_bridge_uipath import odata, storage
from rpa_bridge_uipath.client import Client
from rpa_bridge_uipath.mapping import jobs as mapping
from rpa_bridge_uipath.wire.jobs import JobDto

LOG = logging.getLogger("rpa_bridge.uipath")
LARGEST = 16 * 1024 * 1024
"""Bytes of an attachment that are read into a job; a larger one is for `artifacts.open`."""
REMEMBERED = 8
"""Inputs kept, so that waiting for a job does not fetch them at every look."""
UNKNOWN_HERE = frozenset({None, "0"})
"""Codes of a server to which a path, or a member of a body, means nothing: it is older. docs: uipath.md 5.2"""


class Arguments:
    """What jobs are given and give back, wherever it lies."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._inputs: dict[UUID, str] = {}

    async def store(self, text: str, operation: str) -> UUID | None:
        """The attachment that holds these inputs from now on; None where they fit into the request itself.

        Raises InvalidError when the server has no attachments. Whatever it raises, no job was started.
        """
        size = mapping.characters(text)
        if size <= mapping.MOST_CHARACTERS:
            return None
        body = _encoded(text, operation)
        content = Content(body, len(body), "application/json")
        try:
            made = await storage.create_attachment(self._client, "inputs.json", content, operation)
        except RemoteError as error:
            error.delivery = Delivery.NOT_SENT  # of the start, whatever became of the attachment
            if not isinstance(error, NotFoundError | InvalidError) or error.code not in UNKNOWN_HERE:
                raise
            refused = error
        else:
            self._remember(made.Id, text)
            return made.Id
        raise InvalidError(
            f"{operation}: the inputs have {size} characters as JSON; more than {mapping.MOST_CHARACTERS} fit only "
            f"into an attachment, which this server did not take ({refused})",
            status=refused.status,
            operation=operation,
            delivery=Delivery.NOT_SENT,
        )

    async def complete(self, dto: JobDto, operation: str) -> Job:
        """The job with its inputs and outputs. Inputs that cannot be had are left out, with a warning.

        Raises what reading its outputs raises: a job must not look as if it had given nothing.
        """
        if dto.InputFile is None and dto.OutputFile is None:
            return mapping.job(dto)
        job, inputs, outputs = self.known(dto), _file(dto.InputFile), _file(dto.OutputFile)
        if inputs is not None and not job.inputs:
            job = replace(job, inputs=await self._read_inputs(inputs, job, operation))
        if outputs is not None and not job.outputs and job.finished:
            job = replace(job, outputs=await self._read_outputs(outputs, job, operation))
        return job

    def known(self, dto: JobDto) -> Job:
        """The job with what need not be fetched."""
        job, inputs = mapping.job(dto), _file(dto.InputFile)
        if job.inputs or inputs not in self._inputs:
            return job
        return replace(job, inputs=mapping.arguments(self._inputs[inputs]))

    async def _read_inputs(self, key: UUID, job: Job, operation: str) -> dict[str, Any]:
        if key not in self._inputs:
            text = ""
            try:
                text = await self._read(key, operation)
            except (NotFoundError, DeniedError, ProtocolError) as error:  # who watches a job need not see them
                LOG.warning("the inputs of job %s are left out: %s", job.id, error)
            self._remember(key, text)
        return mapping.arguments(self._inputs[key])

    async def _read_outputs(self, key: UUID, job: Job, operation: str) -> dict[str, Any]:
        try:
            return mapping.arguments(await self._read(key, operation))
        except NotFoundError:
            LOG.warning("the outputs of job %s are gone: attachment %s was deleted", job.id, key)
            return {}

    async def _read(self, key: UUID, operation: str) -> str:
        content = await storage.read_attachment(self._client, key, operation, longest=LARGEST)
        return content.decode("utf-8-sig", "replace")

    def _remember(self, key: UUID, text: str) -> None:
        self._inputs[key] = text
        if len(self._inputs) > REMEMBERED:
            del self._inputs[next(iter(self._inputs))]


def _file(key: str | None) -> UUID | None:
    return None if key is None else odata.guid(key)


def _encoded(text: str, operation: str) -> bytes:
    with suppress(UnicodeEncodeError):  # it keeps the whole text: never a context of ours
        return text.encode()
    raise refuse(operation, "a text of the inputs holds half of a character; check where it was cut")
