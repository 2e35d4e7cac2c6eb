"""What holds where nothing is said: flags, environment, otaflash.toml. Knows no command line and no board."""

from otaflash.config.keys import BOARDS, KEYS, Key, name_fault
from otaflash.config.layers import DEFAULT, Config, config_files, find_project_file, resolve, user_file
from otaflash.config.reading import FILE_NAME, ConfigFile, Stated, parse_file, read_file
from otaflash.config.template import Plugged, template

__all__ = [
    "BOARDS",
    "DEFAULT",
    "FILE_NAME",
    "KEYS",
    "Config",
    "ConfigFile",
    "Key",
    "Plugged",
    "Stated",
    "config_files",
    "find_project_file",
    "name_fault",
    "parse_file",
    "read_file",
    "resolve",
    "template",
    "user_file",
]
