"""Moving house: what is on one platform goes to another, and nothing is lost or doubled.

plan    reads the source and says what will happen; nothing is changed
apply   copies, as the plan says; it can be stopped by anything at any moment, and goes on from its journal
verify  reads the target back, and says what differs
activate, retire, rollback   open the target's queues, empty the source, or take everything back
"""

from __future__ import annotations

from .activating import Activation, activate
from .applying import Applied, apply
from .documents import Conflict, Estimate, Kind, Plan, Side, Step, Verdict
from .journal import Journal, RowState
from .letters import Letter, letters, requeue, write_csv, write_jsonl
from .planning import plan
from .retiring import Retirement, retire
from .rolling_back import Rollback, rollback
from .rules import Rules
from .running import Progress, Run
from .selection import Selection
from .sqlite_journal import SqliteJournal
from .status import Status, status
from .verdicts import Verification
from .verifying import verify

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
