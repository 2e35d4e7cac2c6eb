"""Golden bytes, made apart from the code they judge: must not import otaflash or read messages.toml."""
