#include "boot.h"

#include "image.h"
#include "record.h"

#define TRIES 3

static uint16_t walk_steps(const struct ota *ota)
{
    uint16_t a = ota->record.old_image.pages;
    uint16_t b = ota->record.new_image.pages;

    return (uint16_t)(2U * (a > b ? a : b));
}

/* Erase, program, read back. Recovery never asks whether the page looks equal: it may read so from weak cells. */
static bool copy_once(struct ota *ota, uint16_t to, uint16_t from)
{
    if (port_erase(to) != OTA_OK) {
        return false;
    }
    for (uint16_t offset = 0; offset < OTA_PAGE_BYTES; offset = (uint16_t)(offset + OTA_CHUNK_BYTES)) {
        port_read(from, offset, ota->chunk, OTA_CHUNK_BYTES);
        if (port_program(to, offset, ota->chunk, OTA_CHUNK_BYTES) != OTA_OK ||
            !flash_equals(to, offset, ota->chunk, OTA_CHUNK_BYTES)) {
            return false;
        }
    }
    port_feed();
    return true;
}

static enum ota_result copy_page(struct ota *ota, uint16_t to, uint16_t from)
{
    for (uint8_t i = 0; i < TRIES; i++) {
        if (copy_once(ota, to, from)) {
            return OTA_OK;
        }
    }
    return OTA_FAILED;
}

static enum ota_result walk_step(struct ota *ota, uint16_t k)
{
    bool first = (k & 1U) == 0U;
    uint16_t i = k >> 1;
    uint16_t spare = 1; /* a new image is stored one page up */
    uint16_t primary;
    uint16_t secondary;

    if (ota->record.kind == RECORD_REVERT) {
        i = (uint16_t)((walk_steps(ota) >> 1) - 1U - i);
        spare = 0;
    }
    primary = (uint16_t)(OTA_PRIMARY_PAGE + i);
    secondary = (uint16_t)(OTA_SECONDARY_PAGE + i);
    if (first) {
        return copy_page(ota, (uint16_t)(secondary + 1U - spare), primary);
    }
    return copy_page(ota, primary, (uint16_t)(secondary + spare));
}

static enum ota_result walk_from(struct ota *ota, uint16_t k)
{
    uint16_t steps = walk_steps(ota);

    for (; k < steps; k++) {
        if (walk_step(ota, k) != OTA_OK || record_mark(ota, MARK_STEP(k)) != OTA_OK) {
            return OTA_FAILED;
        }
    }
    return OTA_OK;
}

/* After a cut. A mark's presence is acted on once it is programmed again; its absence once the record is superseded. */
static enum ota_result resume(struct ota *ota)
{
    uint16_t steps = walk_steps(ota);
    uint16_t base = ota->record.base;
    uint16_t k = base;
    const struct ota_record *r = &ota->record;

    while (k < steps && record_marked(ota, MARK_STEP(k))) {
        k++;
    }
    if (k == steps) {
        return base < steps ? record_mark(ota, MARK_STEP(steps - 1U)) : OTA_OK;
    }
    if (record_write(ota, (enum record_kind)r->kind, r->old_image, r->new_image, k) != OTA_OK) {
        return OTA_FAILED;
    }
    return walk_from(ota, k);
}

static bool is_swap(const struct ota *ota)
{
    return ota->record.kind == RECORD_APPLY || ota->record.kind == RECORD_REVERT;
}

/* Says what is so once a walk is done: boot state and the image that is to run. */
static void settle(struct ota *ota)
{
    uint8_t kind = ota->record.kind;
    bool new_one = kind == RECORD_APPLY || kind == RECORD_CONFIRM;

    ota->running = new_one ? ota->record.new_image : ota->record.old_image;
    if (kind == RECORD_APPLY) {
        ota->boot = OTA_BOOT_STATE_TRIAL;
        return;
    }
    ota->boot = OTA_BOOT_STATE_NO_IMAGE;
    if (kind != RECORD_SINGLE && image_check(OTA_PRIMARY_PAGE, ota->running)) {
        ota->boot = OTA_BOOT_STATE_IDLE;
    }
}

static void count_trials(struct ota *ota)
{
    ota->trials = 0;
    if (ota->record.kind == RECORD_APPLY) {
        while (ota->trials < OTA_TRIALS && record_marked(ota, MARK_TRIAL(ota->trials))) {
            ota->trials++;
        }
    }
}

