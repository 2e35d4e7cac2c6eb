"""How protocol/messages.toml becomes text: C header, Python module, tables. Knows no message by name."""
