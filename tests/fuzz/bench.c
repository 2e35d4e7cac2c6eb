/* bench.c: power, time and words. What is looked at beside them stands in checks.c. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

#define LINE_NS 1000U
#define ANSWER_US 5000000U
#define WIRE_MOST (FRAME_MOST + 16U)
#define SENT_MOST 2048U

void must(const struct bench *bench, bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "finding: %s; event %d, rule \"%s\", boot state %u\n", what, (int)bench->event,
            board_rule(bench->board), (unsigned)bench->board->ota.boot);
    abort();
}

/* --- the board ------------------------------------------------------------------------------------------------------ */

/* Few small pages: what matters is what lies beside what, and small flash is fast. */
static void draw_geometry(struct ota_geometry *g, struct input *in)
{
    static const uint16_t frames[4] = {FRAME_MOST, 64, 20, FRAME_MOST};
    uint8_t sizes = take_u8(in);
    uint8_t units = take_u8(in);
    uint32_t marks;

    *g = (struct ota_geometry){
        .board = "fuzzed", .uid = "ABCDEFG", .slot_base = 0x1000, .block_bytes = 8, .stall_ms = 5,
        .entry_window_ms = 50, .stay_ms = 400, .swap_page_ms = 10, .erase_ahead = 1,
    };
    g->page_bytes = (sizes & 0x81U) == 0x81U ? PAGE_MOST : 64U;
    g->slot_pages = (uint16_t)(1U + (sizes >> 1) % SLOT_MOST);
    g->frame_bytes = frames[(sizes >> 3) & 3U];
    g->single_slot = (sizes >> 5) & 1U;
    g->chunk_bytes = (sizes & 0x40U) != 0U ? g->page_bytes : 32U;
    g->write_bytes = (uint16_t)(1U << (units & 3U));
    g->mark_bytes = (uint16_t)(1U << ((units >> 2) & 3U));
    g->trials = (uint8_t)(1U + ((units >> 4) & 1U));
    g->erase_stalls = (units >> 5) & 1U;
    marks = 48U + g->mark_bytes * (1U + 2U * g->slot_pages + 16U);
    g->record_pages = (uint16_t)((marks + g->page_bytes - 1U) / g->page_bytes);
}

void bench_open(struct bench *bench, struct input *in)
{
    struct board_costs costs = {
        .erase_page_ns = 1000000, .program_chunk_ns = 100000, .program_unit_ns = 1000, .read_byte_ns = 100,
        .crc_byte_ns = 100, .sha_block_ns = 10000, .byte_ns = 100, .send_byte_ns = LINE_NS, .rx_ring_bytes = 1024,
        .rx_in_program = 1,
    };

    memset(bench, 0, sizeof *bench);
    draw_geometry(&bench->geometry, in);
    bench->pushes = (take_u8(in) & 1U) != 0U;
    costs.rx_in_erase = bench->geometry.erase_stalls == 0U;
    bench->board = board_new(&bench->geometry, &costs, 1);
    if (bench->board == NULL)
        exit(0); /* no memory: nothing was found */
}

void bench_close(struct bench *bench)
{
    board_free(bench->board);
}

/* --- power and time --------------------------------------------------------------------------------------------------- */

static void run_until(struct bench *bench, uint64_t until_us)
{
    bench->event = board_run(bench->board, until_us);
    must(bench, bench->event != BOARD_RULE, "the core broke a rule of the flash");
    must(bench, bench->event != BOARD_STUCK, "the core does not come to an end");
    if (bench->event == BOARD_JUMPED)
        check_jump(bench);
}

static bool stays(const struct bench *bench)
{
    return bench->event == BOARD_IDLE || bench->event == BOARD_TIME;
}

void bench_pass(struct bench *bench, uint64_t us)
{
    uint64_t until = board_now_us(bench->board) + us;

    do
        run_until(bench, until);
    while (stays(bench) && board_now_us(bench->board) < until);
}

