"""The build backend that pyproject.toml names: setuptools' own, with its setup script in this folder."""

from setuptools import build_meta

SETUP = "tools/packaging/setup.py"


class Backend(build_meta._BuildMetaBackend):
    """setuptools looks for its script at the top only. Where to name another is not public, but long unchanged."""

    def run_setup(self, setup_script: str = SETUP) -> None:
        super().run_setup(SETUP)


_BACKEND = Backend()
build_wheel = _BACKEND.build_wheel
build_sdist = _BACKEND.build_sdist
build_editable = _BACKEND.build_editable
get_requires_for_build_wheel = _BACKEND.get_requires_for_build_wheel
get_requires_for_build_sdist = _BACKEND.get_requires_for_build_sdist
get_requires_for_build_editable = _BACKEND.get_requires_for_build_editable
prepare_metadata_for_build_wheel = _BACKEND.prepare_metadata_for_build_wheel
prepare_metadata_for_build_editable = _BACKEND.prepare_metadata_for_build_editable
