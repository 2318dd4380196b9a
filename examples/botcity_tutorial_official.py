"""BotCity's tutorial with its official SDK, which botcity_tutorial.py does with ours.

Login and key are taken from the environment: BOTCITY_SERVER=... BOTCITY_LOGIN=... BOTCITY_KEY=...
python examples/botcity_tutorial_official.py
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from botcity.maestro import AlertType, AutomationTaskFinishStatus, BotMaestroSDK, Column, MessageType


def work_two_tasks(maestro: Any) -> int:
    """The id of a task that was finished, after another one was asked to stop while it ran."""
    first = maestro.create_task("Invoices", {"month": "2026-10"})
    maestro.finish_task(first.id, AutomationTaskFinishStatus.SUCCESS, "all booked", total_items=3, processed_items=3)
    second = maestro.create_task("Letters", {"to": "Müller"})
    while maestro.get_task(second.id).state == "START":
        time.sleep(0.5)
    maestro.interrupt_task(second.id)
    status = AutomationTaskFinishStatus.PARTIALLY_COMPLETED
    maestro.finish_task(second.id, status, "stopped on request", total_items=5, processed_items=2, failed_items=3)
    return int(first.id)


def keep_a_log(maestro: Any) -> None:
    """Writes two rows, reads them, and deletes the log."""
    maestro.new_log("Bookings", [Column("number", "number", 200), Column("amount", "amount", 200)])
    maestro.new_log_entry("Bookings", {"number": "R-1", "amount": "2.50"})
    maestro.new_log_entry("Bookings", {"number": "R-2", "amount": "4.00"})
    for row in maestro.get_log("Bookings"):
        print("booked", row["number"], row["amount"])
    maestro.delete_log("Bookings")


def tell_people(maestro: Any, task: int) -> None:
    """Raises an alert, and writes a message."""
    maestro.alert(task, "Invoices", "The printer has no paper", AlertType.WARN)
    maestro.message(["ann@acme.example"], ["bob"], "Invoices", "<b>All booked</b>", MessageType.HTML)


def move_files(maestro: Any, task: int, folder: Path) -> None:
    """Uploads a file, finds it in the list, and downloads it."""
    report = folder / "report.csv"
    report.write_text("number;amount\nR-1;2.50\n")
    maestro.post_artifact(task, "report.csv", str(report))
    for artifact in maestro.list_artifacts():
        name, content = maestro.get_artifact(artifact.id)
        (folder / "copy.csv").write_bytes(content)
        print("got", name, len(content), "bytes")


def use_credentials(maestro: Any) -> None:
    """Makes a set with two keys, changes one, and removes the other."""
    maestro.create_credential("bank", "user", "ann-of-the-tutorial")
    maestro.create_credential("bank", "pin", "0000-of-the-tutorial")
    maestro.update_credential("bank", "pin", "1234-of-the-tutorial")
    print("logs in as", maestro.get_credential("bank", "user"))
    maestro.remove_credential("bank", "user")


def report_an_error(maestro: Any, task: int, folder: Path) -> None:
    """Writes an error entry with a file."""
    try:
        float("2,50")
    except ValueError as error:
        maestro.error(task, error, attachments=[str(folder / "report.csv")], tags={"stage": "booking"})


def main() -> None:
    """Logs in, and goes through it all."""
    maestro = BotMaestroSDK(os.environ["BOTCITY_SERVER"], os.environ["BOTCITY_LOGIN"], os.environ["BOTCITY_KEY"])
    maestro.login()
    task = work_two_tasks(maestro)
    keep_a_log(maestro)
    tell_people(maestro, task)
    with TemporaryDirectory() as folder:
        move_files(maestro, task, Path(folder))
        use_credentials(maestro)
        report_an_error(maestro, task, Path(folder))


if __name__ == "__main__":
    main()
