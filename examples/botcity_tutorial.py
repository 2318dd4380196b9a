"""BotCity's tutorial in our words, with the same effect as botcity_tutorial_official.py.

python examples/botcity_tutorial.py CONNECTION
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import SecretStr

from rpa_bridge import ItemCounts, JobOutcome, JobState, Severity
from rpa_bridge.sync import Adapter, Bridge


def work_two_tasks(maestro: Adapter) -> str:
    """The id of a task that was finished, after another one was asked to stop while it ran."""
    first = maestro.jobs.start("Invoices", {"month": "2026-10"})  # with key=... it is started once, whatever happens
    counts = ItemCounts(total=3, processed=3, failed=0)
    maestro.jobs.report(first.id, JobOutcome.SUCCEEDED, message="all booked", counts=counts)
    second = maestro.jobs.start("Letters", {"to": "Müller"})
    while maestro.jobs.get(second.id).state is JobState.PENDING:
        time.sleep(0.5)
    maestro.jobs.stop(second.id)
    counts = ItemCounts(total=5, processed=2, failed=3)
    maestro.jobs.report(second.id, JobOutcome.PARTIAL, message="stopped on request", counts=counts)
    return first.id


def keep_a_log(maestro: Adapter) -> None:
    """Writes two rows, reads them, and deletes the log."""
    maestro.logs.create("Bookings", ["number", "amount"])
    maestro.logs.append("Bookings", {"number": "R-1", "amount": "2.50"})
    maestro.logs.append("Bookings", {"number": "R-2", "amount": "4.00"})
    for row in maestro.logs.find("Bookings"):
        print("booked", row.values["number"], row.values["amount"])
    maestro.logs.delete("Bookings")


def tell_people(maestro: Adapter, task: str) -> None:
    """Raises an alert, and writes a message."""
    maestro.alerts.send("Invoices", "The printer has no paper", severity=Severity.WARNING, job=task)
    emails, users = ["ann@acme.example"], ["bob"]
    maestro.messages.send("Invoices", "<b>All booked</b>", emails=emails, users=users, html=True)


def move_files(maestro: Adapter, task: str, folder: Path) -> None:
    """Uploads a file, finds it in the list, and downloads it, a piece at a time."""
    report = folder / "report.csv"
    report.write_text("number;amount\nR-1;2.50\n")
    maestro.artifacts.upload("report.csv", report.read_bytes(), job=task)
    for artifact in maestro.artifacts.find():
        with maestro.artifacts.open(artifact) as pieces, (folder / "copy.csv").open("wb") as copy:
            size = sum(copy.write(piece) for piece in pieces)
        print("got", artifact.name, size, "bytes")


def use_credentials(maestro: Adapter) -> None:
    """Makes a set with two fields, changes one, and removes the other."""
    maestro.credentials.put("bank", {"user": SecretStr("ann-of-the-tutorial")})
    maestro.credentials.put("bank", {"pin": SecretStr("0000-of-the-tutorial")})
    maestro.credentials.put("bank", {"pin": SecretStr("1234-of-the-tutorial")})
    print("logs in as", maestro.credentials.reveal("bank").fields["user"].get_secret_value())
    maestro.credentials.delete("bank", key="user")


def report_an_error(maestro: Adapter, task: str, folder: Path) -> None:
    """Writes an error entry with a file."""
    try:
        float("2,50")
    except ValueError as error:
        maestro.incidents.report(error, job=task, attachments=[folder / "report.csv"], tags={"stage": "booking"})


def main(connection: str) -> None:
    """Goes through it all; the first call logs in."""
    with Bridge.load() as bridge:
        maestro = bridge[connection]
        task = work_two_tasks(maestro)
        keep_a_log(maestro)
        tell_people(maestro, task)
        with TemporaryDirectory() as folder:
            move_files(maestro, task, Path(folder))
            use_credentials(maestro)
            report_an_error(maestro, task, Path(folder))


if __name__ == "__main__":
    main(sys.argv[1])
