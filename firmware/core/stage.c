#include "stage.h"

#include "bits.h"
#include "image.h"
#include "record.h"
#include "sha256.h"

#define VOIDED_MAX 8U
#define FLAG_SINGLE_SLOT 1U

#define BLOCKS_PER_PAGE ((uint16_t)(OTA_PAGE_BYTES / OTA_BLOCK_BYTES))

static uint16_t pages_of(const struct ota *ota)
{
    return get_u16(ota->manifest + OTA_MANIFEST_PAGES);
}

bool stage_single(const struct ota *ota)
{
    return (get_u16(ota->manifest + OTA_MANIFEST_FLAGS) & FLAG_SINGLE_SLOT) != 0U;
}

static void digest_restart(struct ota *ota)
{
    ota->hashed = 0;
    ota->hashed_bytes = 0;
    sha256_start(ota->digest);
}

/* The first missing place moves up over what is held, and with it the state. */
static void advance(struct ota *ota)
{
    while (ota->front < ota->places && bit_get(ota->held, ota->front)) {
        ota->front++;
    }
    if (ota->transfer == OTA_TRANSFER_STATE_RECEIVING && ota->front == ota->places) {
        ota->transfer = OTA_TRANSFER_STATE_VERIFYING;
    }
}

void stage_continue(struct ota *ota)
{
    ota->transfer = OTA_TRANSFER_STATE_RECEIVING;
    if (ota->hashed == pages_of(ota)) {
        digest_restart(ota);
    }
    advance(ota);
}

void stage_start(struct ota *ota)
{
    ota->places = (uint16_t)(pages_of(ota) * BLOCKS_PER_PAGE);
    for (uint16_t i = 0; i <= ota->places >> 3; i++) {
        ota->held[i] = 0;
    }
    for (uint16_t i = 0; i <= pages_of(ota) >> 3; i++) {
        ota->blank[i] = 0;
    }
    ota->stage_page = stage_single(ota) ? OTA_PRIMARY_PAGE : (uint16_t)(OTA_SECONDARY_PAGE + 1U);
    ota->front = 0;
    ota->voided = 0;
    ota->chunk_filled = 0;
    digest_restart(ota);
    stage_continue(ota);
    stage_extend(ota);
}

static void mark_page(struct ota *ota, uint16_t page, bool held)
{
    uint16_t place = (uint16_t)(page * BLOCKS_PER_PAGE);

    for (uint16_t i = 0; i < BLOCKS_PER_PAGE; i++, place++) {
        if (held) {
            bit_set(ota->held, place);
        } else {
            bit_clear(ota->held, place);
        }
    }
}

/* The page is lost: it is erased again at its next block. Not without end. */
static void void_page(struct ota *ota, uint16_t page)
{
    uint16_t first = (uint16_t)(page * BLOCKS_PER_PAGE);

    mark_page(ota, page, false);
    bit_clear(ota->blank, page);
    if (ota->chunk_page == page) {
        ota->chunk_filled = 0;
    }
    if (ota->front > first) {
        ota->front = first;
    }
    if (ota->hashed >= page) {
        digest_restart(ota);
    }
    ota->transfer = ++ota->voided > VOIDED_MAX ? OTA_TRANSFER_STATE_FAILED : OTA_TRANSFER_STATE_RECEIVING;
}

/* In single-slot mode the running image is about to be destroyed: say so first, so that no half image is ever started. */
static enum ota_result give_up_running(struct ota *ota)
{
    struct ota_image none = {0, 0};
    struct ota_image coming = {pages_of(ota), get_u32(ota->manifest + OTA_MANIFEST_IMAGE_CRC)};

    if (!stage_single(ota) || ota->record.kind == RECORD_SINGLE) {
        return OTA_OK;
    }
    if (record_write(ota, RECORD_SINGLE, none, coming, 0) != OTA_OK) {
        return OTA_FAILED;
    }
    ota->boot = OTA_BOOT_STATE_NO_IMAGE;
    return OTA_OK;
}

static bool erase_page(struct ota *ota, uint16_t page)
{
    if (give_up_running(ota) != OTA_OK || port_erase((uint16_t)(ota->stage_page + page)) != OTA_OK) {
        return false;
    }
    port_feed();
    bit_set(ota->blank, page);
    return true;
}

