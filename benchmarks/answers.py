"""What the benchmarks' server answers: both vendors' shapes, made up once, with the caller's own marks filled in.

The size of a UiPath queue stands in its name: `Items-100000` has a hundred thousand items.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus

UIPATH = "/acme/default/orchestrator_/odata"
BOTMAESTRO = "/api/v2"
TOKENS = "/benchmark/tokens"
"""Tells how many tokens were asked for."""
PAGE = 100
GUID = "6f1c9a52-3f0e-4f5e-9a77-3d8f6f6a9b11"
MOMENT = "2026-11-20T09:43:52.959Z"
_ABSENT: tuple[str, ...] = (
    *("Output", "OutputData", "Analytics", "AnalyticsData", "ReviewerUserId", "ProcessingException"),
    *("ProcessingExceptionType", "Error", "DueDate", "RiskSlaDate", "DeferDate", "RobotId", "CreatorJobKey"),
    *("ExecutorJobKey", "StartProcessing", "EndProcessing", "AncestorId", "AncestorUniqueKey", "ManualAncestorId"),
    *("ManualAncestorUniqueKey", "Progress", "ParentOperationId", "OperationId"),
)
ITEM: dict[str, Any] = {
    **dict.fromkeys(_ABSENT),
    "Id": 500001,
    "Key": GUID,
    "UniqueKey": GUID,
    "QueueDefinitionId": 1,
    "Encrypted": False,
    "SpecificContent": {"number": "4711", "amount": 12.5},
    "SpecificData": '{"DynamicProperties": {"number": "4711", "amount": 12.5}}',
    "Status": "New",
    "ReviewStatus": "None",
    "Priority": "Normal",
    "SecondsInPreviousAttempts": 0,
    "RetryNumber": 0,
    "ManualRetryNumber": 0,
    "CreationTime": MOMENT,
    "OrganizationUnitId": 101,
    "OrganizationUnitFullyQualifiedName": "Shared",
    "RowVersion": "AAAAAAAAB9E=",
}
JOB: dict[str, Any] = {
    **dict.fromkeys(("StartTime", "EndTime", "Info", "OutputArguments", "OutputFile", "InputFile", "JobError")),
    "Id": 40001,
    "Key": GUID,
    "State": "Pending",
    "ReleaseName": "Invoices",
    "InputArguments": '{"month": "2026-10"}',
    "JobPriority": "Normal",
    "SpecificPriorityValue": 45,
    "RuntimeType": "Unattended",
    "Source": "Manual",
    "SourceType": "Manual",
    "Type": "Unattended",
    "ResumeVersion": 0,
    "CreationTime": MOMENT,
    "LastModificationTime": MOMENT,
    "OrganizationUnitId": 101,
    "OrganizationUnitFullyQualifiedName": "Shared",
}
ASSET = {
    "Id": 8001,
    "Key": GUID,
    "Name": "Currency",
    "CanBeDeleted": True,
    "ValueScope": "Global",
    "ValueType": "Text",
    "StringValue": "EUR",
    "BoolValue": False,
    "IntValue": 0,
    "CredentialUsername": "",
    "KeyValueList": [],
    "HasDefaultValue": True,
    "Tags": [],
    "CreationTime": MOMENT,
    "Value": "EUR",
    "FoldersCount": 1,
    "UserValues": [],
    "RobotValues": [],
}
POOL = {"id": GUID, "label": "Invoices", "name": "Invoices", "schema": [], "autoRetry": True, "active": True}
ENTRY: dict[str, Any] = {
    **dict.fromkeys(("message", "errorType", "runner", "taskId", "parent", "child", "dateProcessing", "dateFinished")),
    "id": GUID,
    "dataPoolLabel": "Invoices",
    "state": "PENDING",
    "priority": 0,
    "uniqueKey": "4711",
    "displayValue": "4711",
    "retryIndex": 0,
    "dateRegister": "2026-11-20T09:43:52.959+00:00",
}
TASK: dict[str, Any] = {
    **dict.fromkeys(("inputFile", "dateStartRunning", "minExecutionDate", "finishStatus", "finishMessage", "killed")),
    "id": 1,
    "state": "START",
    "parameters": {"month": "2026-10"},
    "activityId": 1,
    "activityLabel": "Invoices",
    "activityName": "Invoices of the month",
    "agentId": "invoices",
    "userEmail": "benchmark@acme.example",
    "organizationLabel": "acme",
    "dateCreation": "2026-11-20T09:43:52.959+00:00",
    "dateLastModified": "2026-11-20T09:43:52.959+00:00",
    "test": False,
    "interrupted": False,
    "machineId": None,
    "priority": 0,
    "repositoryLabel": "DEFAULT",
}

Answer = tuple[int, bytes]
_SLOT = re.compile(rb'"(%[bd])"')
_SIZE = re.compile(r"Items-(\d+)|QueueDefinitionId eq (\d+)")
_AFTER = re.compile(r"\bId gt (\d+)")


def _template(shape: dict[str, Any]) -> bytes:
    """The shape as JSON, with %b and %d where its values say so."""
    return _SLOT.sub(rb"\1", json.dumps(shape).encode())


def _list(*rows: Any) -> bytes:
    return json.dumps({"value": rows}).encode()


def _page(*rows: Any) -> bytes:
    """The only page of a list of BotMaestro's."""
    return json.dumps({"content": rows, "last": True, "totalPages": 1}).encode()


