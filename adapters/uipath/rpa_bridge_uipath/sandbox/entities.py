"""What can be asked of each entity: its members, their kinds, and where they lead. docs: uipath.md 3, 4"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .errors import invalid_query

Row = dict[str, Any]
"""An entity under the vendor's names, as JSON can hold it. Times are text, UTC, with six digits: they sort as text."""


class Kind(StrEnum):
    """What a member holds."""

    TEXT = "text"
    NUMBER = "number"
    GUID = "guid"
    DATE = "date"
    BOOL = "bool"
    ENUM = "enum"


@dataclass(frozen=True)
class Member:
    """One member of an entity."""

    name: str
    kind: Kind
    words: tuple[str, ...] = ()
    """Of an enumeration, in the order of their numbers."""
    computed: Callable[[Row], Any] | None = None
    """How to come by a member that can be asked for and is never shown."""

    def key(self, row: Row) -> Any:
        """The row's value in a form that compares; None for null."""
        value = self.computed(row) if self.computed else row.get(self.name)
        if value is None or self.kind in (Kind.NUMBER, Kind.DATE, Kind.BOOL):
            return value
        return self.words.index(value) if self.kind is Kind.ENUM else str(value)


@dataclass(frozen=True)
class Navigation:
    """A way from one entity to another."""

    entity: Entity
    follow: Callable[[Row], Row | None]


@dataclass(frozen=True)
class Entity:
    """A collection's shape."""

    name: str
    members: Mapping[str, Member]
    navigations: Mapping[str, Navigation] = field(default_factory=dict)
    most_rows: int = 1000
    """The largest $top. docs: uipath.md 4"""
    unsortable: frozenset[str] = frozenset()
    collections: Mapping[str, Callable[[Row], list[Row]]] = field(default_factory=dict)
    """Lists within a row, which come when they are expanded and cannot be asked of."""

    def member(self, path: str) -> Member:
        """The member of this name, `Robot/Id` leading elsewhere. Raises a 400."""
        first, _, rest = path.partition("/")
        if not rest:
            if first not in self.members:
                raise invalid_query(f"Could not find a property named '{first}' on type '{self.name}'.")
            return self.members[first]
        if first not in self.navigations:
            raise invalid_query(f"Could not find a property named '{first}' on type '{self.name}'.")
        way = self.navigations[first]
        target = way.entity.member(rest)
        return Member(path, target.kind, target.words, lambda row: _elsewhere(way, target, row))


def _elsewhere(way: Navigation, target: Member, row: Row) -> Any:
    found = way.follow(row)
    return None if found is None else found.get(target.name)


def members(**kinds: str) -> dict[str, Member]:
    """Members by kind, each a list of names in one text."""
    return {name: Member(name, Kind(kind)) for kind, names in kinds.items() for name in names.split()}


def enums(**words: tuple[str, ...]) -> dict[str, Member]:
    """Members that are enumerations."""
    return {name: Member(name, Kind.ENUM, values) for name, values in words.items()}


JOB_PRIORITIES = ("Low", "Normal", "High")
JOB_STATES = (
    "Pending", "Running", "Stopping", "Terminating", "Faulted", "Successful", "Stopped", "Suspended", "Resumed",
)  # fmt: skip
RUNTIME_TYPES = (
    "NonProduction", "Attended", "Unattended", "Development", "Studio", "RpaDeveloper", "StudioX", "CitizenDeveloper",
    "Headless", "StudioPro", "RpaDeveloperPro", "TestAutomation", "AutomationCloud", "Serverless", "AutomationKit",
    "ServerlessTestAutomation", "AutomationCloudTestAutomation", "AttendedStudioWeb", "Hosting", "AssistantWeb",
    "ProcessOrchestration", "AgentService", "AppTest", "PerformanceTest",
)  # fmt: skip
JOB_SOURCES = (
    "Manual", "Schedule", "Queue", "StudioWeb", "IntegrationTrigger", "StudioDesktop", "AutomationOpsPipelines",
    "Apps", "SAP", "HttpTrigger", "HttpTriggerWithCallback", "RobotAPI", "Assistant", "CommandLine", "RobotNetAPI",
    "Autopilot", "TestManager", "AgentService", "ProcessOrchestration", "PluginEcosystem", "PerformanceTesting",
    "AgentHub", "ApiWorkflow",
)  # fmt: skip
ITEM_STATES = ("New", "InProgress", "Failed", "Successful", "Abandoned", "Retried", "Deleted")
PRIORITIES = ("High", "Normal", "Low")
REVIEW_STATES = ("None", "InReview", "Verified", "Retried")
EXCEPTION_TYPES = ("ApplicationException", "BusinessException")