/* True if flash holds what `chunk` has set; bytes of all ones may belong to blocks programmed before. */
static bool chunk_took(const struct ota *ota)
{
    uint8_t there;

    for (uint16_t i = 0; i < OTA_CHUNK_BYTES; i++) {
        if (ota->chunk[i] != 0xFFU) {
            port_read((uint16_t)(ota->stage_page + ota->chunk_page), (uint16_t)(ota->chunk_offset + i), &there, 1);
            if (there != ota->chunk[i]) {
                return false;
            }
        }
    }
    return true;
}

static bool chunk_program(struct ota *ota)
{
    uint16_t page = ota->chunk_page;

    if (!bit_get(ota->blank, page) && !erase_page(ota, page)) {
        return false;
    }
    return port_program((uint16_t)(ota->stage_page + page), ota->chunk_offset, ota->chunk, OTA_CHUNK_BYTES) == OTA_OK &&
           chunk_took(ota);
}

void stage_flush(struct ota *ota)
{
    if (ota->chunk_filled != 0U) {
        ota->chunk_filled = 0;
        if (!chunk_program(ota)) {
            void_page(ota, ota->chunk_page);
        }
    }
}

static void chunk_open(struct ota *ota, uint16_t page, uint16_t offset)
{
    if (ota->chunk_filled != 0U && ota->chunk_page == page && ota->chunk_offset == offset) {
        return;
    }
    stage_flush(ota);
    ota->chunk_page = page;
    ota->chunk_offset = offset;
    for (uint16_t i = 0; i < OTA_CHUNK_BYTES; i++) {
        ota->chunk[i] = 0xFF;
    }
}

void stage_block(struct ota *ota, uint16_t place, const uint8_t *data)
{
    uint16_t page = (uint16_t)(place / BLOCKS_PER_PAGE);
    uint16_t offset = (uint16_t)((place % BLOCKS_PER_PAGE) * OTA_BLOCK_BYTES);
    uint16_t within = (uint16_t)(offset % OTA_CHUNK_BYTES);

    if (ota->transfer != OTA_TRANSFER_STATE_RECEIVING || bit_get(ota->held, place)) {
        return;
    }
    chunk_open(ota, page, (uint16_t)(offset - within));
    for (uint16_t i = 0; i < OTA_BLOCK_BYTES; i++) {
        ota->chunk[within + i] = data[i];
    }
    bit_set(ota->held, place);
    ota->chunk_filled = (uint16_t)(ota->chunk_filled + OTA_BLOCK_BYTES);
    if (ota->chunk_filled == OTA_CHUNK_BYTES) {
        stage_flush(ota);
    }
    advance(ota);
    if (ota->front == ota->places) {
        stage_flush(ota);
    }
}

/* True if the first four bytes of the page's SHA-256 are these. */
static bool page_agrees(uint16_t page, const uint8_t expected[4])
{
    uint32_t state[8];
    uint8_t bytes[SHA256_BLOCK_BYTES];

    sha256_start(state);
    for (uint16_t offset = 0; offset < OTA_PAGE_BYTES; offset = (uint16_t)(offset + SHA256_BLOCK_BYTES)) {
        port_read(page, offset, bytes, SHA256_BLOCK_BYTES);
        sha256_block(state, bytes);
    }
    port_feed();
    sha256_end(state, OTA_PAGE_BYTES / SHA256_BLOCK_BYTES, bytes);
    return bytes[0] == expected[0] && bytes[1] == expected[1] && bytes[2] == expected[2] && bytes[3] == expected[3];
}

static uint16_t held_in_page(const struct ota *ota, uint16_t page)
{
    uint16_t place = (uint16_t)(page * BLOCKS_PER_PAGE);
    uint16_t count = 0;

    for (uint16_t i = 0; i < BLOCKS_PER_PAGE; i++, place++) {
        count = (uint16_t)(count + (bit_get(ota->held, place) ? 1U : 0U));
    }
    return count;
}