def _text(value: Any) -> bytes:
    return json.dumps(value).encode()


_ADDED = _template(ITEM | {"ParentOperationId": "%b", "Reference": "%b"})
_ROW = _template(ITEM | {"Id": "%d", "Reference": "r-@"}).replace(b"@", b"%d")
_STARTED = b'{"value": [' + _template(JOB | {"Reference": "%b"}) + b"]}"
_PUSHED = _template(ENTRY | {"values": "%b"})
_BULK = json.dumps({"Success": True, "Message": None, "FailedItems": []}).encode()


class Answers:
    """The answers of one server."""

    def __init__(self) -> None:
        self._tokens = 0
        self._constant: dict[str, Answer] = {
            f"{UIPATH}/Releases": (200, _list({"Id": 1, "Key": GUID, "Name": "Invoices"})),
            f"{UIPATH}/Assets/UiPath.Server.Configuration.OData.GetFiltered": (200, _list(ASSET)),
            f"{UIPATH}/Queues/UiPathODataSvc.BulkAddQueueItems": (200, _BULK),
            f"{BOTMAESTRO}/maestro/version": (200, _text({"version": "4.0.0"})),
            f"{BOTMAESTRO}/datapool": (200, _page(POOL)),
            f"{BOTMAESTRO}/datapool/Invoices": (200, _text(POOL)),
            f"{BOTMAESTRO}/datapool/Invoices/view": (200, _page()),
            f"{BOTMAESTRO}/task/1": (200, _text(TASK)),
            f"{BOTMAESTRO}/task": (200, _text(TASK)),
        }
        self._made: dict[str, Callable[[str, bytes], Answer]] = {
            "/identity_/connect/token": self._token,
            f"{BOTMAESTRO}/workspace/login": self._token,
            TOKENS: lambda _query, _body: (200, _text(self._tokens)),
            f"{UIPATH}/QueueDefinitions": _definition,
            f"{UIPATH}/QueueItems": _items,
            f"{UIPATH}/Queues/UiPathODataSvc.AddQueueItem": _added,
            f"{UIPATH}/Jobs/UiPath.Server.Configuration.OData.StartJobs": _started,
            f"{BOTMAESTRO}/datapool/Invoices/push": _pushed,
        }

    def to(self, target: str, body: bytes) -> Answer:
        """Status and body for a request to this path and query."""
        path, _, query = target.partition("?")
        if path in self._constant:
            return self._constant[path]
        make = self._made.get(path)
        return (404, b"{}") if make is None else make(query, body)

    def _token(self, _query: str, _body: bytes) -> Answer:
        self._tokens += 1
        answer = {"access_token": "benchmark-token", "expires_in": 3600, "token_type": "Bearer"}
        return 200, _text(answer | {"accessToken": "benchmark-token", "organizationLabel": "acme"})


def _definition(query: str, _body: bytes) -> Answer:
    """The queue that is asked for by name, or the only one that is listed; its number is its size."""
    name = unquote_plus(query).partition("Name eq '")[2].partition("'")[0] or "Invoices"
    return 200, _list({"Id": _size(name) or 1, "Name": name, "MaxNumberOfRetries": 1})


def _items(query: str, _body: bytes) -> Answer:
    """The page after the last id that the caller has seen; no item has a mark that is looked for."""
    asked = unquote_plus(query)
    if "startswith(ParentOperationId" in asked:
        return 200, _list()
    after = _AFTER.search(asked)
    first = int(after[1]) + 1 if after else 1
    last = min(first + PAGE - 1, _size(asked))
    rows = b",".join([_ROW % (number, number) for number in range(first, last + 1)])
    return 200, b'{"value": [%b]}' % rows


def _size(text: str) -> int:
    found = _SIZE.search(text)
    return int(found[1] or found[2]) if found else 0


def _added(_query: str, body: bytes) -> Answer:
    data = json.loads(body)["itemData"]
    return 201, _ADDED % (_text(data.get("ParentOperationId")), _text(data.get("Reference")))


def _started(_query: str, body: bytes) -> Answer:
    return 201, _STARTED % _text(json.loads(body)["startInfo"].get("Reference"))


def _pushed(_query: str, body: bytes) -> Answer:
    return 200, _PUSHED % _text(json.loads(body)["values"])
