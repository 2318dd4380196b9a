"""Many queue items at once, each guarded by its row version: deleted, reviewed, retried. docs: uipath.md 3.10"""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from .additions import ACTION
from .bodies import Members, bind, body_of, many, nested, one_of, text, whole
from .entities import REVIEW_STATES, Row
from .errors import RefusalError, invalid_argument
from .gate import Call, Route
from .queues import SCOPE
from .work import Work

VERSIONED = many(nested({"Id": whole(0, 2**63), "RowVersion": text()}))
REVIEWABLE = ("Failed", "Abandoned")


class ItemBulks:
    """They answer 200, and name in FailedItems the ids that they did not touch."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def routes(self) -> list[Route]:
        """Its operations."""
        return [
            Route("POST", f"/odata/QueueItems/{ACTION}DeleteBulk", self.delete, SCOPE),
            Route("POST", f"/odata/QueueItems/{ACTION}SetItemReviewStatus", self.review, SCOPE),
        ]

    async def delete(self, call: Call) -> web.Response:
        given = await self._given(call, {"queueItems": VERSIONED})
        return self._each(call, given, lambda _: True, self._work.delete)

    async def review(self, call: Call) -> web.Response:
        """`Retried` brings a new item for each; what did not fail cannot be reviewed."""
        given = await self._given(call, {"queueItems": VERSIONED, "status": one_of(*REVIEW_STATES)})
        status = given["status"]

        def change(row: Row) -> None:
            if status == "Retried":
                self._work.retry_manually(row)
            else:
                self._work.review(row, status)

        return self._each(call, given, lambda row: row["Status"] in REVIEWABLE, change)

    async def _given(self, call: Call, members: Members) -> Row:
        given = bind(await body_of(call.request), members, "queueItems")
        for name in members:
            if name not in given:
                raise invalid_argument(name, "It is required.")
        return given

    def _each(
        self, call: Call, given: Row, allowed: Callable[[Row], bool], change: Callable[[Row], None]
    ) -> web.Response:
        failed = []
        for one in given["queueItems"]:
            row = self._current(call, one)
            if row is None or not allowed(row):
                failed.append(one.get("Id"))
            else:
                change(row)
        message = f"{len(failed)} items failed." if failed else ""
        return web.json_response({"Success": not failed, "Message": message, "FailedItems": failed})

    def _current(self, call: Call, wanted: Row) -> Row | None:
        """The item, unless it is not here or has changed since the caller saw it."""
        try:
            row = self._work.item(wanted.get("Id", 0), call.folder)
        except RefusalError:
            return None
        return row if row["RowVersion"] == wanted.get("RowVersion") else None
