"""Moving house: what is on one platform goes to another, and nothing is lost or doubled.

plan    reads the source and says what will happen; nothing is changed
apply   copies, as the plan says; it can be stopped by anything at any moment, and goes on from its journal
verify  reads the target back, and says what differs
activate, retire, rollback   open the target's queues, empty the source, or take everything back
"""

from __future__ import annotations

from rpa_bridge.migration.applying.apply import Applied, apply
from rpa_bridge.migration.ending.activate import Activation, activate
from rpa_bridge.migration.ending.retire import Retirement, retire
from rpa_bridge.migration.ending.rollback import Rollback, rollback
from rpa_bridge.migration.journal.base import Journal, RowState
from rpa_bridge.migration.journal.sqlite import SqliteJournal
from rpa_bridge.migration.planning.plan import plan
from rpa_bridge.migration.verifying.verdicts import Verification
from rpa_bridge.migration.verifying.verify import verify

from .documents import Conflict, Estimate, Kind, Plan, Side, Step, Verdict
from .letters import Letter, letters, requeue, write_csv, write_jsonl
from .rules import Rules
from .running import Progress, Run
from .selection import Selection
from .status import Status, status

__all__ = [
    "Activation",
    "Applied",
    "Conflict",
    "Estimate",
    "Journal",
    "Kind",
    "Letter",
    "Plan",
    "Progress",
    "Retirement",
    "Rollback",
    "RowState",
    "Rules",
    "Run",
    "Selection",
    "Side",
    "SqliteJournal",
    "Status",
    "Step",
    "Verdict",
    "Verification",
    "activate",
    "apply",
    "letters",
    "plan",
    "requeue",
    "retire",
    "rollback",
    "status",
    "verify",
    "write_csv",
    "write_jsonl",
]
