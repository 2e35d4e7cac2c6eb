"""Whatever goes over many pages feeds the watchdog at each of them: a swap is longer than any watchdog waits."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
NULL = FIRMWARE / "ports" / "null"

MAIN = """
#include <stdio.h>
#include <string.h>

#include "boot.h"
#include "image.h"
#include "record.h"
#include "stage.h"

#define PAGES 100U
#define PAGES_OF_WORK_MAX 7U

static uint8_t flash[2U * OTA_SLOT_PAGES + 1U + 2U * OTA_RECORD_PAGES][OTA_PAGE_BYTES];
static struct ota ota;
static uint32_t worked; /* bytes read, erased and programmed since the watchdog was fed */
static uint32_t most;

static void work(uint16_t bytes)
{
    worked += bytes;
    most = worked > most ? worked : most;
}

void port_feed(void) { worked = 0; }

void port_read(uint16_t page, uint16_t offset, uint8_t *to, uint16_t count)
{
    work(count);
    memcpy(to, flash[page] + offset, count);
}

enum ota_result port_erase(uint16_t page)
{
    work(OTA_PAGE_BYTES);
    memset(flash[page], 0xFF, OTA_PAGE_BYTES);
    return OTA_OK;
}

enum ota_result port_program(uint16_t page, uint16_t offset, const uint8_t *from, uint16_t count)
{
    work(count);
    for (uint16_t i = 0; i < count; i++)
        flash[page][offset + i] &= from[i];
    return OTA_OK;
}

void port_identity(uint8_t *to) { memset(to, 0, OTA_IDENTITY_BYTES); }
int16_t port_receive(void) { return -1; }
void port_send(uint8_t byte) { (void)byte; }
uint16_t port_millis(void) { return 0; }
uint8_t port_request(void) { return 0; }
void port_restart(uint8_t request) { (void)request; }
void port_jump(bool trial) { (void)trial; }

static int fed(const char *what)
{
    int right = most > OTA_PAGE_BYTES / 2U && most <= PAGES_OF_WORK_MAX * OTA_PAGE_BYTES;

    printf("%s: %lu bytes between two feeds\\n", what, (unsigned long)most);
    worked = most = 0;
    return right;
}

int main(void)
{
    const uint8_t image[IMAGE_BYTES] = {PAGES};
    uint8_t digest[4] = {0};
    int right = 1;

    memset(flash, 0xFF, sizeof flash);
    memcpy(ota.record + RECORD_OLD, image, IMAGE_BYTES);
    memcpy(ota.record + RECORD_NEW, image, IMAGE_BYTES);
    ota.record[RECORD_KIND] = RECORD_APPLY;
    boot_walk(&ota, 0);
    right &= ota.boot == OTA_BOOT_STATE_TRIAL && fed("swap");
    ota.record[RECORD_KIND] = RECORD_REVERT;
    boot_walk(&ota, 0);
    right &= fed("revert");
    (void)image_check(&ota, OTA_PRIMARY_PAGE, image);
    right &= fed("check");
    put_u16(ota.manifest + OTA_MANIFEST_PAGES, PAGES);
    stage_start(&ota);
    for (uint16_t page = 0; page < PAGES; page++)
        (void)stage_survey(&ota, page, digest);
    right &= fed("survey");
    for (uint16_t place = 0; place < ota.places; place++)
        stage_block(&ota, place, flash[0]);
    right &= fed("blocks");
    return !right;
}
"""


def test_swap_revert_check_survey_and_staging_feed_the_watchdog_at_every_page(tmp_path: Path) -> None:
    (tmp_path / "main.c").write_text(MAIN)
    compiler = [os.environ.get("CC", "cc"), "-std=c99", f"-I{NULL}", f"-I{FIRMWARE / 'core'}"]
    sources = [str(tmp_path / "main.c"), *map(str, sorted((FIRMWARE / "core").glob("*.c")))]
    subprocess.run([*compiler, *sources, "-o", str(tmp_path / "watchdog")], check=True)
    done = subprocess.run([str(tmp_path / "watchdog")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
