"""How each verb is called when it has to refuse: with arguments that a platform which has it would take."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from pydantic import SecretStr

from rpa_bridge.contract.adapter import Adapter
from rpa_bridge.contract.automations import Package
from rpa_bridge.contract.jobs import JobOutcome
from rpa_bridge.contract.queues import Failure, FailureKind, Item, ItemDraft, ItemState, QueueDraft

_ITEM = Item(id="1", queue="Queue", state=ItemState.TAKEN, native_state="taken")
_DRAFT = ItemDraft(values={"n": 1})
_QUEUE = QueueDraft(name="Queue")
_FAILURE = Failure(kind=FailureKind.BUSINESS, reason="a test")
_PACKAGE = Package(id="1", name="Package", version="1.0.0")
_MOMENT = datetime(2030, 1, 1, tzinfo=UTC)

CALLS: dict[str, Callable[[Adapter], Any]] = {
    "automations.find": lambda on: on.automations.find(),
    "automations.get": lambda on: on.automations.get("Automation"),
    "automations.schema": lambda on: on.automations.schema("Automation"),
    "automations.packages": lambda on: on.automations.packages(),
    "automations.open_package": lambda on: on.automations.open_package(_PACKAGE),
    "automations.upload_package": lambda on: on.automations.upload_package(b"content"),
    "jobs.start": lambda on: on.jobs.start("Automation"),
    "jobs.start_many": lambda on: on.jobs.start_many("Automation", 2),
    "jobs.get": lambda on: on.jobs.get("1"),
    "jobs.find": lambda on: on.jobs.find(),
    "jobs.wait": lambda on: on.jobs.wait("1", timeout=0),
    "jobs.get_many": lambda on: on.jobs.get_many(["1"]),
    "jobs.wait_all": lambda on: on.jobs.wait_all(["1"], timeout=0),
    "jobs.as_finished": lambda on: on.jobs.as_finished(["1"], timeout=0),
    "jobs.stop": lambda on: on.jobs.stop("1"),
    "jobs.restart": lambda on: on.jobs.restart("1"),
    "jobs.resume": lambda on: on.jobs.resume("1"),
    "jobs.report": lambda on: on.jobs.report("1", JobOutcome.SUCCEEDED),
    "queues.get": lambda on: on.queues.get("Queue"),
    "queues.add": lambda on: on.queues.add("Queue", _DRAFT),
    "queues.take": lambda on: on.queues.take("Queue"),
    "queues.complete": lambda on: on.queues.complete(_ITEM),
    "queues.fail": lambda on: on.queues.fail(_ITEM, _FAILURE),
    "queues.lease": lambda on: on.queues.lease("Queue"),
    "queues.find": lambda on: on.queues.find(),
    "queues.create": lambda on: on.queues.create(_QUEUE),
    "queues.update": lambda on: on.queues.update("Queue", _QUEUE),
    "queues.delete": lambda on: on.queues.delete("Queue"),
    "queues.items": lambda on: on.queues.items("Queue"),
    "queues.get_item": lambda on: on.queues.get_item("Queue", "1"),
    "queues.add_many": lambda on: on.queues.add_many("Queue", [_DRAFT]),
    "queues.progress": lambda on: on.queues.progress(_ITEM, "half way"),
    "queues.postpone": lambda on: on.queues.postpone(_ITEM, _MOMENT),
    "queues.remove": lambda on: on.queues.remove(_ITEM),
    "queues.retry": lambda on: on.queues.retry(_ITEM),
    "queues.stats": lambda on: on.queues.stats("Queue"),
    "queues.activate": lambda on: on.queues.activate("Queue"),
    "queues.deactivate": lambda on: on.queues.deactivate("Queue"),
    "assets.get": lambda on: on.assets.get("Asset"),
    "assets.find": lambda on: on.assets.find(),
    "assets.put": lambda on: on.assets.put("Asset", "value"),
    "assets.delete": lambda on: on.assets.delete("Asset"),
    "credentials.find": lambda on: on.credentials.find(),
    "credentials.reveal": lambda on: on.credentials.reveal("Credential"),
    "credentials.put": lambda on: on.credentials.put("Credential", {"password": SecretStr("value")}),
    "credentials.delete": lambda on: on.credentials.delete("Credential"),
    "artifacts.find": lambda on: on.artifacts.find(),
    "artifacts.open": lambda on: on.artifacts.open("1"),
    "artifacts.upload": lambda on: on.artifacts.upload("file.txt", b"content"),
    "artifacts.delete": lambda on: on.artifacts.delete("1"),
    "robots.find": lambda on: on.robots.find(),
    "robots.get": lambda on: on.robots.get("Robot"),
    "robots.machines": lambda on: on.robots.machines(),
    "logs.find": lambda on: on.logs.find(),
    "logs.create": lambda on: on.logs.create("Log", ["column"]),
    "logs.append": lambda on: on.logs.append("Log", {"column": "value"}),
    "logs.export": lambda on: on.logs.export("Log"),
    "logs.delete": lambda on: on.logs.delete("Log"),
    "alerts.send": lambda on: on.alerts.send("title", "message"),
    "alerts.find": lambda on: on.alerts.find(),
    "incidents.report": lambda on: on.incidents.report(RuntimeError("a test"), job="1"),
    "incidents.find": lambda on: on.incidents.find(),
    "messages.send": lambda on: on.messages.send("subject", "body", emails=["somebody@example.com"]),
    "folders.find": lambda on: on.folders.find(),
    "folders.get": lambda on: on.folders.get("Folder"),
    "schedules.find": lambda on: on.schedules.find(),
    "webhooks.find": lambda on: on.webhooks.find(),
    "webhooks.create": lambda on: on.webhooks.create("Webhook", "https://hooks.example.com/in"),
    "webhooks.delete": lambda on: on.webhooks.delete("Webhook"),
    "webhooks.ping": lambda on: on.webhooks.ping("Webhook"),
}
