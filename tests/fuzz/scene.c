#include "scene.h"

#define RECORD_BODY 32U
#define SEAL_OFFSET 48U
#define KINDS 7U
#define PATCH_MOST 64U
#define PATCHES 6U

/* A loader counts generations from 1 and does not reach the end of 16 bits (firmware/DESIGN.md): no record has so high a one. */
#define GENERATION_MASK 0x7FFFU

static uint16_t secondary(const struct bench *bench)
{
    return bench->geometry.slot_pages;
}

void scene_slots(struct bench *bench, struct input *in)
{
    uint8_t which = take_u8(in);

    if ((which & 3U) != 0U)
        bench_place(bench, 0, bench_image(bench, (which & 3U) - 1U));
    if ((which & 4U) != 0U)
        bench_place(bench, (uint16_t)(secondary(bench) + ((which >> 3) & 1U)), bench_image(bench, (which >> 4) & 1U));
    if ((which & 0x20U) != 0U)
        board_flash(bench->board)[take_below(in, bench->geometry.page_bytes)] ^= 1U;
}

/* Names of images that are there, generation and kind as a loader writes them. */
static void make_plausible(struct bench *bench, uint8_t *body, uint8_t names)
{
    const struct image *old = bench_image(bench, names & 1U);
    const struct image *new = bench_image(bench, (names >> 1) & 1U);

    put_u16(body, (uint16_t)(1U + (get_u16(body) & 7U)));
    body[2] = (uint8_t)(body[2] % KINDS);
    put_u16(body + 4, (uint16_t)(get_u16(body + 4) % (2U * SLOT_MOST + 2U)));
    put_u16(body + 6, old->pages);
    put_u32(body + 8, old->crc);
    put_u16(body + 12, new->pages);
    put_u32(body + 14, new->crc);
}

static void put_record(struct bench *bench, struct input *in, uint8_t *unit, size_t unit_bytes)
{
    uint8_t how = take_u8(in);

    if ((how & 1U) == 0U)
        return; /* blank */
    (void)take_bytes(in, unit, RECORD_BODY);
    if ((how & 2U) != 0U)
        make_plausible(bench, unit, how >> 6);
    put_u16(unit, get_u16(unit) & GENERATION_MASK);
    if ((how & 4U) != 0U)
        put_u32(unit + 28, bench_crc(unit, 28));
    if ((how & 8U) != 0U)
        memset(unit + SEAL_OFFSET, 0, bench->geometry.mark_bytes);
    if ((how & 16U) != 0U)
        memset(unit + SEAL_OFFSET, 0, bench->geometry.mark_bytes * (1U + take_u8(in) % (2U * SLOT_MOST + 3U)));
    if ((how & 32U) != 0U)
        (void)take_bytes(in, unit + SEAL_OFFSET, unit_bytes - SEAL_OFFSET);
}

void scene_records(struct bench *bench, struct input *in)
{
    size_t bytes = (size_t)bench->geometry.record_pages * bench->geometry.page_bytes;
    uint8_t *records = board_flash(bench->board) + (2U * secondary(bench) + 1U) * (size_t)bench->geometry.page_bytes;

    put_record(bench, in, records, bytes);
    put_record(bench, in, records + bytes, bytes);
}

void scene_bytes(struct bench *bench, struct input *in)
{
    size_t bytes = board_flash_bytes(bench->board);
    uint32_t patches = take_below(in, PATCHES);

    for (; patches > 0U; patches--) {
        size_t at = take_u16(in) % bytes;
        size_t most = 1U + take_u8(in) % PATCH_MOST;

        (void)take_bytes(in, board_flash(bench->board) + at, most < bytes - at ? most : bytes - at);
    }
}

void scene_weak(struct bench *bench, struct input *in)
{
    struct flash *flash = &bench->board->flash;
    size_t bytes = board_flash_bytes(bench->board);
    uint32_t patches = take_below(in, PATCHES);

    for (; patches > 0U; patches--) {
        size_t at = take_u16(in) % bytes;
        size_t most = 1U + take_u8(in) % PATCH_MOST;
        uint8_t mask = take_u8(in);
        size_t end = most < bytes - at ? at + most : bytes;

        for (; at < end; at++) {
            flash->weak[at] |= mask;
            flash->page_weak[at / bench->geometry.page_bytes] = 1;
        }
    }
}
