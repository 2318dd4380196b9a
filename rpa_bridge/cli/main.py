"""`rpa-bridge`: noun, then verb. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from rpa_bridge import __version__

from .commands import Lazy, LazyGroup, examples
from .exits import Exit, exit_code_help
from .options import root_options
from .state import State

PROGRAM = "rpa-bridge"
COMPLETE_VARIABLE = "_RPA_BRIDGE_COMPLETE"
_HERE = "rpa_bridge.cli"

COMMANDS = {
    "demo": Lazy(f"{_HERE}.demo:demo", "Show it all at work, on this machine alone."),
    "adapters": Lazy(f"{_HERE}.adapters:adapters", "Show which platforms this installation speaks to."),
    "check": Lazy(f"{_HERE}.check:check", "Look whether connections work, and say what to mend."),
    "reconcile": Lazy(f"{_HERE}.reconcile:reconcile", "Find out what became of what a crash left open."),
    "auth": Lazy(f"{_HERE}.auth:auth", "Log in, and see or forget the kept logins."),
    "settings": Lazy(f"{_HERE}.settings:settings", "Show, find or convert the settings."),
    "automations": Lazy(f"{_HERE}.automations:automations", "See what can be run."),
    "jobs": Lazy(f"{_HERE}.jobs:jobs", "Start automations and follow their runs."),
    "queues": Lazy(f"{_HERE}.queue_items:queues", "Put work in, take work out."),
    "assets": Lazy(f"{_HERE}.assets:assets", "Read and write shared settings."),
    "credentials": Lazy(f"{_HERE}.credentials:credentials", "Name, read and write secrets."),
    "artifacts": Lazy(f"{_HERE}.artifacts:artifacts", "Find, download and upload files."),
    "robots": Lazy(f"{_HERE}.robots:robots", "See who can run jobs."),
    "logs": Lazy(f"{_HERE}.logs:logs", "Read and write what runs wrote down."),
    "alerts": Lazy(f"{_HERE}.alerts:alerts", "Tell people, through the platform."),
    "incidents": Lazy(f"{_HERE}.incidents:incidents", "Report exceptions, and read them."),
    "messages": Lazy(f"{_HERE}.messages:messages", "Write to people, through the platform."),
    "folders": Lazy(f"{_HERE}.folders:folders", "See the rooms within a platform."),
    "schedules": Lazy(f"{_HERE}.schedules:schedules", "See what starts jobs by itself."),
    "webhooks": Lazy(f"{_HERE}.webhooks:webhooks", "Be told what happens, instead of asking."),
    "migrate": Lazy(f"{_HERE}.migrate_endings:migrate", "Move what is on one platform to another, and prove it."),
    "backup": Lazy(f"{_HERE}.backup:backup", "Keep what is on a platform in one file."),
    "restore": Lazy(f"{_HERE}.backup:restore", "Put what a backup holds onto a platform."),
    "sandbox": Lazy(f"{_HERE}.sandbox:sandbox", "Play the platforms on this machine, for tests and trials."),
    "completion": Lazy(f"{_HERE}.completion:completion", "Print what makes a shell complete commands and names."),
}


@click.group(
    PROGRAM,
    cls=LazyGroup,
    lazy=COMMANDS,
    params=root_options(),
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "rpa-bridge demo",
        "rpa-bridge check --all",
        "rpa-bridge jobs start Invoices --on uipath-prod -i month=2026-10 --wait",
        "rpa-bridge queues items Letters --state failed -o jsonl",
    )
    + "\n\n"
    + exit_code_help(),
)
@click.version_option(__version__, prog_name=PROGRAM)
def cli() -> None:
    """One command line for RPA platforms.

    A connection to a platform has a name in the settings; --on NAME picks it. Data goes to stdout, everything else to
    stderr.
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs the command line and exits; every failure becomes one line and an exit code here."""
    state = State()
    try:
        code = cli.main(arguments, PROGRAM, COMPLETE_VARIABLE, standalone_mode=False, obj=state)
    except Exception as error:  # noqa: BLE001 - nothing may end in a traceback; --debug shows it
        from .failures import explain

        code = explain(error, debug=state.debug)
    sys.exit(code or Exit.OK)
