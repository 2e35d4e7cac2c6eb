#include "stage.h"

#include <string.h>

#include "bits.h"
#include "image.h"
#include "record.h"
#include "sha256.h"

#define VOIDED_MAX 8U

#define BLOCKS_PER_PAGE ((uint16_t)(OTA_PAGE_BYTES / OTA_BLOCK_BYTES))
#define PIECE_BYTES (OTA_CHUNK_BYTES < OTA_SCRATCH_BYTES ? OTA_CHUNK_BYTES : OTA_SCRATCH_BYTES) /* of a chunk, in scratch */
#define AHEAD_BYTES (OTA_CHUNK_BYTES / 2U < SHA256_BLOCK_BYTES ? SHA256_BLOCK_BYTES : OTA_CHUNK_BYTES / 2U)
#define HELD_BYTES ((uint16_t)(BLOCKS_PER_PAGE / 8U)) /* of the map, a page: a page has 8 blocks or a multiple */

static uint16_t pages_of(const struct ota *ota)
{
    return get_u16(ota->manifest + OTA_MANIFEST_PAGES);
}

static uint16_t first_place(uint16_t page)
{
    return (uint16_t)(page * BLOCKS_PER_PAGE);
}

bool stage_single(const struct ota *ota)
{
    return (ota->manifest[OTA_MANIFEST_FLAGS] & OTA_FLAG_SINGLE_SLOT) != 0U;
}

OTA_CALLED uint16_t stage_page(const struct ota *ota, uint16_t page)
{
    return (uint16_t)(page + (stage_single(ota) ? OTA_PRIMARY_PAGE : OTA_SECONDARY_PAGE + 1U));
}

/* Single slot, known to be 0 where a build has none. */
static bool in_place(const struct ota *ota)
{
    return OTA_SINGLE_SLOT != 0 && stage_single(ota);
}

OTA_CALLED static void digest_restart(struct ota *ota)
{
    ota->hashed = 0;
    ota->hashed_bytes = 0;
    ota->ahead = 0;
    sha256_start(ota->digest);
}

/* In the single slot nothing but its mark tells a page that is whole from one that a cut tore and that reads right now. */
static void vouch(struct ota *ota, uint16_t page)
{
    if (in_place(ota) && page == ota->vouched && page < 2U * OTA_SLOT_PAGES && ota->record[RECORD_KIND] == RECORD_SINGLE &&
        record_mark(ota, MARK_STEP(page)) == OTA_OK) {
        ota->vouched++;
    }
}

/* The digest has come to `hashed_bytes`: perhaps to the end of a page. */
static void digested(struct ota *ota)
{
    if (ota->hashed_bytes == OTA_PAGE_BYTES) {
        ota->hashed_bytes = 0;
        vouch(ota, ota->hashed++);
    }
}

/* The first missing place moves up over what is held, and with it the state. */
static void advance(struct ota *ota)
{
    while (ota->front < ota->places && bit_get(ota->held, ota->front)) {
        ota->front++;
    }
    if (ota->front == ota->places) {
        stage_flush(ota);
    }
    if (ota->front == ota->places) {
        ota->transfer = OTA_TRANSFER_STATE_VERIFYING;
    }
}

void stage_continue(struct ota *ota)
{
    ota->transfer = OTA_TRANSFER_STATE_RECEIVING;
    digest_restart(ota);
    advance(ota);
}

/* After a restart: how far the marks go. Their presence is acted on, so the last is programmed again. */
static void count_vouched(struct ota *ota)
{
    uint16_t base = get_u16(ota->record + RECORD_BASE);

    ota->vouched = 0;
    ota->superseded = false;
    if (in_place(ota) && ota->record[RECORD_KIND] == RECORD_SINGLE) {
        ota->vouched = base;
        while (ota->vouched < 2U * OTA_SLOT_PAGES && record_marked(ota, MARK_STEP(ota->vouched))) {
            ota->vouched++;
        }
        if (ota->vouched > base && record_mark(ota, MARK_STEP(ota->vouched - 1U)) != OTA_OK) {
            ota->vouched = 0;
        }
    }
}

