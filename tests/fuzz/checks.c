/* checks.c: what must hold, seen from outside the core: CRCs of its own over the cells as they read in this boot, and words. */
#include "bench.h"

#define SEAL_OFFSET 48U
#define RECORD_BODY 32U
#define SESSION 0x5EED
#define PUSH_ROUNDS 400

/* --- the cells ---------------------------------------------------------------------------------------------------------- */

/* An image as the record names it. */
struct named {
    uint16_t pages;
    uint32_t crc;
};

/* As they read now: a copy of the flash, so that nothing is drawn from the board's own chance. */
static void read_now(const struct bench *bench, uint32_t page, uint32_t offset, uint8_t *to, uint32_t count)
{
    struct flash cells = bench->board->flash;

    cells.wrong_mask = 0;
    flash_read(&cells, page, offset, to, count);
}

/* False where a weak cell may read otherwise the next time. */
static bool reads_the_same(const struct bench *bench)
{
    const struct flash *flash = &bench->board->flash;

    if (bench->read_error)
        return false;
    if (bench->weak != BOARD_WEAK_FLICKER && bench->weak != BOARD_WEAK_WHOLE)
        return true;
    return memchr(flash->page_weak, 1, flash->pages) == NULL;
}

static struct named name_at(const uint8_t *record, size_t offset)
{
    return (struct named){.pages = get_u16(record + offset), .crc = get_u32(record + offset + 2U)};
}

static uint16_t single_pages(const struct bench *bench)
{
    return (uint16_t)(2U * bench->geometry.slot_pages + 1U);
}

/* The CRC stands in the last four bytes and is not looked at there: the name says what it is. */
static bool lies_whole(const struct bench *bench, struct named image)
{
    uint8_t span[SPAN_MOST];
    uint32_t size = bench->geometry.page_bytes;
    uint32_t page;

    if (image.pages == 0U || image.pages > single_pages(bench))
        return false;
    for (page = 0; page < image.pages; page++)
        read_now(bench, page, 0, span + page * size, size);
    return bench_crc(span, image.pages * size - 4U) == image.crc;
}

/* A swap of something within the slots, or an image within the flash. */
static bool is_possible(const struct bench *bench, const uint8_t *body)
{
    bool swap = body[2] == 2U || body[2] == 4U;
    uint16_t most = swap ? bench->geometry.slot_pages : single_pages(bench);

    return (!swap || name_at(body, 12).pages != 0U) && ((!swap && body[2] >= 4U) || name_at(body, 6).pages <= most) &&
           ((!swap && body[2] < 4U) || name_at(body, 12).pages <= most);
}

/* Body, CRC and seal of a record unit; false if one of them is not right, or says what no loader writes. */
static bool read_record(const struct bench *bench, uint32_t unit, uint8_t *body)
{
    uint32_t page = single_pages(bench) + unit * bench->geometry.record_pages;
    uint8_t seal;

    read_now(bench, page, 0, body, RECORD_BODY);
    read_now(bench, page + SEAL_OFFSET / bench->geometry.page_bytes, SEAL_OFFSET % bench->geometry.page_bytes, &seal, 1);
    return get_u16(body) != 0U && is_possible(bench, body) && get_u32(body + 28) == bench_crc(body, 28) &&
           (seal & (uint8_t)(seal - 1U)) == 0U; /* one bit of a mark may stick */
}

static struct named trailer_says(const struct bench *bench)
{
    uint32_t size = bench->geometry.page_bytes;
    uint8_t trailer[OTA_TRAILER_BYTES];
    struct named image = {.pages = single_pages(bench)};

    for (; image.pages > 0U; image.pages--) {
        read_now(bench, image.pages - 1U, size - OTA_TRAILER_BYTES, trailer, OTA_TRAILER_BYTES);
        image.crc = get_u32(trailer + OTA_TRAILER_IMAGE_CRC);
        if (get_u32(trailer) == OTA_TRAILER_MAGIC_VALUE && get_u16(trailer + OTA_TRAILER_PAGES) == image.pages &&
            lies_whole(bench, image))
            break;
    }
    return image;
}

