/* images.c: what a bench offers and what lies in its slots: spans that end in a trailer, and their manifests. */
#include <string.h>

#include "bench.h"
#include "random.h"
#include "sha256.h"

#define COUNTER_OF_LAST 0xFFFFFFFFUL /* no counter that a record may state is higher */

static uint32_t crc_of_byte(uint32_t crc)
{
    int bit;

    for (bit = 0; bit < 8; bit++)
        crc = (crc >> 1) ^ ((crc & 1U) != 0U ? 0xEDB88320U : 0U);
    return crc;
}

uint32_t bench_crc(const uint8_t *bytes, size_t count)
{
    static uint32_t table[256];
    uint32_t crc = 0xFFFFFFFFU;
    size_t i;

    for (i = 0; table[1] == 0U && i < 256U; i++)
        table[255U - i] = crc_of_byte((uint32_t)(255U - i)); /* the entry that is asked for above comes last */
    for (i = 0; i < count; i++)
        crc = table[(crc ^ bytes[i]) & 0xFFU] ^ (crc >> 8);
    return ~crc;
}

static void put_trailer(const struct bench *bench, struct image *image, uint32_t counter, uint16_t flags)
{
    size_t bytes = (size_t)image->pages * bench->geometry.page_bytes;
    uint8_t *trailer = image->span + bytes - OTA_TRAILER_BYTES;

    put_u32(trailer + OTA_TRAILER_MAGIC, OTA_TRAILER_MAGIC_VALUE);
    put_u32(trailer + OTA_TRAILER_IMAGE_BYTES, (uint32_t)(bytes - OTA_TRAILER_BYTES));
    put_u32(trailer + OTA_TRAILER_COUNTER, counter);
    put_u32(trailer + OTA_TRAILER_BOARD_CRC, bench_crc(bench->geometry.board, sizeof bench->geometry.board));
    put_u16(trailer + OTA_TRAILER_PAGES, image->pages);
    put_u16(trailer + OTA_TRAILER_FLAGS, flags);
    image->crc = bench_crc(image->span, bytes - 4U);
    put_u32(trailer + OTA_TRAILER_IMAGE_CRC, image->crc);
}

/* By the core's own routine: tests/firmware holds it against another. */
static void put_digest(struct bench *bench, const struct image *image, uint8_t *to)
{
    uint32_t blocks = (uint32_t)image->pages * bench->geometry.page_bytes / SHA256_BLOCK_BYTES;
    uint32_t digest[8];
    uint32_t i;

    current_board = bench->board; /* it is charged for */
    port_geometry = &bench->board->geometry;
    sha256_start(digest);
    for (i = 0; i < blocks; i++)
        sha256_block(digest, image->span + (size_t)i * SHA256_BLOCK_BYTES);
    sha256_end(digest, blocks, to);
}

static void put_manifest(struct bench *bench, struct image *image, uint32_t counter, uint16_t flags)
{
    const struct ota_geometry *g = &bench->geometry;
    uint8_t *m = image->manifest;

    memset(m, 0, OTA_MANIFEST_BYTES);
    m[OTA_MANIFEST_FORMAT] = OTA_MANIFEST_FORMAT_VALUE;
    put_u16(m + OTA_MANIFEST_FLAGS, flags);
    memcpy(m + OTA_MANIFEST_BOARD, g->board, sizeof g->board);
    put_u32(m + OTA_MANIFEST_COUNTER, counter);
    put_u32(m + OTA_MANIFEST_SLOT_BASE, g->slot_base);
    put_u32(m + OTA_MANIFEST_IMAGE_BYTES, (uint32_t)image->pages * g->page_bytes - OTA_TRAILER_BYTES);
    put_u16(m + OTA_MANIFEST_PAGES, image->pages);
    put_u16(m + OTA_MANIFEST_PAGE_BYTES, g->page_bytes);
    put_u32(m + OTA_MANIFEST_IMAGE_CRC, image->crc);
    put_digest(bench, image, m + OTA_MANIFEST_SHA256);
}

static uint16_t pages_of(const struct bench *bench, uint32_t number, bool single)
{
    uint16_t slot = bench->geometry.slot_pages;
    uint16_t pages[IMAGES + 1U] = {1, slot, (uint16_t)((slot + 1U) / 2U), slot, slot};

    return single ? (uint16_t)(2U * slot + 1U) : pages[number];
}

struct image *bench_image(struct bench *bench, uint32_t number)
{
    struct image *image = &bench->images[number];
    bool single = number == IMAGES - 1U && bench->geometry.single_slot != 0U;
    uint32_t counter = number == LAST_IMAGE ? COUNTER_OF_LAST : number / 2U;
    uint64_t state = number;
    size_t i;

    if (image->pages != 0U)
        return image;
    image->pages = pages_of(bench, number, single);
    for (i = 0; i < (size_t)image->pages * bench->geometry.page_bytes; i++)
        image->span[i] = (uint8_t)random_next(&state);
    put_trailer(bench, image, counter, single ? OTA_FLAG_SINGLE_SLOT : 0U);
    put_manifest(bench, image, counter, single ? OTA_FLAG_SINGLE_SLOT : 0U);
    return image;
}

void bench_place(struct bench *bench, uint16_t page, const struct image *image)
{
    memcpy(board_flash(bench->board) + (size_t)page * bench->geometry.page_bytes, image->span,
           (size_t)image->pages * bench->geometry.page_bytes);
}