void stage_start(struct ota *ota)
{
    count_vouched(ota);
    ota->places = first_place(pages_of(ota));
    memset(ota->held, 0, (uint16_t)(pages_of(ota) * HELD_BYTES));
    memset(ota->blank, 0, (uint16_t)(pages_of(ota) + 7U) >> 3);
    ota->front = 0;
    ota->chunk_filled = 0;
    ota->map_valid = true;
    stage_continue(ota);
}

/* The page is lost: it is erased again at its next block. Not without end. */
static void void_page(struct ota *ota, uint16_t page)
{
    uint16_t first = first_place(page);

    memset(ota->held + page * HELD_BYTES, 0, HELD_BYTES);
    bit_clear(ota->blank, page);
    ota->front = ota->front < first ? ota->front : first;
    digest_restart(ota);
    ota->transfer = OTA_TRANSFER_STATE_FAILED;
    if (ota->voided < VOIDED_MAX) {
        ota->voided++;
        ota->transfer = OTA_TRANSFER_STATE_RECEIVING;
    }
}

/* In single-slot mode the running image is about to be destroyed: say so first, so that no half image is ever started. So
 * too before a page is erased that the record vouches for, or may come to vouch for: a mark that is absent may be weak. */
static bool gives_up_running(struct ota *ota, uint16_t page)
{
    if (!in_place(ota) || (ota->superseded && page >= ota->vouched)) {
        return true;
    }
    if (page < ota->vouched) {
        ota->vouched = page;
    }
    put_u16(ota->record + RECORD_OLD, 0);
    if (record_commit(ota, RECORD_SINGLE, ota->vouched) != OTA_OK) {
        return false;
    }
    ota->superseded = true;
    ota->boot = OTA_BOOT_STATE_NO_IMAGE;
    return true;
}

/* What comes before a page is erased. */
static bool claim_page(struct ota *ota, uint16_t page)
{
    port_feed();
    bit_set(ota->blank, page);
    return gives_up_running(ota, page);
}

/* True if flash holds what `chunk` has set; in one that is not whole, ones may belong to blocks programmed before. */
static bool chunk_took(struct ota *ota, uint16_t page, bool whole)
{
    for (uint16_t at = 0; at < OTA_CHUNK_BYTES; at++) {
        uint8_t i = (uint8_t)(at % PIECE_BYTES);

        if (i == 0U) {
            port_read(page, (uint16_t)(ota->chunk_offset + at), ota->scratch, PIECE_BYTES);
        }
        if (ota->scratch[i] != ota->chunk[at] && (whole || ota->chunk[at] != 0xFFU)) {
            return false;
        }
    }
    return true;
}

/* Digests a page in flash from `offset` up to `end`. */
OTA_CALLED static void digest_add(struct ota *ota, uint16_t page, uint16_t offset, uint16_t end)
{
    for (; offset < end; offset = (uint16_t)(offset + SHA256_BLOCK_BYTES)) {
        port_read(page, offset, ota->scratch, SHA256_BLOCK_BYTES);
        sha256_block(ota->digest, ota->scratch);
    }
}

/* True if a whole page waits to be digested: it is held, and so is all before it. */
static bool digest_waits(const struct ota *ota)
{
    return ota->hashed < pages_of(ota) && first_place((uint16_t)(ota->hashed + 1U)) <= ota->front;
}

/* Digests the next block from flash. */
static void digest_block(struct ota *ota)
{
    uint16_t offset = ota->hashed_bytes;

    ota->hashed_bytes = (uint16_t)(offset + SHA256_BLOCK_BYTES);
    digest_add(ota, stage_page(ota, ota->hashed), offset, ota->hashed_bytes);
    digested(ota);
}

