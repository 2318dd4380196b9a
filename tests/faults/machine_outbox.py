"""The outbox, walked at random beside a model of it. From row 23 of the reliability targets."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from rpa_bridge.transport.outbox import Intent
from rpa_bridge.transport.sqlite_outbox import SqliteOutbox

START = datetime(2030, 1, 1, tzinfo=UTC)
PROCESSES = 3
WHO = st.integers(0, PROCESSES - 1)
WHICH = st.integers(0, 999)
TEXT = st.text(max_size=8)


class OutboxMachine(RuleBasedStateMachine):
    """Several processes that send, look, and die."""

    def __init__(self, *, guard: bool = True) -> None:
        super().__init__()
        self._all = ExitStack()
        self._folder = Path(self._all.enter_context(tempfile.TemporaryDirectory()))
        self._processes = [SqliteOutbox(self._folder) for _ in range(PROCESSES)]
        self._intents: dict[str, Intent] = {}
        self._sender: dict[str, int] = {}
        """Who is at work on it; nobody on those that are missing."""
        self._written = 0
        if not guard:  # whoever wrote something down is taken to be alive
            self._all.enter_context(patch.object(SqliteOutbox, "_alive", lambda _self, seats: seats))

    def teardown(self) -> None:
        for one in self._processes:
            one.release()
        self._all.close()

    @rule(who=WHO, text=TEXT, key=TEXT, count=st.integers(1, 1000), seconds=st.floats(0, 1e6))
    def open(self, who: int, text: str, key: str, count: int, seconds: float) -> None:
        self._written += 1
        at = START + timedelta(seconds=self._written)
        intent = Intent(
            op_id=f"op-{self._written}",
            connection=text,
            place=text + key,
            operation="jobs.start",
            subject=key,
            key=key,
            count=count,
            what=f"a job with key {key!r}",
            at=at,
            settles_at=at + timedelta(seconds=seconds),
        )
        self._processes[who].open(intent)
        self._intents[intent.op_id], self._sender[intent.op_id] = intent, who

    @precondition(lambda self: self._intents)
    @rule(who=WHO, which=WHICH)
    def close(self, who: int, which: int) -> None:
        """Its sender crosses it out, or somebody else who has looked it up."""
        op_id = self._pick(which)
        self._processes[who].close(op_id)
        del self._intents[op_id]
        self._sender.pop(op_id, None)

    @precondition(lambda self: self._sender)
    @rule(which=WHICH)
    def leave(self, which: int) -> None:
        """Its sender does not know what became of it."""
        op_id = list(self._sender)[which % len(self._sender)]
        self._processes[self._sender.pop(op_id)].leave(op_id)

    @rule(who=WHO)
    def close_what_is_not_there(self, who: int) -> None:
        self._processes[who].close("op-0")

    @rule(who=WHO)
    def die(self, who: int) -> None:
        """The kernel takes back its lock, and what it wrote down stays; another one begins in its place."""
        self._processes[who].release()
        self._processes[who] = SqliteOutbox(self._folder)
        self._sender = {op_id: sender for op_id, sender in self._sender.items() if sender != who}

    @rule(who=WHO)
    def look(self, who: int) -> None:
        """Everybody sees the same: all that is open, oldest first, and who of the senders is at work."""
        expected = [replace(one, under_way=op_id in self._sender) for op_id, one in self._intents.items()]
        assert self._processes[who].entries() == expected

    def _pick(self, which: int) -> str:
        return list(self._intents)[which % len(self._intents)]
