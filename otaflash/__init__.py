"""otaflash: flash any microcontroller over the air, and never leave it with nothing."""

__version__ = "0.1.0"
