"""UUIDs of the GATT service, generated from protocol/messages.toml by tools/generate; do not edit."""

from typing import Final

SERVICE_UUID: Final = "14ad0001-5441-4796-a15a-ce89b892f0fa"
"""the service; advertised by loader and application"""
TO_DEVICE_UUID: Final = "14ad0002-5441-4796-a15a-ce89b892f0fa"
"""characteristic: write without response, one frame a write"""
TO_HOST_UUID: Final = "14ad0003-5441-4796-a15a-ce89b892f0fa"
"""characteristic: notify, one frame a notification"""