/* A page that is held in part is being received: it is left alone. */
bool stage_survey(struct ota *ota, uint16_t page, const uint8_t digest[4])
{
    uint16_t count;
    bool agrees;

    if (page >= pages_of(ota)) {
        return false;
    }
    count = held_in_page(ota, page);
    if (count != 0U && count != BLOCKS_PER_PAGE) {
        return false;
    }
    agrees = page_agrees((uint16_t)(ota->stage_page + page), digest);
    if (agrees && count == 0U) {
        mark_page(ota, page, true);
        bit_set(ota->blank, page);
        advance(ota);
    } else if (!agrees && count != 0U) {
        void_page(ota, page);
    }
    return agrees;
}

static void conclude(struct ota *ota)
{
    uint8_t digest[SHA256_BYTES];
    uint32_t blocks = (uint32_t)pages_of(ota) * (OTA_PAGE_BYTES / SHA256_BLOCK_BYTES);

    sha256_end(ota->digest, blocks, digest);
    ota->transfer = OTA_TRANSFER_STATE_VERIFIED;
    for (uint8_t i = 0; i < SHA256_BYTES; i++) {
        if (digest[i] != ota->manifest[OTA_MANIFEST_SHA256 + i]) {
            ota->transfer = OTA_TRANSFER_STATE_DAMAGED;
        }
    }
}

bool stage_busy(const struct ota *ota)
{
    bool alive = ota->transfer == OTA_TRANSFER_STATE_RECEIVING || ota->transfer == OTA_TRANSFER_STATE_VERIFYING;

    return alive && ota->hashed < ota->front / BLOCKS_PER_PAGE;
}

bool stage_work(struct ota *ota)
{
    uint8_t block[SHA256_BLOCK_BYTES];

    if (!stage_busy(ota)) {
        return false;
    }
    if (ota->chunk_page == ota->hashed && ota->chunk_filled != 0U) {
        stage_flush(ota);
        return true;
    }
    port_read((uint16_t)(ota->stage_page + ota->hashed), ota->hashed_bytes, block, SHA256_BLOCK_BYTES);
    sha256_block(ota->digest, block);
    ota->hashed_bytes = (uint16_t)(ota->hashed_bytes + SHA256_BLOCK_BYTES);
    if (ota->hashed_bytes == OTA_PAGE_BYTES) {
        ota->hashed_bytes = 0;
        if (++ota->hashed == pages_of(ota)) {
            conclude(ota);
        }
    }
    return true;
}

static uint16_t first_not_blank(const struct ota *ota)
{
    uint16_t page = 0;

    while (page < pages_of(ota) && bit_get(ota->blank, page)) {
        page++;
    }
    return page;
}

uint16_t stage_limit(const struct ota *ota)
{
    if (OTA_ERASE_STALLS == 0) {
        return ota->places;
    }
    return (uint16_t)(first_not_blank(ota) * BLOCKS_PER_PAGE);
}

void stage_extend(struct ota *ota)
{
    uint16_t page = first_not_blank(ota);

    if (OTA_ERASE_STALLS == 0 || ota->front < page * BLOCKS_PER_PAGE) {
        return;
    }
    stage_flush(ota);
    for (uint8_t ahead = OTA_ERASE_AHEAD; ahead != 0U && page < pages_of(ota); page++) {
        if (!bit_get(ota->blank, page)) {
            ahead--;
            if (!erase_page(ota, page)) {
                void_page(ota, page);
                return;
            }
        }
    }
}

bool stage_gaps(const struct ota *ota, uint16_t start, uint8_t *gaps, uint16_t room, uint16_t *used)
{
    uint16_t place = start > ota->front ? start : ota->front;
    uint16_t first;

    for (*used = 0; place < ota->places; place++) {
        if (!bit_get(ota->held, place)) {
            if (room < *used + OTA_GAP_BYTES) {
                return true;
            }
            for (first = place; place < ota->places && !bit_get(ota->held, place);) {
                place++;
            }
            put_u16(gaps + *used + OTA_GAP_PLACE, first);
            put_u16(gaps + *used + OTA_GAP_COUNT, (uint16_t)(place - first));
            *used = (uint16_t)(*used + OTA_GAP_BYTES);
        }
    }
    return false;
}