/* Without a record only a trailer speaks: of the image, and of the lowest counter that the board may have. */
static void look_without_record(struct ota *ota)
{
    uint8_t trailer[OTA_TRAILER_BYTES];

    ota->record.old_image = image_find();
    ota->record.new_image = ota->record.old_image;
    ota->record.counter = 0;
    if (ota->record.old_image.pages != 0U &&
        image_trailer(OTA_PRIMARY_PAGE, ota->record.old_image.pages, trailer)) {
        ota->record.counter = get_u32(trailer + OTA_TRAILER_COUNTER);
    }
}

void boot_recover(struct ota *ota)
{
    if (!record_load(ota)) {
        look_without_record(ota);
    } else if (record_refresh(ota) != OTA_OK || (is_swap(ota) && resume(ota) != OTA_OK)) {
        ota->boot = OTA_BOOT_STATE_SWAPPING;
        return;
    }
    settle(ota);
    count_trials(ota);
}

void boot_look(struct ota *ota)
{
    if (!record_load(ota)) {
        look_without_record(ota);
    }
    settle(ota);
    count_trials(ota);
}

bool boot_runs(const struct ota *ota)
{
    return ota->boot == OTA_BOOT_STATE_IDLE || ota->boot == OTA_BOOT_STATE_TRIAL;
}

bool boot_trial_holds(const struct ota *ota)
{
    return ota->boot == OTA_BOOT_STATE_TRIAL && ota->trials < OTA_TRIALS &&
           image_check(OTA_PRIMARY_PAGE, ota->running);
}

enum ota_result boot_apply(struct ota *ota, struct ota_image image, bool single)
{
    if (!image_check(ota->stage_page, image)) {
        return OTA_FAILED;
    }
    if (single) {
        ota->record.counter = get_u32(ota->manifest + OTA_MANIFEST_COUNTER);
        return record_write(ota, RECORD_IDLE, image, image, 0);
    }
    return record_write(ota, RECORD_APPLY, ota->running, image, 0);
}

/* The counter moves with the decision, in the same record: a revert before it stays possible, and no cut parts the two. */
enum ota_result boot_confirm(struct ota *ota)
{
    uint8_t trailer[OTA_TRAILER_BYTES];
    uint32_t before = ota->record.counter;

    if (!boot_trial_holds(ota) && !ota->application) {
        return OTA_FAILED;
    }
    if (image_trailer(OTA_PRIMARY_PAGE, ota->running.pages, trailer) &&
        get_u32(trailer + OTA_TRAILER_COUNTER) > before) {
        ota->record.counter = get_u32(trailer + OTA_TRAILER_COUNTER);
    }
    if (record_write(ota, RECORD_CONFIRM, ota->record.old_image, ota->record.new_image, 0) != OTA_OK) {
        ota->record.counter = before;
        return OTA_FAILED;
    }
    ota->boot = OTA_BOOT_STATE_IDLE;
    return OTA_OK;
}

enum ota_result boot_revert(struct ota *ota)
{
    return record_write(ota, RECORD_REVERT, ota->record.old_image, ota->record.new_image, 0);
}

void boot_walk(struct ota *ota)
{
    if (is_swap(ota) && walk_from(ota, 0) != OTA_OK) {
        ota->boot = OTA_BOOT_STATE_SWAPPING;
        return;
    }
    settle(ota);
}

void boot_leave(struct ota *ota)
{
    if (ota->boot == OTA_BOOT_STATE_TRIAL) {
        if (boot_trial_holds(ota)) {
            if (record_mark(ota, MARK_TRIAL(ota->trials)) == OTA_OK) {
                port_jump(true);
            }
            ota->boot = OTA_BOOT_STATE_SWAPPING;
            return;
        }
        if (boot_revert(ota) != OTA_OK) {
            ota->boot = OTA_BOOT_STATE_SWAPPING;
            return;
        }
        boot_walk(ota);
    }
    if (ota->boot == OTA_BOOT_STATE_IDLE && image_check(OTA_PRIMARY_PAGE, ota->running)) {
        port_jump(false);
    }
    ota->boot = ota->boot == OTA_BOOT_STATE_SWAPPING ? ota->boot : (uint8_t)OTA_BOOT_STATE_NO_IMAGE;
}
