"""`otaflash explain`: the page of one error, or the list of all. Knows no board and no file."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

import click

from otaflash.cli.help import command
from otaflash.cli.settings import common_options, output_of
from otaflash.errors import UsageError
from otaflash.explained import Page, all_pages, near

WIDTH = 100


@command("otaflash explain hex-no-end", "otaflash explain")
@click.argument("code", required=False, metavar="[CODE]")
@common_options
@click.pass_context
def explain(context: click.Context, code: str | None) -> None:
    """Say what an error means, what usually causes it, and what to do.

    CODE is the word behind the number in "error 5 hex-no-end: ...", or an exit code, as 5. Without it: all there are.
    """
    pages = pages_of(code)
    one = len(pages) == 1
    text = "\n".join(text_of(page) if one else line_of(page) for page in pages)
    fields: dict[str, object] = {"ok": True, "code": 0, "pages": [fields_of(page) for page in pages]}
    output_of(context).answer("result", fields, text)


def pages_of(code: str | None) -> list[Page]:
    """One page, those of an exit code, or all. Raises UsageError, which names what may have been meant."""
    known = all_pages()
    if code is None:
        return list(known.values())
    if code in known:
        return [known[code]]
    found = [page for page in known.values() if code in {str(int(each)) for each in page.codes}]
    if found:
        return found
    close = near(code)
    remedy = f"perhaps you mean {' or '.join(close)}" if close else "'otaflash explain' lists all"
    raise UsageError("unknown-code", f"there is no error called {code!r}", remedy=remedy)


def fields_of(page: Page) -> dict[str, object]:
    """The page for machines."""
    return {
        "reason": page.reason,
        "exit_codes": [int(code) for code in page.codes],
        "faults": [fault.value for fault in page.faults],
        "means": page.means,
        "causes": list(page.causes),
        "remedies": list(page.remedies),
    }


def text_of(page: Page) -> str:
    """The page for people."""
    return "\n".join(
        (
            page.reason,
            *_wrapped(page.means, "  "),
            "",
            "Usual causes",
            *_listed(page.causes),
            "What to do",
            *_listed(page.remedies),
            "Whose fault: " + ", or ".join(fault.whose for fault in page.faults),
            *(f"Exit code {int(code)}: {code.meaning}" for code in page.codes),
        )
    )


def line_of(page: Page) -> str:
    """Exit codes, name and the first sentence, cut to what a line holds."""
    numbers = ",".join(str(int(code)) for code in sorted(page.codes))
    means = textwrap.shorten(page.means.split(". ")[0].rstrip("."), WIDTH - 28, placeholder=" ...")
    return f"{numbers:<4} {page.reason:<22} {means}"


def _listed(items: Iterable[str]) -> Iterable[str]:
    for item in items:
        yield from _wrapped(item, "  - ", "    ")


def _wrapped(text: str, first: str, rest: str | None = None) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=first if rest is None else rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