/* --- the jump ----------------------------------------------------------------------------------------------------------- */

static bool is_approved(struct bench *bench, struct named image)
{
    uint32_t i;

    for (i = 0; i <= IMAGES; i++) {
        const struct image *one = bench_image(bench, i);

        if (one->pages == image.pages && one->crc == image.crc)
            return true;
    }
    return !bench->only_approved;
}

static bool may_start(struct bench *bench, struct named image)
{
    return lies_whole(bench, image) && is_approved(bench, image);
}

/* The image that the standing record wants to run; pages 0: it wants none. */
static struct named wanted(const uint8_t *record)
{
    if (record[2] == 3U)
        return (struct named){.pages = 0};
    return name_at(record, record[2] >= 4U ? 12U : 6U);
}

void check_jump(struct bench *bench)
{
    uint8_t record[2][RECORD_BODY];
    bool valid[2] = {read_record(bench, 0, record[0]), read_record(bench, 1, record[1])};
    bool second = valid[1] && (!valid[0] || get_u16(record[1]) > get_u16(record[0]));

    if (!reads_the_same(bench))
        return; /* what the core saw is not there any more */
    must(bench, may_start(bench, valid[0] || valid[1] ? wanted(record[second ? 1 : 0]) : trailer_says(bench)),
         "the CPU was handed to what is not the whole image that the record names");
}

/* --- life --------------------------------------------------------------------------------------------------------------- */

/* Asks the loader or the application; a board that leaves at that very moment is asked again. */
static bool inspect(struct bench *bench, uint8_t offset)
{
    uint8_t body[OTA_INSPECT_REQ_BYTES] = {0xFF, 0xFF, offset};
    static const uint8_t end = 0;
    int tries;

    for (tries = 0; tries < 4; tries++) {
        bench_say_raw(bench, &end, 1); /* ends what a drawn frame may have begun */
        bench_go_on(bench);
        bench_say(bench, OTA_KIND_INSPECT, 1, body, sizeof body);
        if (bench_answer(bench, OTA_KIND_INSPECT) >= 0)
            return true;
        bench_go_on(bench);
    }
    return false;
}

void check_alive(struct bench *bench)
{
    must(bench, inspect(bench, 0), "nobody answers Inspect");
}

/* A byte of the info record, wherever the frames of this board end. */
static uint8_t info_byte(struct bench *bench, uint8_t field)
{
    must(bench, inspect(bench, field), "nobody answers Inspect");
    return bench->reply[OTA_HEADER_BYTES + OTA_INSPECT_REP_PART];
}

static uint32_t info_u32(struct bench *bench, uint8_t field)
{
    must(bench, inspect(bench, field), "nobody answers Inspect");
    return get_u32(bench->reply + OTA_HEADER_BYTES + OTA_INSPECT_REP_PART);
}

/* --- the next push -------------------------------------------------------------------------------------------------------- */

/* A program answers no Enter in its first 3 s. */
static void enter_loader(struct bench *bench)
{
    bench_say(bench, OTA_KIND_ENTER, SESSION, bench->geometry.uid, sizeof bench->geometry.uid);
    if (bench_answer(bench, OTA_KIND_ENTER) != OTA_REASON_OK) {
        bench_pass(bench, 3100000);
        bench_say(bench, OTA_KIND_ENTER, SESSION, bench->geometry.uid, sizeof bench->geometry.uid);
    }
    bench_go_on(bench);
    bench_say(bench, OTA_KIND_ENTER, SESSION, bench->geometry.uid, sizeof bench->geometry.uid);
    must(bench, bench_answer(bench, OTA_KIND_ENTER) == OTA_REASON_OK, "the loader is not entered");
}

/* Given up by the name that Inspect shows; or, where the record has another name for it, boot by boot. */
static void end_trial(struct bench *bench)
{
    uint8_t crc[4];
    int boots;

    for (boots = 0; info_byte(bench, OTA_INFO_BOOT_STATE) == OTA_BOOT_STATE_TRIAL; boots++) {
        must(bench, boots <= bench->geometry.trials + 1, "a trial does not end");
        put_u32(crc, info_u32(bench, OTA_INFO_IMAGE_CRC));
        bench_say(bench, OTA_KIND_REVERT, SESSION, crc, sizeof crc);
        if (bench_answer(bench, OTA_KIND_REVERT) != OTA_REASON_OK)
            bench_pass(bench, 1000000);
        bench_go_on(bench);
        bench_power_on(bench, bench->weak);
        bench_go_on(bench);
        enter_loader(bench);
    }
}