static uint16_t first_reply_bytes(const struct bench *bench)
{
    return bench->geometry.frame_bytes < 100U ? bench->geometry.frame_bytes : 100U;
}

void bench_power_on(struct bench *bench, enum board_weak weak)
{
    bench->weak = weak;
    bench->read_error = false;
    bench->reply_bytes = first_reply_bytes(bench);
    board_power_on(bench->board, weak);
    bench_pass(bench, 1000);
}

void bench_go_on(struct bench *bench)
{
    int times;

    for (times = 0; !stays(bench); times++) {
        must(bench, times < 8, "the board restarts again and again");
        bench->reply_bytes = first_reply_bytes(bench);
        if (bench->event == BOARD_CUT) {
            bench_power_on(bench, bench->weak);
            continue;
        }
        if (bench->event == BOARD_JUMPED)
            board_app_start(bench->board, 0);
        bench_pass(bench, 1000);
    }
}

/* --- words -------------------------------------------------------------------------------------------------------------- */

static size_t cobs(const uint8_t *frame, size_t count, uint8_t *to)
{
    size_t code = 0;
    size_t out = 1;
    size_t i;

    for (i = 0; i < count; i++) {
        if (frame[i] != 0)
            to[out++] = frame[i];
        if (frame[i] == 0 || out - code == 255) {
            to[code] = (uint8_t)(out - code);
            code = out++;
        }
    }
    to[code] = (uint8_t)(out - code);
    to[out++] = 0;
    return out;
}

/* Returns the bytes of the frame, 0 if it is none. */
static size_t cobs_undone(const uint8_t *wire, size_t count, uint8_t *frame, size_t most)
{
    size_t at = 0;
    size_t out = 0;

    while (at < count) {
        uint8_t code = wire[at++];
        uint8_t run;

        for (run = 1; run < code; run++) {
            if (at == count || out == most)
                return 0;
            frame[out++] = wire[at++];
        }
        if (code != 255 && at < count) {
            if (out == most)
                return 0;
            frame[out++] = 0;
        }
    }
    return out;
}

static void take_reply(struct bench *bench, const uint8_t *wire, size_t count)
{
    size_t frame = cobs_undone(wire, count, bench->reply, sizeof bench->reply);

    must(bench, frame >= OTA_HEADER_BYTES + OTA_CRC_BYTES, "what the board sent is no frame");
    must(bench, get_u32(bench->reply + frame - OTA_CRC_BYTES) == bench_crc(bench->reply, frame - OTA_CRC_BYTES),
         "a frame of the board has a wrong CRC");
    must(bench, (bench->reply[OTA_HEADER_KIND] & OTA_KIND_REPLY) != 0U, "a device spoke as a host");
    must(bench, frame <= bench->geometry.frame_bytes, "a reply is longer than any frame of this board");
    bench->reply_count = frame - OTA_CRC_BYTES;
}

/* A cut leaves half a frame; nothing else does. */
static void hear(struct bench *bench)
{
    uint8_t sent[SENT_MOST];
    size_t count = 0;
    size_t first = 0;
    uint64_t at_us;
    size_t got;

    bench->reply_count = 0;
    while ((got = board_sent(bench->board, sent + count, sizeof sent - count, &at_us)) != 0)
        count += got;
    if (bench->event == BOARD_CUT || count == sizeof sent)
        return;
    for (got = 0; got < count; got++) {
        if (sent[got] == 0) {
            take_reply(bench, sent + first, got - first);
            first = got + 1;
        }
    }
    must(bench, first == count, "the board left a frame without an end");
}

void bench_say_raw(struct bench *bench, const uint8_t *bytes, size_t count)
{
    uint64_t now = board_now_us(bench->board);

    (void)board_receive(bench->board, now, bytes, count);
    run_until(bench, now + count * LINE_NS / 1000U + ANSWER_US);
    bench->reply_bytes = bench->geometry.frame_bytes; /* an Inspect may have been among it */
    hear(bench);
}

