/* driver.c: the real core under the sanitizers: first a recorded session (session.txt), then garbage with right CRCs, power cuts
 * and resets. Knows board.h and the numbers of the wire; exit code 0 if nothing went wrong. Usage: driver SESSION ROUNDS SEED */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "crc32.h"
#include "messages.h"
#include "random.h"

#define FRAME_MOST 208
#define PAGE 128
#define SLOT_PAGES 6
#define SPAN_CRC_BYTES 4

static const struct ota_geometry geometry = {
    .board = "bench", .uid = "ABCDEFG", .page_bytes = PAGE, .slot_pages = SLOT_PAGES, .record_pages = 2, .write_bytes = 2,
    .mark_bytes = 1, .block_bytes = 8, .chunk_bytes = 128, .frame_bytes = FRAME_MOST, .stall_ms = 5,
    .entry_window_ms = 1000, .stay_ms = 15000, .swap_page_ms = 10, .trials = 3, .erase_ahead = 1, .single_slot = 1,
};
static const struct board_costs costs = {
    .erase_page_ns = 1000000, .program_chunk_ns = 100000, .program_unit_ns = 1000, .read_byte_ns = 100,
    .crc_byte_ns = 100, .sha_block_ns = 10000, .byte_ns = 100, .send_byte_ns = 86806, .rx_ring_bytes = 512,
    .rx_in_erase = 1, .rx_in_program = 1,
};

static uint64_t chance;
static enum board_event event;

static uint32_t draw(uint32_t below)
{
    return (uint32_t)(random_next(&chance) % below);
}

static int fails(const char *what, const struct board *board)
{
    printf("%s; event %d, rule \"%s\"\n", what, (int)event, board_rule(board));
    return 1;
}

static void forget_replies(struct board *board)
{
    uint8_t bytes[1024];
    uint64_t at_us;

    while (board_sent(board, bytes, sizeof bytes, &at_us) != 0)
        continue;
}

static void pass(struct board *board, uint64_t us)
{
    uint64_t until = board_now_us(board) + us;

    do
        event = board_run(board, until);
    while ((event == BOARD_IDLE || event == BOARD_TIME) && board_now_us(board) < until);
    forget_replies(board);
}

static void say(struct board *board, const uint8_t *bytes, size_t count)
{
    (void)board_receive(board, board_now_us(board), bytes, count);
    event = board_run(board, board_now_us(board) + 5000000U);
    forget_replies(board);
}

/* --- the recorded session ------------------------------------------------------------------------------------------- */

static size_t from_hex(const char *text, uint8_t *bytes)
{
    size_t count = 0;
    unsigned byte;

    while (sscanf(text + 2 * count, "%2x", &byte) == 1)
        bytes[count++] = (uint8_t)byte;
    return count;
}

static uint32_t flash_crc(struct board *board, size_t count)
{
    return crc32_end(crc32_add(crc32_start(), board_flash(board), (uint16_t)count));
}

static int one_step(struct board *board, const char *word, const char *rest)
{
    static uint8_t bytes[65536];
    unsigned long number = strtoul(rest, NULL, 0);

    if (strcmp(word, "on") == 0)
        board_power_on(board, BOARD_WEAK_OLD);
    else if (strcmp(word, "reset") == 0)
        board_reset(board);
    else if (strcmp(word, "pass_us") == 0)
        pass(board, number);
    else if (strcmp(word, "app") == 0)
        board_app_start(board, 0);
    else if (strcmp(word, "say") == 0)
        say(board, bytes, from_hex(rest, bytes));
    else if (strcmp(word, "event") == 0)
        return (unsigned long)event == number ? 0 : fails("another event than recorded", board);
    else if (strcmp(word, "span_bytes") == 0)
        return flash_crc(board, number) == strtoul(strchr(rest, ' '), NULL, 0) ? 0 : fails("another image runs", board);
    else
        return fails("unknown step", board);
    return 0;
}

static int replay(struct board *board, const char *name)
{
    static char line[140000];
    FILE *file = fopen(name, "r");
    int failed = file == NULL;

    while (!failed && fgets(line, sizeof line, file) != NULL) {
        char *space = strchr(line, ' ');

        line[strcspn(line, "\n")] = '\0';
        if (space != NULL)
            *space = '\0';
        failed = one_step(board, line, space != NULL ? space + 1 : "");
    }
    if (file != NULL)
        (void)fclose(file);
    return failed;
}

/* --- garbage ---------------------------------------------------------------------------------------------------------- */

