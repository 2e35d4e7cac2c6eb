#include "boot.h"

#include <string.h>

#include "image.h"
#include "record.h"
#include "stage.h"

#define TRIES 3

uint16_t boot_walk_pages(const struct ota *ota)
{
    uint16_t a = get_u16(ota->record + RECORD_OLD);
    uint16_t b = get_u16(ota->record + RECORD_NEW);

    return a > b ? a : b;
}

static uint16_t walk_steps(const struct ota *ota)
{
    return (uint16_t)(2U * boot_walk_pages(ota));
}

/* Read until two reads agree: one wrong read must not be copied, for nothing else looks at the old image before it is
 * needed again. Not without end: what a cut left weak may read otherwise each time, and is found by the check of the image. */
static void read_chunk(struct ota *ota, uint16_t page, uint16_t offset)
{
    uint8_t tries = TRIES;

    do {
        port_read(page, offset, ota->chunk, OTA_CHUNK_BYTES);
    } while (!flash_equals(page, offset, ota->chunk, OTA_CHUNK_BYTES) && --tries != 0U);
}

/* Erase, program, read back. Recovery never asks whether the page looks equal: it may read so from weak cells. */
static bool copy_once(struct ota *ota, uint16_t to, uint16_t from)
{
    if (port_erase(to) != OTA_OK) {
        return false;
    }
    for (uint16_t offset = 0; offset < OTA_PAGE_BYTES; offset = (uint16_t)(offset + OTA_CHUNK_BYTES)) {
        read_chunk(ota, from, offset);
        if (port_program(to, offset, ota->chunk, OTA_CHUNK_BYTES) != OTA_OK ||
            !flash_equals(to, offset, ota->chunk, OTA_CHUNK_BYTES)) {
            return false;
        }
    }
    return true;
}

static bool copy_page(struct ota *ota, uint16_t to, uint16_t from)
{
    uint8_t tries = TRIES;

    do {
        port_feed();
        if (copy_once(ota, to, from)) {
            return true;
        }
    } while (--tries != 0U);
    return false;
}

static bool walk_step(struct ota *ota, uint16_t k)
{
    uint16_t i = k >> 1;
    uint16_t there = OTA_SECONDARY_PAGE; /* where primary page i goes ... */
    uint16_t here = OTA_SECONDARY_PAGE + 1U; /* ... and where its new content is: an image is stored one page up */

    if (ota->record[RECORD_KIND] == RECORD_REVERT) {
        i = (uint16_t)(boot_walk_pages(ota) - 1U - i);
        there = OTA_SECONDARY_PAGE + 1U;
        here = OTA_SECONDARY_PAGE;
    }
    if ((k & 1U) == 0U) {
        return copy_page(ota, (uint16_t)(there + i), (uint16_t)(OTA_PRIMARY_PAGE + i));
    }
    return copy_page(ota, (uint16_t)(OTA_PRIMARY_PAGE + i), (uint16_t)(here + i));
}

static bool is_swap(const struct ota *ota)
{
    return ota->record[RECORD_KIND] == RECORD_APPLY || ota->record[RECORD_KIND] == RECORD_REVERT;
}

OTA_CALLED uint8_t *boot_running(struct ota *ota)
{
    return ota->record + (ota->record[RECORD_KIND] >= RECORD_APPLY ? RECORD_NEW : RECORD_OLD);
}

bool boot_runs(const struct ota *ota)
{
    return ota->boot == OTA_BOOT_STATE_IDLE || ota->boot == OTA_BOOT_STATE_TRIAL;
}

/* Looks twice before it says no: on that word a trial is reverted, a loader waits for a host, a flash is called worn, and
 * one byte misread among so many must not be enough. */
static bool holds(struct ota *ota, uint16_t page, const uint8_t *image)
{
    return image_check(ota, page, image) || image_check(ota, page, image);
}

static bool primary_holds(struct ota *ota)
{
    return holds(ota, OTA_PRIMARY_PAGE, boot_running(ota));
}

/* Says what is so once nothing is left to walk. An application may read a torn record otherwise than its loader did, and
 * find an APPLY that was never walked: there the image in the slot decides whether it is on trial. */
static void settle(struct ota *ota)
{
    uint8_t kind = ota->record[RECORD_KIND];

    ota->boot = OTA_BOOT_STATE_NO_IMAGE;
    if ((kind == RECORD_APPLY && ota->mode == OTA_MODE_LOADER) || (kind != RECORD_SINGLE && primary_holds(ota))) {
        ota->boot = kind == RECORD_APPLY ? OTA_BOOT_STATE_TRIAL : OTA_BOOT_STATE_IDLE;
    }
}

void boot_walk(struct ota *ota, uint16_t k)
{
    uint16_t steps = is_swap(ota) ? walk_steps(ota) : 0U;

    for (; k < steps; k++) {
        if (!walk_step(ota, k) || record_mark(ota, MARK_STEP(k)) != OTA_OK) {
            ota->boot = OTA_BOOT_STATE_SWAPPING;
            return;
        }
    }
    settle(ota);
}

