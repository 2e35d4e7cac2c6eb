"""One Python target under atheris: `python -m tests.fuzz.atheris_run TARGET [what libFuzzer takes]`."""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

with atheris.instrument_imports(include=["otaflash", "tomllib", "intelhex"]):
    import tomllib  # noqa: F401

    import intelhex  # noqa: F401  imported late by the package, when nothing is instrumented any more

    from tests.fuzz.targets import TARGETS


def main() -> None:
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
