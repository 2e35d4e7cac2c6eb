"""Building the ports of the bootloader: shared by tools/build_firmware and tools/sizes."""
