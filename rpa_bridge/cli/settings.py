"""`rpa-bridge settings`: show, find or convert the settings."""

from __future__ import annotations

import json
from pathlib import Path

import click

from .commands import Group, examples
from .files import whole_file
from .state import Output, current_state


@click.group(cls=Group)
def settings() -> None:
    """Show, find or convert the settings."""


@settings.command("show", epilog=examples("rpa-bridge settings show", "rpa-bridge settings show --settings other.json"))
def show() -> None:
    """Shows the connections, as JSON; references stay as written and secrets are masked."""
    from rpa_bridge.settings import load_settings

    from .render import show as print_value

    state = current_state()
    document = load_settings(state.settings).masked()
    print_value(document, Output.JSONL if state.output is Output.JSONL else Output.JSON)


@settings.command("path", epilog=examples("rpa-bridge settings path"))
def path() -> None:
    """Shows which file holds the settings."""
    from rpa_bridge.settings import find_settings

    from .render import note
    from .render import show as print_value

    state = current_state()
    found = find_settings(state.settings)
    if found is None:
        note("there is no settings file; the one connection is 'local'")
    if state.output is not Output.TABLE:
        print_value({"path": None if found is None else str(found)}, state.output)
    elif found is not None:
        click.echo(found)


@settings.command(
    "convert",
    epilog=examples(
        "rpa-bridge settings convert old/settings.json settings.json", "rpa-bridge settings convert old/settings.json"
    ),
)
@click.argument("old", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("new", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--force", is_flag=True, help="Replace a file that exists.")
def convert(old: Path, new: Path | None, force: bool) -> None:
    """Turns the flat settings of UiPath's Python community into ours.

    Without NEW the result goes to stdout. Secrets do not go along: the result names environment variables, and stderr
    says what belongs into them.
    """
    from rpa_bridge.errors import ConfigError
    from rpa_bridge.settings import convert_flat
    from rpa_bridge.settings.documents import read_document
    from rpa_bridge.settings.flat import is_flat

    from .render import note

    document, _ = read_document(old)
    if not isinstance(document, dict) or not is_flat(document):
        raise ConfigError(
            f"{old} is not of the flat kind that UiPath's Python community uses; there is nothing to convert"
        )
    conversion = convert_flat(document)
    text = json.dumps(conversion.document, indent=2, ensure_ascii=False) + "\n"
    if new is None:
        click.echo(text, nl=False)
    else:
        with whole_file(new, force=force) as file:
            file.write(text.encode())
        note(f"wrote {str(new)!r}")
    for secret in conversion.secrets:
        note(f"put the value of {secret.key} into the environment variable {secret.variable}")
    for sentence in conversion.notes:
        note(sentence.replace(": ", " - ", 1))  # behind "UserKey:" the redactor would take words for a secret