/* Where the CPU runs on while flash is busy, the digest costs no time of its own: what the next erase or program shall
 * digest is in RAM before. In a chunk that is here whole, half of it, so that erase and program have their share; once it is
 * read back, flash holds the same. Where the digest lags behind, the next block of flash; not of the page that is written. */
static void look_ahead(struct ota *ota, bool whole)
{
    uint16_t within = (uint16_t)(ota->hashed_bytes - ota->chunk_offset);

    if (OTA_MEANWHILE != 0U && whole && ota->hashed == ota->chunk_page && within < OTA_CHUNK_BYTES) {
        ota->ahead_at = ota->chunk + within;
        ota->ahead = AHEAD_BYTES;
    } else if (OTA_MEANWHILE != 0U && ota->hashed != ota->chunk_page && digest_waits(ota)) {
        port_read(stage_page(ota, ota->hashed), ota->hashed_bytes, ota->scratch, SHA256_BLOCK_BYTES);
        ota->ahead_at = ota->scratch;
        ota->ahead = SHA256_BLOCK_BYTES;
    }
}

bool stage_meanwhile(struct ota *ota)
{
    if (ota->ahead == 0U) {
        return false;
    }
    sha256_block(ota->digest, ota->ahead_at);
    ota->ahead_at += SHA256_BLOCK_BYTES;
    ota->ahead = (uint16_t)(ota->ahead - SHA256_BLOCK_BYTES);
    ota->hashed_bytes = (uint16_t)(ota->hashed_bytes + SHA256_BLOCK_BYTES);
    return true;
}

static bool program_chunk(struct ota *ota)
{
    uint16_t page = stage_page(ota, ota->chunk_page);
    bool whole = ota->chunk_filled == OTA_CHUNK_BYTES;
    bool done = bit_get(ota->blank, ota->chunk_page);

    ota->chunk_filled = 0;
    if (!done) {
        done = claim_page(ota, ota->chunk_page);
        look_ahead(ota, whole);
        done = done && port_erase(page) == OTA_OK;
        if (ota->hashed != ota->chunk_page) {
            digested(ota);
        }
    }
    look_ahead(ota, whole);
    done = done && port_program(page, ota->chunk_offset, ota->chunk, OTA_CHUNK_BYTES) == OTA_OK;
    ota->ahead = 0; /* scratch is free again */
    if (!done || !chunk_took(ota, page, whole)) {
        return false;
    }
    digested(ota);
    return true;
}

void stage_flush(struct ota *ota)
{
    if (ota->chunk_filled != 0U && !program_chunk(ota)) {
        void_page(ota, ota->chunk_page);
    }
}

static void chunk_open(struct ota *ota, uint16_t page, uint16_t offset)
{
    if (ota->chunk_filled == 0U || ota->chunk_page != page || ota->chunk_offset != offset) {
        stage_flush(ota);
        ota->chunk_page = page;
        ota->chunk_offset = offset;
        memset(ota->chunk, 0xFF, OTA_CHUNK_BYTES);
    }
}

void stage_block(struct ota *ota, uint16_t place, const uint8_t *data)
{
    uint16_t offset = (uint16_t)((place % BLOCKS_PER_PAGE) * OTA_BLOCK_BYTES);
    uint16_t within = (uint16_t)(offset % OTA_CHUNK_BYTES);

    if (ota->transfer != OTA_TRANSFER_STATE_RECEIVING || bit_get(ota->held, place)) {
        return;
    }
    chunk_open(ota, (uint16_t)(place / BLOCKS_PER_PAGE), (uint16_t)(offset - within));
    memcpy(ota->chunk + within, data, OTA_BLOCK_BYTES);
    bit_set(ota->held, place);
    ota->chunk_filled = (uint16_t)(ota->chunk_filled + OTA_BLOCK_BYTES);
    if (ota->chunk_filled == OTA_CHUNK_BYTES) {
        stage_flush(ota);
    }
    advance(ota);
}

