"""How queue items live: added, taken, done, retried, abandoned. docs: uipath.md 3.10"""

from __future__ import annotations

import base64
import heapq
from collections.abc import Callable
from datetime import timedelta

from rpa_bridge.sandbox.world import World

from .content import as_text
from .entities import PRIORITIES, Row
from .errors import not_found
from .state import State
from .times import from_wire, to_wire

ABANDONED_AFTER = timedelta(hours=24)
Place = tuple[bool, int, str, int]
EDITABLE: Row = {"Progress": None, "Priority": "Normal", "DueDate": None, "DeferDate": None, "SpecificContent": {}}
"""What of an item can be changed, and what it becomes where the change leaves it out."""


class Work:
    """The rules; they know nothing of HTTP. Whoever is about to look at items calls `sweep` first."""

    def __init__(self, world: World, state: State) -> None:
        self._world, self._state = world, state
        self.rebuild()

    def rebuild(self) -> None:
        """Makes the indices of what the state holds."""
        self._waiting: dict[int, list[Place]] = {}
        self._taken: dict[int, None] = {}
        self._references: dict[tuple[int, str], set[int]] = {}
        for row in sorted(self._state.items.values(), key=lambda row: row["StartProcessing"] or ""):
            self._index(row)

    def add(self, queue: Row, given: Row) -> Row:
        """A new item of these members."""
        return self._place(queue, given, self._world.new_uuid())

    def item(self, item_id: int, folder: Row) -> Row:
        """The item of this folder as it stands now. Raises a 404."""
        self.sweep()
        row = self._state.items.get(item_id)
        if row is None or row["OrganizationUnitId"] != folder["Id"]:
            raise not_found("The queue item")
        return row

    def fold(self, reference: str) -> str:
        """A reference in the form in which two are compared."""
        return reference.casefold() if self._world.switch("uipath.ignore_case", True) else reference

    def reference_taken(self, queue: Row, reference: str) -> bool:
        """Whether an item has it; deleted and retried ones do not count. docs: uipath.md 3.9"""
        ids = self._references.get((queue["Id"], self.fold(reference)), ())
        return any(self._state.items[one]["Status"] not in ("Deleted", "Retried") for one in ids)

    def next_item(self, queue: Row, wanted: Callable[[Row], bool]) -> Row | None:
        """The first item that is due: with a due date before without, then by priority, due date and age.

        The wire does not promise this order. docs: uipath.md 3.10
        """
        waiting = self._waiting.setdefault(queue["Id"], [])
        passed, found, now = [], None, self._state.now()
        while waiting and found is None:
            place = heapq.heappop(waiting)
            row = self._state.items[place[-1]]
            if row["Status"] != "New" or place != _place_in_line(row):
                continue
            if (row["DeferDate"] or "") <= now and wanted(row):
                found = row
            else:
                passed.append(place)
        for place in passed:
            heapq.heappush(waiting, place)
        return found

    def take(self, row: Row, robot_id: int | None) -> None:
        """Gives the item to somebody."""
        row["Status"], row["StartProcessing"], row["RobotId"] = "InProgress", self._state.now(), robot_id
        self._touch(row)
        self._taken[row["Id"]] = None

    def finish(self, row: Row, result: Row) -> None:
        """Ends an attempt; an application exception may bring a new item. docs: uipath.md 3.10, states"""
        good = result.get("IsSuccessful", False)
        output, analytics = result.get("Output"), result.get("Analytics")
        row["Output"], row["OutputData"] = output, as_text(output)
        row["Analytics"], row["AnalyticsData"] = analytics, as_text(analytics)
        row["Progress"] = result.get("Progress", row["Progress"])
        row["OperationId"] = result.get("OperationId")
        if not good:
            error = {"Reason": None, "Details": None, "Type": "ApplicationException"} | result.get(
                "ProcessingException", {}
            )
            row["ProcessingException"] = error | {"CreationTime": self._state.now()}
            row["ProcessingExceptionType"] = error["Type"]
        self._end(row, "Successful" if good else "Failed")
        if row["ProcessingExceptionType"] == "ApplicationException" and self._may_retry(row):
            self._retry(row, result)

    def progress(self, row: Row, text: str) -> None:
        """Notes how far an attempt has come."""
        row["Progress"] = text
        self._touch(row)

    def edit(self, row: Row, given: Row) -> None:
        """Changes a new item; the rest of what is given is not applied. docs: uipath.md 3.10"""
        kept = self._world.switch("uipath.put_item_keeps_absent", False)
        for name, default in EDITABLE.items():
            row[name] = given.get(name, row[name] if kept else default)
        row["SpecificData"] = as_text(row["SpecificContent"])
        self._touch(row)
        self._line_up(row)

    def review(self, row: Row, status: str) -> None:
        """Notes what somebody thinks of a failure."""
        row["ReviewStatus"] = status
        self._touch(row)

    def retry_manually(self, row: Row) -> None:
        """A new item that tries a failed one again. docs: uipath.md 3.10, SetItemReviewStatus"""
        if self._world.switch("uipath.manual_retry_ends_status", False):
            row["Status"] = "Retried"
        self.review(row, "Retried")
        new = self._again(row, {})
        new["ManualAncestorId"], new["ManualAncestorUniqueKey"] = row["Id"], row["UniqueKey"]
        new["ManualRetryNumber"] = row["ManualRetryNumber"] + 1

    def delete(self, row: Row) -> None:
        """Marks the item; it can still be looked at."""
        row["Status"] = "Deleted"
        self._taken.pop(row["Id"], None)
        self._touch(row)

    def drop_queue(self, queue: Row) -> None:
        """Takes a queue away, with all that is in it."""
        del self._state.queues[queue["Id"]]
        kept = {row["Id"]: row for row in self._state.items.values() if row["QueueDefinitionId"] != queue["Id"]}
        self._state.items = kept
        self.rebuild()

    def sweep(self) -> None:
        """Abandons what was taken a day ago and never finished."""
        limit = to_wire(self._world.clock.now() - ABANDONED_AFTER)
        for item_id in list(self._taken):
            row = self._state.items[item_id]
            if row["StartProcessing"] > limit:
                return
            self._end(row, "Abandoned")
            if self._state.queues[row["QueueDefinitionId"]]["RetryAbandonedItems"] and self._may_retry(row):
                self._retry(row, {})

    def _may_retry(self, row: Row) -> bool:
        queue = self._state.queues[row["QueueDefinitionId"]]
        return bool(queue["AcceptAutomaticallyRetry"]) and row["RetryNumber"] < queue["MaxNumberOfRetries"]

    def _retry(self, row: Row, result: Row) -> None:
        """The old item becomes Retried, and a new one takes its place. docs: uipath.md 3.10, states"""
        row["Status"] = "Retried"
        new = self._again(row, result)
        new["AncestorId"], new["AncestorUniqueKey"] = row["Id"], row["UniqueKey"]
        new["RetryNumber"] = row["RetryNumber"] + 1

    def _again(self, row: Row, result: Row) -> Row:
        """A new item with the key, the reference and the content of one that was tried."""
        queue = self._state.queues[row["QueueDefinitionId"]]
        kept = ("SpecificContent", "Priority", "Reference", "DueDate", "RiskSlaDate", "ParentOperationId")
        again = {name: row[name] for name in kept}
        again |= {name: result[name] for name in ("DeferDate", "DueDate") if name in result}
        new = self._place(queue, again, row["Key"])
        spent = from_wire(row["EndProcessing"]) - from_wire(row["StartProcessing"])
        new["SecondsInPreviousAttempts"] = row["SecondsInPreviousAttempts"] + int(spent.total_seconds())
        return new

    def _end(self, row: Row, status: str) -> None:
        row["Status"], row["EndProcessing"] = status, self._state.now()
        self._taken.pop(row["Id"], None)
        self._touch(row)

    def _place(self, queue: Row, given: Row, key: str) -> Row:
        row: Row = {
            "QueueDefinitionId": queue["Id"],
            "Encrypted": queue["Encrypted"],
            "SpecificContent": given.get("SpecificContent") or {},
            "Output": None,
            "OutputData": None,
            "Analytics": None,
            "AnalyticsData": None,
            "Status": "New",
            "ReviewStatus": "None",
            "ReviewerUserId": None,
            "Key": key,
            "UniqueKey": self._world.new_uuid(),
            "Reference": given.get("Reference"),
            "ProcessingException": None,
            "ProcessingExceptionType": None,
            "Error": None,
            "DueDate": given.get("DueDate"),
            "RiskSlaDate": given.get("RiskSlaDate"),
            "DeferDate": given.get("DeferDate"),
            "Priority": given.get("Priority", "Normal"),
            "RobotId": None,
            "CreatorJobKey": None,
            "ExecutorJobKey": None,
            "StartProcessing": None,
            "EndProcessing": None,
            "SecondsInPreviousAttempts": 0,
            "AncestorId": None,
            "AncestorUniqueKey": None,
            "RetryNumber": 0,
            "ManualAncestorId": None,
            "ManualAncestorUniqueKey": None,
            "ManualRetryNumber": 0,
            "SpecificData": as_text(given.get("SpecificContent") or {}),
            "CreationTime": self._state.now(),
            "Progress": given.get("Progress"),
            "ParentOperationId": given.get("ParentOperationId"),
            "OperationId": None,
            "OrganizationUnitId": queue["OrganizationUnitId"],
            "OrganizationUnitFullyQualifiedName": queue["OrganizationUnitFullyQualifiedName"],
            "Id": self._state.next_id("item", 500_001),
        }
        self._state.items[row["Id"]] = row
        self._touch(row)
        self._index(row)
        return row

    def _touch(self, row: Row) -> None:
        version = self._state.next_id("row version", 2001)
        row["RowVersion"] = base64.b64encode(version.to_bytes(8, "big")).decode()

    def _index(self, row: Row) -> None:
        if row["Reference"]:
            place = row["QueueDefinitionId"], self.fold(row["Reference"])
            self._references.setdefault(place, set()).add(row["Id"])
        if row["Status"] == "New":
            self._line_up(row)
        elif row["Status"] == "InProgress":
            self._taken[row["Id"]] = None

    def _line_up(self, row: Row) -> None:
        heapq.heappush(self._waiting.setdefault(row["QueueDefinitionId"], []), _place_in_line(row))


def _place_in_line(row: Row) -> Place:
    """Where a new item stands; one that was edited leaves its old place in the line, which is then passed over."""
    due = row["DueDate"]
    return due is None, PRIORITIES.index(row["Priority"]), due or "", row["Id"]
