"""What pyproject.toml cannot say: the extension, and one sentence where it cannot be built."""

import runpy

from setuptools import setup
from setuptools.command.build_ext import build_ext

BUILD_NATIVE = "otaflash/sim/build_native.py"


class BuildNative(build_ext):
    """Says what to install before the compiler's own words would hide it."""

    def run(self) -> None:
        problem = runpy.run_path(BUILD_NATIVE)["missing_tool"]()
        if problem is not None:
            raise SystemExit(problem)
        super().run()


setup(
    cffi_modules=[f"{BUILD_NATIVE}:ffibuilder"],
    cmdclass={"build_ext": BuildNative},
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