/* Uses up the digest of the image, which is begun anew after a survey. */
static bool page_agrees(struct ota *ota, uint16_t page, const uint8_t expected[4])
{
    port_feed();
    sha256_start(ota->digest);
    digest_add(ota, page, 0, OTA_PAGE_BYTES);
    sha256_end(ota->digest, OTA_PAGE_BYTES / SHA256_BLOCK_BYTES, ota->scratch);
    return memcmp(ota->scratch, expected, 4) == 0;
}

bool stage_survey(struct ota *ota, uint16_t page, const uint8_t digest[4])
{
    uint8_t *held = ota->held + page * HELD_BYTES;
    uint8_t all = held[0];

    for (uint16_t i = 0; i < HELD_BYTES; i++) {
        if (held[i] != all) {
            return false;
        }
    }
    if (all != 0U && all != 0xFFU) {
        return false;
    }
    /* Of what came before a restart only pages that are vouched for are believed; those held now are this boot's. */
    if ((!in_place(ota) || all != 0U || page < ota->vouched) && page_agrees(ota, stage_page(ota, page), digest)) {
        memset(held, 0xFF, HELD_BYTES);
        bit_set(ota->blank, page);
        return true;
    }
    if (all != 0U) {
        void_page(ota, page);
    }
    return false;
}

bool stage_busy(const struct ota *ota)
{
    bool alive = ota->transfer == OTA_TRANSFER_STATE_RECEIVING || ota->transfer == OTA_TRANSFER_STATE_VERIFYING;

    return alive && (ota->hashed == pages_of(ota) || digest_waits(ota));
}

static void conclude(struct ota *ota)
{
    uint32_t blocks = (uint32_t)ota->hashed * (OTA_PAGE_BYTES / SHA256_BLOCK_BYTES);

    ota->transfer = OTA_TRANSFER_STATE_DAMAGED;
    sha256_end(ota->digest, blocks, ota->scratch);
    if (memcmp(ota->scratch, ota->manifest + OTA_MANIFEST_SHA256, SHA256_BYTES) == 0) {
        ota->transfer = OTA_TRANSFER_STATE_VERIFIED;
    }
}

void stage_work(struct ota *ota)
{
    if (ota->hashed == pages_of(ota)) {
        conclude(ota);
        return;
    }
    if (ota->chunk_filled != 0U && ota->chunk_page == ota->hashed) {
        stage_flush(ota);
        return; /* the page may be void now */
    }
    digest_block(ota);
}

static uint16_t first_not_blank(const struct ota *ota)
{
    uint16_t page = 0;

    while (page < pages_of(ota) && bit_get(ota->blank, page)) {
        page++;
    }
    return page;
}

/* Pages that are erased at once for credit; 0: what comes meanwhile is received. An application receives nothing while
 * its flash is busy, and goes on in between. */
static uint8_t erase_ahead(const struct ota *ota)
{
    return (uint8_t)(ota->mode == OTA_MODE_LOADER ? OTA_ERASE_AHEAD : OTA_APP_ERASE_AHEAD);
}

uint16_t stage_limit(const struct ota *ota)
{
    if (erase_ahead(ota) == 0U) {
        return ota->places;
    }
    return first_place(first_not_blank(ota));
}

void stage_extend(struct ota *ota)
{
    uint16_t page = first_not_blank(ota);

    if (ota->front < first_place(page) || ota->transfer != OTA_TRANSFER_STATE_RECEIVING) {
        return; /* after a failure every erase would be one more of a page that is dead */
    }
    for (uint8_t ahead = erase_ahead(ota); ahead != 0U && page < pages_of(ota); page++) {
        if (!bit_get(ota->blank, page)) {
            ahead--;
            if (!claim_page(ota, page) || port_erase(stage_page(ota, page)) != OTA_OK) {
                void_page(ota, page);
                return;
            }
        }
    }
}
