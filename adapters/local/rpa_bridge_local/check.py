"""What a person should know before relying on a local connection."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from pathlib import Path

from rpa_bridge.contract.adapter import Finding
from rpa_bridge.errors import BridgeError

from .database import Database
from .settings import AutomationSettings

ENOUGH_SPACE = 100 * 1024 * 1024
"""Bytes that should be free on the file's disk."""


async def check(database: Database, automations: Mapping[str, AutomationSettings]) -> list[Finding]:
    """The file, its disk, and each automation's command."""
    findings = [await _check_file(database)]
    if not database.in_memory:
        findings.append(await asyncio.to_thread(_check_space, Path(database.path).parent))
    for name, automation in automations.items():
        findings.append(await asyncio.to_thread(_check_command, f"automation {name}", automation))
    return findings


async def _check_file(database: Database) -> Finding:
    """A transaction that changes nothing shows that the file can be opened and written, is ours and not locked."""
    try:
        await database.write(lambda db: db.execute("UPDATE queues SET active = active WHERE id = 0"))
        [problem] = await database.read(lambda db: db.execute("PRAGMA quick_check(1)").fetchone())
    except BridgeError as error:
        return Finding(subject="file", ok=False, message=str(error))
    if problem != "ok":
        return Finding(subject="file", ok=False, message=f"{database.path} is damaged; restore it from a backup")
    what = "kept in memory; all is gone when this process ends" if database.in_memory else f"{database.path} is well"
    return Finding(subject="file", ok=True, message=what)


def _check_space(folder: Path) -> Finding:
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Finding(subject="disk", ok=False, message=f"{folder} cannot be looked at ({error.strerror}); make it")
    ok = free >= ENOUGH_SPACE
    mend = "" if ok else "; free some, or move the file by `path`"
    return Finding(subject="disk", ok=ok, message=f"{free // 2**20} MiB are free at {folder}{mend}")


def _check_command(subject: str, automation: AutomationSettings) -> Finding:
    word = automation.command[0]
    if automation.cwd is not None and not Path(automation.cwd).is_dir():
        return Finding(subject=subject, ok=False, message=f"there is no folder {automation.cwd}; correct its `cwd`")
    found = shutil.which(word)
    if found is None:
        message = f"there is no command {word!r}; install it, or name its full path in `command`"
        return Finding(subject=subject, ok=False, message=message)
    return Finding(subject=subject, ok=True, message=f"its command is {found}")
