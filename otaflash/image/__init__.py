"""Files that hold firmware: Intel HEX -> pages -> blocks -> bundle. Knows no link and no device.

Allowed arrows out of this folder: ``otaflash.wire.messages`` for the records Manifest, Trailer and Version and nothing
else of the wire, and ``otaflash.errors``.
"""
