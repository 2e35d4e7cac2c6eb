/* session.c: the deeds, each with its arguments from the input. */
#include "session.h"

#define DEEDS_MOST 24 /* a longer input takes longer and shows little more */
#define BLOCK 8U

/* Two sessions and none: enough for a stale one. */
static uint16_t draw_session(struct input *in)
{
    return (uint16_t)(take_u8(in) & 1U ? 8U : 7U);
}

static const struct image *draw_image(struct bench *bench, struct input *in)
{
    return bench_image(bench, take_below(in, IMAGES));
}

static void ask(struct bench *bench, uint8_t kind, uint16_t session, const uint8_t *body, size_t count)
{
    bench_say(bench, kind, session, body, count);
    bench_go_on(bench);
}

/* --- without sense --------------------------------------------------------------------------------------------------- */

void do_raw(struct bench *bench, struct input *in)
{
    uint8_t bytes[256];
    size_t count = take_bytes(in, bytes, take_u8(in));

    bench_say_raw(bench, bytes, count);
    bench_go_on(bench);
}

void do_frame(struct bench *bench, struct input *in)
{
    uint8_t body[256];
    uint8_t kind = take_u8(in);
    uint16_t session = draw_session(in);
    size_t count = take_bytes(in, body, take_u8(in));

    ask(bench, kind, session, body, count);
}

void do_time(struct bench *bench, struct input *in)
{
    bench_pass(bench, (uint64_t)take_u8(in) * 5000U);
    bench_go_on(bench);
}

void do_reset(struct bench *bench, struct input *in)
{
    (void)in;
    board_reset(bench->board);
    bench->reply_bytes = bench->geometry.frame_bytes;
    bench_pass(bench, 1000);
    bench_go_on(bench);
}

/* --- with sense ------------------------------------------------------------------------------------------------------- */

void do_offer(struct bench *bench, struct input *in)
{
    uint8_t manifest[OTA_MANIFEST_BYTES];
    uint8_t body[2U + OTA_MANIFEST_BYTES];
    const struct image *image = draw_image(bench, in);
    uint16_t session = draw_session(in);
    size_t least = bench->geometry.frame_bytes - 10U;
    size_t part = 1U + take_u8(in) % OTA_MANIFEST_BYTES;
    uint8_t flaw = take_u8(in);
    size_t at;

    memcpy(manifest, image->manifest, sizeof manifest);
    if (flaw != 0)
        manifest[take_u8(in) % OTA_MANIFEST_BYTES] ^= flaw;
    if (manifest[OTA_MANIFEST_FLAGS] != 0)
        bench->given_up = true;
    part = part < 10U ? 10U : part;
    part = part < least ? part : least;
    for (at = 0; at < sizeof manifest; at += part) {
        size_t count = sizeof manifest - at < part ? sizeof manifest - at : part;

        put_u16(body, (uint16_t)at);
        memcpy(body + 2, manifest + at, count);
        ask(bench, OTA_KIND_OFFER, session, body, 2U + count);
    }
}

/* As many blocks from `place` on as fit a frame, or `most`. */
static size_t say_blocks(struct bench *bench, const struct image *image, uint16_t session, size_t place, size_t most,
                         uint8_t flaw)
{
    uint8_t body[2U + FRAME_MOST];
    size_t places = (size_t)image->pages * bench->geometry.page_bytes / BLOCK;
    size_t count = (bench->geometry.frame_bytes - 10U) / BLOCK;

    count = count < most ? count : most;
    count = place + count > places ? places - place : count;
    put_u16(body, (uint16_t)place);
    memcpy(body + 2, image->span + place * BLOCK, count * BLOCK);
    body[2] ^= flaw;
    ask(bench, (flaw & 1U) != 0U ? OTA_KIND_BLOCK_REPORT : OTA_KIND_BLOCK, session, body, 2U + count * BLOCK);
    return count;
}

void do_blocks(struct bench *bench, struct input *in)
{
    const struct image *image = draw_image(bench, in);
    uint16_t session = draw_session(in);
    size_t places = (size_t)image->pages * bench->geometry.page_bytes / BLOCK;
    size_t place = take_u8(in) % places;
    uint8_t most = take_u8(in);

    (void)say_blocks(bench, image, session, place, 1U + most % 32U, take_u8(in));
}

