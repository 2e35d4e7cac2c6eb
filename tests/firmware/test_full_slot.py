"""The arrays of a port are as large as its slots and no larger: an image that fills the slot stays within them."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
NULL = FIRMWARE / "ports" / "null"

MAIN = """
#include <stddef.h>
#include <string.h>

#include "stage.h"

static union {
    struct ota ota;
    uint8_t bytes[sizeof(struct ota) + 16];
} all;

int main(void)
{
    size_t at = offsetof(struct ota, blank) + sizeof all.ota.blank;

    memset(all.bytes + at, 0xA5, sizeof all.bytes - at);
    put_u16(all.ota.manifest + OTA_MANIFEST_PAGES, OTA_SLOT_PAGES);
    stage_start(&all.ota);
    while (at < sizeof all.bytes && all.bytes[at] == 0xA5)
        at++;
    return at != sizeof all.bytes || all.ota.places != OTA_PLACES_MAX;
}
"""


def build(folder: Path, pages: int) -> Path:
    """The core with the arrays of a slot of so many pages, and a main that starts to receive an image of as many."""
    config = (NULL / "port_config.h").read_text()
    for name, value in {"SLOT_PAGES": f"((uint16_t){pages})", "PLACES_MAX": pages * 16, "PAGES_MAX": pages}.items():
        config, count = re.subn(rf"(#define OTA_{name}) .*", rf"\1 {value}", config)
        assert count == 1
    (folder / "port_config.h").write_text(config)
    (folder / "main.c").write_text(MAIN)
    compiler = [os.environ.get("CC", "cc"), "-std=c99", f"-I{folder}", f"-I{FIRMWARE / 'core'}"]
    port = folder / "port.o"
    subprocess.run([*compiler, "-Dmain=main_of_port", "-c", str(NULL / "port.c"), "-o", str(port)], check=True)
    sources = [str(folder / "main.c"), *map(str, sorted((FIRMWARE / "core").glob("*.c")))]
    subprocess.run([*compiler, *sources, str(port), "-o", str(folder / "full_slot")], check=True)
    return folder / "full_slot"


@pytest.mark.parametrize("pages", [7, 8, 9, 64])
def test_an_image_that_fills_the_slot_stays_within_the_maps(tmp_path: Path, pages: int) -> None:
    assert subprocess.run([str(build(tmp_path, pages))], check=False).returncode == 0
