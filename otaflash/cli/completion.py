"""`otaflash completion`: what a shell needs to complete our command lines, and the answers to what it then asks."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class, shell_complete

from otaflash.cli.help import command
from otaflash.cli.stdout import write_line

SHELLS = ("bash", "zsh", "fish")
PROGRAM = "otaflash"
VARIABLE = "_OTAFLASH_COMPLETE"
"""Where a shell's completion says that it asks, and how it wants the answer: click's own convention."""


@command("otaflash completion bash", "otaflash completion fish")
@click.argument("shell", metavar="SHELL", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print a script that teaches SHELL (bash, zsh or fish) to complete commands, options and files with the TAB key.

    For bash and zsh, put this line into ~/.bashrc or ~/.zshrc, with the name of the shell: source <(otaflash completion
    bash). For fish, write it to ~/.config/fish/completions/otaflash.fish.
    """
    found = get_completion_class(shell)
    assert found is not None
    write_line(found(context.find_root().command, {}, PROGRAM, VARIABLE).source().strip())


def complete(top: click.Command, asked: str) -> int:
    """Answers a shell; `asked` as ``bash_complete``, the words are in its environment. The exit code it waits for."""
    return shell_complete(top, {}, PROGRAM, VARIABLE, asked)