/* Parts that fit the frame; returns the reason of the last. */
static int offer(struct bench *bench, const struct image *image)
{
    uint8_t body[FRAME_MOST];
    size_t most = bench->geometry.frame_bytes - OTA_HEADER_BYTES - OTA_CRC_BYTES - OTA_OFFER_REQ_BYTES;
    size_t at = 0;
    int reason = OTA_REASON_OK;

    while (at < OTA_MANIFEST_BYTES && reason == OTA_REASON_OK) {
        size_t count = OTA_MANIFEST_BYTES - at < most ? OTA_MANIFEST_BYTES - at : most;

        put_u16(body, (uint16_t)at);
        memcpy(body + OTA_OFFER_REQ_PART, image->manifest + at, count);
        bench_say(bench, OTA_KIND_OFFER, SESSION, body, OTA_OFFER_REQ_BYTES + count);
        reason = bench_answer(bench, OTA_KIND_OFFER);
        at += count;
    }
    return reason;
}

/* Sends what the report misses first, a frame at a time, until it misses none and the digest is made; returns the state. */
static int send_missing(struct bench *bench, const struct image *image)
{
    uint8_t body[FRAME_MOST] = {0};
    const uint8_t *report = bench->reply + OTA_HEADER_BYTES;
    uint16_t most = (uint16_t)((bench->geometry.frame_bytes - 10U) / 8U);
    uint16_t count = 0;
    int rounds;

    for (rounds = 0; rounds < PUSH_ROUNDS; rounds++) {
        bench_say(bench, count == 0U ? OTA_KIND_REPORT : OTA_KIND_BLOCK_REPORT, SESSION, body, 2U + 8U * count);
        must(bench, bench_answer(bench, OTA_KIND_REPORT) >= 0, "a session is lost without a cause");
        if (bench->reply_count < OTA_HEADER_BYTES + OTA_REPORT_REP_BYTES + OTA_GAP_BYTES) {
            if (count == 0U)
                break;
            count = 0; /* once more, when the digest is made */
            put_u16(body, 0);
            continue;
        }
        count = get_u16(report + OTA_REPORT_REP_GAPS + OTA_GAP_COUNT);
        count = count < most ? count : most;
        memcpy(body, report + OTA_REPORT_REP_GAPS, 2);
        memcpy(body + 2, image->span + 8U * get_u16(body), 8U * count);
    }
    return report[OTA_REPORT_REP_STATE] & (OTA_REPORT_MORE - 1U);
}

void check_next_push(struct bench *bench)
{
    const struct image *image = bench_image(bench, LAST_IMAGE);
    struct named name = {.pages = image->pages, .crc = image->crc};
    int reason;

    if (!bench->pushes)
        return;
    enter_loader(bench);
    end_trial(bench);
    reason = offer(bench, image);
    if (reason == OTA_REASON_SLOT_IN_USE)
        return; /* that is so for every image of two slots */
    must(bench, reason == OTA_REASON_OK, "the next offer is refused");
    must(bench, send_missing(bench, image) == OTA_TRANSFER_STATE_VERIFIED, "the next image is not verified");
    bench_say(bench, OTA_KIND_APPLY, SESSION, image->span, 0);
    must(bench, bench_answer(bench, OTA_KIND_APPLY) == OTA_REASON_OK, "the next image is not applied");
    must(bench, bench->event == BOARD_JUMPED && lies_whole(bench, name), "the next image does not run");
}

void check_not_nothing(struct bench *bench)
{
    bench_power_on(bench, bench->weak);
    if (bench->event == BOARD_IDLE || bench->event == BOARD_TIME)
        bench_pass(bench, 100000);
    must(bench, bench->event == BOARD_JUMPED, "no image runs any more");
}
