"""One job, by its number or its key."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from rpa_bridge.errors import NotFoundError, ProtocolError
from rpa_bridge_uipath import odata
from rpa_bridge_uipath.client import Client
from rpa_bridge_uipath.wire.jobs import JobDto

EXPANDED = "Robot"
NO_SUCH_ITEM = "1002"
"""docs: uipath.md 5.2"""


async def read_job(client: Client, job_id: str, operation: str) -> JobDto:
    """The job whole. Raises NotFoundError."""
    number = odata.number(job_id)
    if number is None:
        number = await _number_of(client, job_id, operation)
    try:
        return await job_by_number(client, number, operation)
    except NotFoundError as error:
        if error.code != NO_SUCH_ITEM:  # a wrong folder or address has another mend
            raise
        raise _no_job(operation, job_id, error.status) from None


async def job_by_number(client: Client, number: int, operation: str) -> JobDto:
    """The job whole. Raises the platform's NotFoundError."""
    job = await client.read(JobDto, odata.entity("Jobs", number), operation=operation, expand=EXPANDED)
    if job.Id != number:
        raise ProtocolError(f"{operation}: asked for job {number}, got {job.Id}", operation=operation)
    return job


async def jobs_by_number(client: Client, numbers: Sequence[int], operation: str) -> dict[int, JobDto]:
    """Those of the jobs that are there, by number, in one list; rows may come without inputs and outputs."""
    params = {"$filter": odata.is_in("Id", numbers), "$top": str(len(numbers)), "$expand": EXPANDED}
    rows = await client.rows(JobDto, "Jobs", operation=operation, params=params)
    return {row.Id: row for row in rows if row.Id in numbers}


async def key_of(client: Client, job_id: str, operation: str) -> UUID:
    """The job's key; one that is a key already is not asked for. Raises NotFoundError."""
    key = odata.guid(job_id)
    if key is not None:
        return key
    key = odata.guid((await read_job(client, job_id, operation)).Key)
    if key is None:
        raise ProtocolError(f"{operation}: job {job_id} has no key that is a GUID", operation=operation)
    return key


async def _number_of(client: Client, job_id: str, operation: str) -> int:
    """By its key, in the list: its rows may come without inputs and outputs, so that the job is read by number then.

    GetByKey is in no published definition, and older servers lack it. docs: uipath.md 3.8
    """
    key = odata.guid(job_id)
    if key is not None:
        params = {"$filter": odata.where("Key", "eq", key), "$top": "1"}
        for row in await client.rows(JobDto, "Jobs", operation=operation, params=params):
            if odata.guid(row.Key) == key:
                return row.Id
    raise _no_job(operation, job_id)


def _no_job(operation: str, job_id: str, status: int | None = None) -> NotFoundError:
    return NotFoundError(
        f"{operation}: there is no job {job_id!r} in this folder; `rpa-bridge jobs list` shows what there is",
        status=status,
        operation=operation,
    )
