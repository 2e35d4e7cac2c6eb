"""What pyproject.toml cannot say: the extension, one sentence where it cannot be built, and what an sdist holds.

Run from the root of the checkout, by backend.py for pip or by `python -m otaflash.sim.build_native` in place.
"""

import runpy
from pathlib import Path

from setuptools import setup
from setuptools.command.build_ext import build_ext
from setuptools.command.sdist import sdist

BUILD_NATIVE = "otaflash/sim/build_native.py"
MANUAL = "tools/packaging/otaflash.1"
"""The manual page, where tools/package has written it."""
SOURCES = (
    "firmware/core/*.[ch]",
    "firmware/ports/host/*.[ch]",
    "tools/packaging/*.py",
    MANUAL,
)


class BuildNative(build_ext):
    """Says what to install before the compiler's own words would hide it."""

    def run(self) -> None:
        problem = runpy.run_path(BUILD_NATIVE)["missing_tool"]()
        if problem is not None:
            raise SystemExit(problem)
        super().run()


class SourceArchive(sdist):
    """Takes along what the build needs beside the package."""

    def make_distribution(self) -> None:
        self.filelist.exclude_pattern(None, prefix="tests")  # setuptools takes what is called test*.py there
        self.filelist.extend(path.as_posix() for pattern in SOURCES for path in sorted(Path().glob(pattern)))
        self.filelist.remove_duplicates()
        super().make_distribution()


setup(
    cffi_modules=[f"{BUILD_NATIVE}:ffibuilder"],
    cmdclass={"build_ext": BuildNative, "sdist": SourceArchive},
    data_files=[("share/man/man1", [MANUAL])] if Path(MANUAL).exists() else [],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