static bool leaves_flash_alone(const struct bench *bench, uint8_t kind, bool application, bool chunk_waits)
{
    int offered = bench_answer(bench, OTA_KIND_OFFER);

    if (kind == OTA_KIND_INSPECT || bench_answer(bench, OTA_KIND_REFUSED) >= 0)
        return true;
    if (application)
        return kind != OTA_KIND_CONFIRM && kind != OTA_KIND_REVERT;
    /* A new offer first programs what the one before has left in the chunk. */
    return offered > OTA_REASON_OK && offered != OTA_REASON_FLASH_FAILED && !chunk_waits;
}

static void judge_reply(struct bench *bench, uint8_t kind, uint16_t session)
{
    uint8_t answered = bench->reply[OTA_HEADER_KIND];

    if (bench->reply_count == 0)
        return;
    if (kind >= OTA_KIND_BLOCK_REPORT && kind < OTA_KIND_REFUSED)
        kind = OTA_KIND_REPORT;
    must(bench, get_u16(bench->reply + OTA_HEADER_SESSION) == session, "a reply names another session");
    must(bench, bench->reply[OTA_HEADER_SERIAL] == bench->serial, "a reply has another serial");
    must(bench, answered == (kind | OTA_KIND_REPLY) || answered == (OTA_KIND_REFUSED | OTA_KIND_REPLY),
         "a reply answers another kind");
    must(bench, bench->reply_count + OTA_CRC_BYTES <= bench->reply_bytes, "a reply is longer than the host takes");
}

/* An Inspect says how long its reply, and every later one, may be. */
static void note_reply_bytes(struct bench *bench, uint8_t kind, const uint8_t *body, size_t count)
{
    uint16_t most;

    if (kind != OTA_KIND_INSPECT || count != OTA_INSPECT_REQ_BYTES)
        return;
    most = get_u16(body);
    if (bench_answer(bench, OTA_KIND_INSPECT) < 0)
        return;
    most = most < OTA_FRAME_LEAST ? OTA_FRAME_LEAST : most;
    bench->reply_bytes = most < bench->geometry.frame_bytes ? most : bench->geometry.frame_bytes;
}

void bench_say(struct bench *bench, uint8_t kind, uint16_t session, const uint8_t *body, size_t count)
{
    uint8_t frame[FRAME_MOST + 64U];
    uint8_t wire[WIRE_MOST + 64U];
    uint32_t operations = board_operations(bench->board);
    bool application = bench->board->mode == BOARD_APP;
    bool chunk_waits = bench->board->ota.chunk_filled != 0U;
    uint64_t now = board_now_us(bench->board);
    size_t wired;

    count = count < FRAME_MOST + 32U ? count : FRAME_MOST + 32U;
    frame[OTA_HEADER_KIND] = kind;
    put_u16(frame + OTA_HEADER_SESSION, session);
    frame[OTA_HEADER_SERIAL] = ++bench->serial;
    if (count > 0)
        memcpy(frame + OTA_HEADER_BYTES, body, count);
    put_u32(frame + OTA_HEADER_BYTES + count, bench_crc(frame, OTA_HEADER_BYTES + count));
    wired = cobs(frame, OTA_HEADER_BYTES + count + OTA_CRC_BYTES, wire);
    (void)board_receive(bench->board, now, wire, wired);
    run_until(bench, now + wired * LINE_NS / 1000U + ANSWER_US);
    hear(bench);
    note_reply_bytes(bench, kind, body, count);
    judge_reply(bench, kind, session);
    if (stays(bench) && leaves_flash_alone(bench, kind, application, chunk_waits))
        must(bench, board_operations(bench->board) == operations, "flash was touched by what must leave it alone");
}

int bench_answer(const struct bench *bench, uint8_t kind)
{
    if (bench->reply_count <= OTA_HEADER_BYTES || bench->reply[OTA_HEADER_KIND] != (kind | OTA_KIND_REPLY))
        return -1;
    return bench->reply[OTA_HEADER_BYTES + (kind == OTA_KIND_REFUSED ? OTA_REFUSED_REP_REASON : 0U)];
}
