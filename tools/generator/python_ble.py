"""otaflash/wire/ble.py: the UUIDs of the GATT service."""

from __future__ import annotations

from generator.description import MARK, Description


def ble_module(description: Description) -> str:
    """Text of otaflash/wire/ble.py."""
    head = f'"""UUIDs of the GATT service, {MARK}."""\n\nfrom typing import Final\n\n'
    return head + "".join(
        f'{uuid.name.upper()}_UUID: Final = "{uuid.value}"\n"""{uuid.doc}"""\n' for uuid in description.uuids
    )