FOLDER = Entity(
    "Folders",
    members(number="Id ParentId", guid="Key ParentKey", text="DisplayName FullyQualifiedName Description")
    | enums(FolderType=("Standard", "Personal", "Virtual", "Solution", "DebugSolution")),
)
RELEASE = Entity(
    "Releases",
    members(
        number="Id OrganizationUnitId SpecificPriorityValue",
        text="Key Name ProcessKey ProcessVersion Description EntryPointPath OrganizationUnitFullyQualifiedName",
        guid="FolderKey",
        date="CreationTime",
        bool="IsLatestVersion",
    )
    | enums(JobPriority=JOB_PRIORITIES),
)
ROBOT = Entity("Robots", members(number="Id MachineId", text="Name MachineName Username"))
MACHINE = Entity("Machines", members(number="Id", text="Name"))
USER = Entity("Users", members(number="Id", text="UserName"))
QUEUE = Entity(
    "QueueDefinitions",
    members(
        number="Id OrganizationUnitId MaxNumberOfRetries SlaInMinutes RiskSlaInMinutes ReleaseId",
        guid="Key",
        text="Name Description",
        date="CreationTime",
        bool="AcceptAutomaticallyRetry RetryAbandonedItems EnforceUniqueReference Encrypted",
    ),
)
JOB_MEMBERS = members(
    number="Id OrganizationUnitId SpecificPriorityValue ResumeVersion StartingScheduleId",
    guid="Key BatchExecutionKey ParentJobKey InputFile OutputFile PersistenceId StartingTriggerId",
    text="ReleaseName Reference Info Source HostMachineName InputArguments OutputArguments EntryPointPath ErrorCode"
    " EnvironmentVariables TraceId",
    date="CreationTime StartTime EndTime ResumeTime LastModificationTime",
    bool="RequiresUserInteraction ResumeOnSameContext",
) | enums(
    State=JOB_STATES,
    JobPriority=JOB_PRIORITIES,
    SourceType=JOB_SOURCES,
    RuntimeType=RUNTIME_TYPES,
    Type=("Unattended", "Attended", "ServerlessGeneric"),
    StopStrategy=("SoftStop", "Kill"),
)
JOB_TRIGGER = Entity(
    "JobTriggers",
    members(number="Id JobId ItemId", guid="ItemKey", text="TriggerMessage TriggerConfiguration", date="Timer")
    | enums(
        TriggerType=("None", "QueueItem", "Job", "Task", "Timer", "Inbox", "Api"), Status=("New", "Ready", "Fired")
    ),
)
ITEM_MEMBERS = members(
    number="Id QueueDefinitionId RobotId AncestorId RetryNumber ManualAncestorId ManualRetryNumber ReviewerUserId"
    " SecondsInPreviousAttempts OrganizationUnitId",
    guid="Key UniqueKey AncestorUniqueKey ManualAncestorUniqueKey CreatorJobKey ExecutorJobKey",
    text="Reference Progress OperationId ParentOperationId SpecificData OutputData AnalyticsData",
    date="CreationTime DueDate DeferDate RiskSlaDate StartProcessing EndProcessing",
    bool="Encrypted",
) | enums(
    Status=ITEM_STATES,
    ReviewStatus=REVIEW_STATES,
    Priority=PRIORITIES,
    ProcessingExceptionType=EXCEPTION_TYPES,
)
