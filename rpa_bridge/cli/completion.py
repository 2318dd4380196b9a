"""`rpa-bridge completion`: what makes a shell complete commands, options and the names of connections."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from .commands import Command, examples


@click.command(
    cls=Command,
    epilog=examples(
        'eval "$(rpa-bridge completion bash)"            # in ~/.bashrc',
        'eval "$(rpa-bridge completion zsh)"             # in ~/.zshrc',
        "rpa-bridge completion fish > ~/.config/fish/completions/rpa-bridge.fish",
    ),
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Prints what makes a shell complete commands and names."""
    from .main import COMPLETE_VARIABLE, PROGRAM, cli

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"click does not know the shell {shell!r}; upgrade it")
    click.echo(kind(cli, {}, PROGRAM, COMPLETE_VARIABLE).source())