static size_t cobs(const uint8_t *frame, size_t count, uint8_t *to)
{
    size_t code = 0, out = 1, i;

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

static void fill(uint8_t *bytes, size_t count)
{
    while (count-- > 0)
        bytes[count] = (uint8_t)draw(256);
}

/* A manifest that is taken, unless one of its bytes is drawn to be wrong. */
static void put_offer(uint8_t *body)
{
    uint8_t *manifest = body + OTA_OFFER_REQ_PART;
    uint16_t pages = (uint16_t)(1U + draw(SLOT_PAGES));

    memset(body, 0, OTA_OFFER_REQ_PART + OTA_MANIFEST_BYTES);
    manifest[OTA_MANIFEST_FORMAT] = OTA_MANIFEST_FORMAT_VALUE;
    manifest[OTA_MANIFEST_FLAGS] = (uint8_t)(draw(4) == 0);
    memcpy(manifest + OTA_MANIFEST_BOARD, geometry.board, sizeof geometry.board);
    put_u32(manifest + OTA_MANIFEST_IMAGE_BYTES, 1);
    put_u16(manifest + OTA_MANIFEST_PAGES, pages);
    put_u16(manifest + OTA_MANIFEST_PAGE_BYTES, PAGE);
    manifest[OTA_MANIFEST_SHA256] = (uint8_t)draw(2);
    if (draw(4) == 0)
        manifest[draw(OTA_MANIFEST_BYTES)] = (uint8_t)draw(256);
}

static size_t put_body(uint8_t kind, uint8_t *body)
{
    size_t count = draw(FRAME_MOST - 7);

    fill(body, count + 1);
    if (kind == OTA_KIND_OFFER && draw(4) != 0) {
        put_offer(body);
        return OTA_OFFER_REQ_PART + OTA_MANIFEST_BYTES;
    }
    if (kind == OTA_KIND_INSPECT && draw(4) != 0) {
        memset(body + OTA_INSPECT_REQ_TARGET, 0, 8);
        return OTA_INSPECT_REQ_BYTES;
    }
    if ((kind == OTA_KIND_ENTER || kind == OTA_KIND_REBOOT) && draw(2) != 0) {
        memcpy(body, geometry.uid, 8);
        return 8;
    }
    if ((kind & 0xE0U) == OTA_KIND_BLOCK && draw(8) != 0) {
        put_u16(body, (uint16_t)draw(SLOT_PAGES * PAGE / 8 + 2));
        return 2 + 8 * draw(24);
    }
    if (draw(2) != 0)
        return draw(16);
    return count;
}

static void say_garbage(struct board *board)
{
    static const uint8_t kinds[] = {1, 2, 3, 3, 3, 4, 5, 5, 6, 7, 8, 9, 10, 0x40, 0x40, 0x50, 0x50, 0x50, 0x41};
    uint8_t frame[FRAME_MOST + 64];
    uint8_t wire[FRAME_MOST + 80];
    size_t count;

    if (draw(8) == 0) {
        count = draw(sizeof wire);
        fill(wire, count);
        say(board, wire, count);
        return;
    }
    frame[0] = draw(16) == 0 ? (uint8_t)draw(256) : kinds[draw(sizeof kinds)];
    put_u16(frame + OTA_HEADER_SESSION, (uint16_t)(7U + draw(2)));
    frame[OTA_HEADER_SERIAL] = (uint8_t)draw(256);
    count = OTA_HEADER_BYTES + put_body(frame[0], frame + OTA_HEADER_BYTES);
    put_u32(frame + count, crc32_end(crc32_add(crc32_start(), frame, (uint16_t)count)));
    say(board, wire, cobs(frame, count + OTA_CRC_BYTES, wire));
}

static void go_on(struct board *board)
{
    if (event == BOARD_CUT)
        board_power_on(board, (enum board_weak)draw(4));
    if (event == BOARD_JUMPED)
        board_app_start(board, 0);
    if (draw(200) == 0)
        board_reset(board);
    if (draw(100) == 0)
        board_plan_cut(board, board_operations(board) + draw(40), (enum board_cut)(1U + draw(3)));
    if (draw(100) == 0)
        board_plan_read_error(board, (uint16_t)draw(2 * SLOT_PAGES), (uint16_t)draw(PAGE), 1);
    if (draw(300) == 0)
        board_wear_out(board, (uint16_t)draw(2 * SLOT_PAGES), (enum board_wear)draw(3));
    if (draw(30) == 0)
        pass(board, draw(2000000));
}

static int harass(struct board *board, unsigned rounds)
{
    for (; rounds > 0; rounds--) {
        say_garbage(board);
        if (event == BOARD_RULE || event == BOARD_STUCK)
            return fails("garbage broke the core", board);
        go_on(board);
    }
    return 0;
}

int main(int count, char **words)
{
    struct board *board = board_new(&geometry, &costs, 1);
    int failed = board == NULL || count != 4;

    if (!failed) {
        chance = strtoul(words[3], NULL, 0);
        failed = replay(board, words[1]) || harass(board, (unsigned)strtoul(words[2], NULL, 0));
        board_free(board);
    }
    puts(failed ? "failed" : "ok");
    return failed;
}