void do_image(struct bench *bench, struct input *in)
{
    const struct image *image = draw_image(bench, in);
    uint16_t session = draw_session(in);
    uint8_t order = take_u8(in);
    size_t places = (size_t)image->pages * bench->geometry.page_bytes / BLOCK;
    size_t runs = (places + 7U) / 8U;
    uint8_t nothing[2] = {0};
    size_t i;

    for (i = 0; i < runs; i++) {
        size_t run = (order & 1U) != 0U ? runs - 1U - i : i;

        size_t said = say_blocks(bench, image, session, run * 8U, 8U, 0);
        while (said < 8U && run * 8U + said < places)
            said += say_blocks(bench, image, session, run * 8U + said, 8U - said, 0);
        if (bench->geometry.erase_stalls != 0U)
            ask(bench, OTA_KIND_REPORT, session, nothing, 2); /* for credit */
    }
}

void do_report(struct bench *bench, struct input *in)
{
    uint8_t body[2] = {take_u8(in), 0};

    ask(bench, OTA_KIND_REPORT, draw_session(in), body, 2);
}

/* With digests that do not agree: no image here has pages of zeros for digests. */
void do_survey(struct bench *bench, struct input *in)
{
    uint8_t body[2U + 4U * 9U] = {take_u8(in), 0};
    uint16_t session = draw_session(in);
    size_t count = take_u8(in) % 10U;

    count = 4U * count < bench->geometry.frame_bytes - 10U ? count : 2U;
    (void)take_bytes(in, body + 2, 4U * count);
    ask(bench, OTA_KIND_SURVEY, session, body, 2U + 4U * count);
}

void do_apply(struct bench *bench, struct input *in)
{
    uint8_t nothing = 0;

    ask(bench, OTA_KIND_APPLY, draw_session(in), &nothing, 0);
}

void do_decision(struct bench *bench, struct input *in)
{
    uint8_t crc[4];
    uint8_t kind = take_u8(in);

    put_u32(crc, draw_image(bench, in)->crc);
    ask(bench, (kind & 1U) != 0U ? OTA_KIND_REVERT : OTA_KIND_CONFIRM, 7, crc, sizeof crc);
}

void do_restart(struct bench *bench, struct input *in)
{
    uint8_t kind = (take_u8(in) & 1U) != 0U ? OTA_KIND_REBOOT : OTA_KIND_ENTER;

    ask(bench, kind, 7, bench->geometry.uid, sizeof bench->geometry.uid);
}

void do_confirm_itself(struct bench *bench, struct input *in)
{
    (void)in;
    if (board_app_confirm(bench->board) != 0)
        bench_pass(bench, 0); /* it may have ended in a cut */
    bench_go_on(bench);
}

/* --- faults ------------------------------------------------------------------------------------------------------------- */

void do_cut(struct bench *bench, struct input *in)
{
    uint8_t how = take_u8(in);
    uint8_t after = take_u8(in);

    bench->weak = (enum board_weak)((how >> 2) % 3U);
    board_reseed(bench->board, how);
    if ((how & 3U) == 0U) {
        bench_power_on(bench, bench->weak);
        bench_go_on(bench);
        return;
    }
    board_plan_cut(bench->board, board_operations(bench->board) + after % 64U, (enum board_cut)(how & 3U));
}

void do_read_error(struct bench *bench, struct input *in)
{
    uint16_t page = (uint16_t)take_below(in, bench->board->flash.pages);
    uint16_t offset = (uint16_t)take_below(in, bench->geometry.page_bytes);

    bench->read_error = true;
    board_plan_read_error(bench->board, page, offset, (uint8_t)(1U << (take_u8(in) & 7U)));
}

void do_wear(struct bench *bench, struct input *in)
{
    uint16_t page = (uint16_t)take_below(in, bench->board->flash.pages);

    bench->worn = true;
    board_wear_out(bench->board, page, (enum board_wear)(1U + (take_u8(in) & 1U)));
}

void bench_play(struct bench *bench, struct input *in, deed *const *deeds, uint32_t count)
{
    int done;

    for (done = 0; done < DEEDS_MOST && in->left > 0; done++)
        deeds[take_below(in, count)](bench, in);
}
