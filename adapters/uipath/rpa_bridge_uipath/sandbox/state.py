"""What the face knows: folders, releases, queues, items, jobs, robots and tokens, under the vendor's names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import chain
from typing import Any

from rpa_bridge.sandbox.world import World

from .entities import Row
from .times import to_wire

QUEUE_DEFAULTS: Row = {
    "Description": None,
    "MaxNumberOfRetries": 0,
    "AcceptAutomaticallyRetry": False,
    "RetryAbandonedItems": False,
    "EnforceUniqueReference": False,
    "Encrypted": False,
    "SpecificDataJsonSchema": None,
    "OutputDataJsonSchema": None,
    "AnalyticsDataJsonSchema": None,
    "SlaInMinutes": 0,
    "RiskSlaInMinutes": 0,
    "ReleaseId": None,
    "Tags": [],
}
"""What a queue is that names nothing but itself."""


@dataclass
class Job:
    """A job, and what the wire does not tell of it."""

    row: Row
    release_id: int
    looks: int = 0
    """How often it was looked at since it was started, asked to stop, or resumed."""
    since: str = ""
    """When that was."""
    robot_id: int | None = None
    """The robot that it was started for, or that has taken it."""
    answer: dict[str, Any] = field(default_factory=dict)
    """What it was resumed with."""


class State:
    """Everything by Id. Born with four folders, a robot in each, and something to run and to work on."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.folders: dict[int, Row] = {}
        self.robots: dict[int, Row] = {}
        self.releases: dict[int, Row] = {}
        self.queues: dict[int, Row] = {}
        self.items: dict[int, Row] = {}
        self.jobs: dict[int, Job] = {}
        self.tokens: dict[str, Row] = {}
        self._tables: dict[str, dict[str, Row]] = {}
        self._bear()

    def now(self) -> str:
        """The sandbox's time, as rows hold it."""
        return to_wire(self._world.clock.now())

    def next_id(self, kind: str, first: int) -> int:
        """A number of a kind; kinds start far apart, so that ids are not mixed up unnoticed."""
        return self._world.next_id(f"uipath.{kind}", first)

    def table(self, name: str) -> dict[str, Row]:
        """The rows of one noun, by a key in text; each noun keeps its own."""
        return self._tables.setdefault(name, {})

    def rows(self) -> Iterator[Row]:
        """Everything that may lie in a folder, and the folders."""
        nouns = (self.folders, self.releases, self.queues)
        yield from chain.from_iterable(rows.values() for rows in nouns)
        yield from (job.row for job in self.jobs.values())
        yield from chain.from_iterable(rows.values() for rows in self._tables.values())

    def add_folder(self, name: str, parent: Row | None = None, description: str | None = None) -> Row:
        """A new folder, at the root or in another, with a robot."""
        folder: Row = {
            "Key": self._world.new_uuid(),
            "DisplayName": name,
            "FullyQualifiedName": f"{parent['FullyQualifiedName']}/{name}" if parent else name,
            "Description": description,
            "FolderType": "Standard",
            "ProvisionType": "Automatic",
            "PermissionModel": "FineGrained",
            "ParentId": parent["Id"] if parent else None,
            "ParentKey": parent["Key"] if parent else None,
            "FeedType": "Processes",
            "Id": self.next_id("folder", 101),
        }
        self.folders[folder["Id"]] = folder
        robot_id = self.next_id("robot", 701)
        self.robots[folder["Id"]] = {
            "Id": robot_id,
            "Name": f"robot-{robot_id}",
            "MachineName": f"SANDBOX-{robot_id}",
            "MachineId": robot_id + 100,
            "Username": f"sandbox\\robot-{robot_id}",
            "UserId": robot_id + 200,
            "Type": "Unattended",
            "HostingType": "Standard",
        }
        self.table("robot keys")[str(robot_id)] = {
            name: self._world.new_uuid() for name in ("Key", "UserKey", "MachineKey")
        }
        return folder

    def robot_keys(self, robot: Row) -> Row:
        """What is not told of a robot with it: its own key, which opens secrets, its user's and its machine's."""
        return self.table("robot keys")[str(robot["Id"])]

    def add_release(self, folder: Row, name: str, inputs: str, outputs: str) -> Row:
        """A new release of a package of the same name. Arguments are JSON, as the vendor gives them."""
        release: Row = {
            "Key": self._world.new_uuid(),
            "ProcessKey": f"Acme.{name}",
            "ProcessVersion": "1.2.0",
            "IsLatestVersion": True,
            "Description": f"{name} of {folder['DisplayName']}",
            "Name": name,
            "EntryPointPath": "Main.xaml",
            "InputArguments": None,
            "Arguments": {"Input": inputs, "Output": outputs},
            "JobPriority": "Normal",
            "SpecificPriorityValue": 45,
            "TargetFramework": "Portable",
            "FolderKey": folder["Key"],
            "OrganizationUnitId": folder["Id"],
            "OrganizationUnitFullyQualifiedName": folder["FullyQualifiedName"],
            "CreationTime": self.now(),
            "Id": self.next_id("release", 2001),
        }
        self.releases[release["Id"]] = release
        return release

    def add_queue(self, folder: Row, given: Row) -> Row:
        """A new queue with these members; the others have the server's defaults."""
        queue: Row = {
            "Key": self._world.new_uuid(),
            **QUEUE_DEFAULTS,
            **given,
            "CreationTime": self.now(),
            "FoldersCount": 1,
            "OrganizationUnitId": folder["Id"],
            "OrganizationUnitFullyQualifiedName": folder["FullyQualifiedName"],
            "Id": self.next_id("queue", 301),
        }
        self.queues[queue["Id"]] = queue
        return queue

    def in_folder(self, rows: dict[int, Row], folder: Row) -> list[Row]:
        """Those of a folder."""
        return [row for row in rows.values() if row["OrganizationUnitId"] == folder["Id"]]

    def by_name(self, rows: dict[int, Row], folder: Row, name: str) -> Row | None:
        """The one of this name in a folder, whatever its case. docs: uipath.md 3.9"""
        wanted = name.casefold()
        return next((row for row in self.in_folder(rows, folder) if row["Name"].casefold() == wanted), None)

    def dump(self) -> dict[str, Any]:
        """Everything, as JSON can hold it."""
        return {
            "folders": list(self.folders.values()),
            "robots": [[folder_id, robot] for folder_id, robot in self.robots.items()],
            "releases": list(self.releases.values()),
            "queues": list(self.queues.values()),
            "items": list(self.items.values()),
            "jobs": [asdict(job) for job in self.jobs.values()],
            "tokens": self.tokens,
            "tables": self._tables,
        }

    def load(self, state: dict[str, Any]) -> None:
        """Takes over what `dump` gave."""
        self.folders = {row["Id"]: row for row in state["folders"]}
        self.robots = {folder_id: robot for folder_id, robot in state["robots"]}  # noqa: C416 - pairs are lists in JSON
        self.releases = {row["Id"]: row for row in state["releases"]}
        self.queues = {row["Id"]: row for row in state["queues"]}
        self.items = {row["Id"]: row for row in state["items"]}
        self.jobs = {one["row"]["Id"]: Job(**one) for one in state["jobs"]}
        self.tokens = dict(state["tokens"])
        self._tables = {name: dict(rows) for name, rows in state["tables"].items()}

    def _bear(self) -> None:
        month = '[{"name":"month","type":"System.String","required":false,"hasDefault":false}]'
        done = '[{"name":"month","type":"System.String"}]'
        folders = [self.add_folder(name) for name in ("Shared", "Finance", "Büro")]
        for folder in [*folders, self.add_folder("Reports", parent=folders[0])]:
            self.add_release(folder, "Invoices", month, done)
            self.add_release(folder, "Letters", "[]", "[]")
            retried = {"Name": "Invoices", "MaxNumberOfRetries": 1, "AcceptAutomaticallyRetry": True}
            self.add_queue(folder, retried)
            self.add_queue(folder, {"Name": "Letters", "EnforceUniqueReference": True})