/* After a cut. A mark's presence is acted on once it is programmed again; its absence once the record is superseded. */
static void resume(struct ota *ota)
{
    uint16_t steps = walk_steps(ota);
    uint16_t base = get_u16(ota->record + RECORD_BASE);
    uint16_t k = base;

    while (k < steps && record_marked(ota, MARK_STEP(k))) {
        k++;
    }
    if (k < steps) {
        if (record_commit(ota, (enum record_kind)ota->record[RECORD_KIND], k) != OTA_OK) {
            return;
        }
    } else if (base < steps && record_mark(ota, MARK_STEP(steps - 1U)) != OTA_OK) {
        ota->boot = OTA_BOOT_STATE_SWAPPING;
        return;
    }
    boot_walk(ota, k);
}

static void count_trials(struct ota *ota)
{
    while (ota->trials < OTA_TRIALS && record_marked(ota, MARK_TRIAL(ota->trials))) {
        ota->trials++;
    }
}

/* Without a record only a trailer speaks: of the image, and of the lowest counter that the board may have. */
static void look_without_record(struct ota *ota)
{
    memset(ota->record, 0xFF, RECORD_BODY_BYTES);
    put_u16(ota->record + RECORD_GENERATION, 0);
    ota->record[RECORD_KIND] = RECORD_IDLE;
    if (!image_find(ota, ota->record + RECORD_OLD)) {
        (void)image_find(ota, ota->record + RECORD_OLD);
    }
    put_u32(ota->record + RECORD_COUNTER, 0);
    if (get_u16(ota->record + RECORD_OLD) != 0U) {
        copy_u32(ota->record + RECORD_COUNTER, image_checked_counter(ota));
    }
}

void boot_recover(struct ota *ota)
{
    if (!record_load(ota)) {
        look_without_record(ota);
    } else if (record_refresh(ota) != OTA_OK) {
        return;
    }
    if (ota->mode == OTA_MODE_LOADER && is_swap(ota)) {
        resume(ota);
    } else {
        settle(ota);
    }
    if (ota->boot == OTA_BOOT_STATE_TRIAL) {
        count_trials(ota);
    }
}

enum ota_result boot_apply(struct ota *ota)
{
    uint8_t *offered = ota->chunk; /* free: all that was received is programmed */

    memcpy(offered + IMAGE_PAGES, ota->manifest + OTA_MANIFEST_PAGES, 2);
    copy_u32(offered + IMAGE_CRC, ota->manifest + OTA_MANIFEST_IMAGE_CRC);
    if (!holds(ota, stage_page(ota, 0), offered)) {
        return OTA_FAILED;
    }
    memmove(ota->record + RECORD_OLD, boot_running(ota), IMAGE_BYTES);
    memcpy(ota->record + RECORD_NEW, offered, IMAGE_BYTES);
    if (!stage_single(ota)) {
        return record_commit(ota, RECORD_APPLY, 0);
    }
    memcpy(ota->record + RECORD_OLD, offered, IMAGE_BYTES);
    copy_u32(ota->record + RECORD_COUNTER, ota->manifest + OTA_MANIFEST_COUNTER);
    return record_commit(ota, RECORD_IDLE, 0);
}

/* The counter moves with the decision, in the same record: a revert before it stays possible, and no cut parts the two. */
enum ota_result boot_confirm(struct ota *ota)
{
    const uint8_t *counter = image_checked_counter(ota);

    if ((ota->mode == OTA_MODE_LOADER && ota->trials >= OTA_TRIALS) || !primary_holds(ota)) {
        return OTA_FAILED;
    }
    if (get_u32(counter) > get_u32(ota->record + RECORD_COUNTER)) {
        copy_u32(ota->record + RECORD_COUNTER, counter);
    }
    if (record_commit(ota, RECORD_CONFIRM, 0) != OTA_OK) {
        return OTA_FAILED;
    }
    ota->boot = OTA_BOOT_STATE_IDLE;
    return OTA_OK;
}

enum ota_result boot_revert(struct ota *ota)
{
    return record_commit(ota, RECORD_REVERT, 0);
}

/* A trial that holds is marked, then run; one that does not is reverted. */
static void leave_trial(struct ota *ota)
{
    if (ota->trials < OTA_TRIALS && primary_holds(ota)) {
        if (record_mark(ota, MARK_TRIAL(ota->trials)) == OTA_OK) {
            port_jump(true);
        }
        ota->boot = OTA_BOOT_STATE_SWAPPING;
    } else if (boot_revert(ota) == OTA_OK) {
        boot_walk(ota, 0);
    }
}

void boot_leave(struct ota *ota)
{
    if (ota->boot == OTA_BOOT_STATE_TRIAL) {
        leave_trial(ota);
    }
    if (ota->boot == OTA_BOOT_STATE_IDLE) {
        if (primary_holds(ota)) {
            port_jump(false);
        }
        ota->boot = OTA_BOOT_STATE_NO_IMAGE;
    }
}
