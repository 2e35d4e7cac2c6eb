/* native_exercise.c: takes a board through its whole life, at random, for the sanitizers to watch. Knows only board.h and probe.h.
 * Exit code 0: nothing went wrong that the board itself can see. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe.h"

static const struct ota_geometry geometry = {
    .board = "exercise", .uid = {1}, .page_bytes = 128, .slot_pages = 2, .record_pages = 1, .write_bytes = 2,
    .mark_bytes = 2, .block_bytes = 16, .chunk_bytes = 64, .frame_bytes = 208, .stall_ms = 5, .entry_window_ms = 10,
    .stay_ms = 100, .swap_page_ms = 10, .trials = 2, .erase_ahead = 1, .single_slot = 1,
};
static const struct board_costs costs = {
    .erase_page_ns = 1000000, .program_chunk_ns = 100000, .program_unit_ns = 1000, .read_byte_ns = 100,
    .crc_byte_ns = 100, .sha_block_ns = 10000, .byte_ns = 100, .send_byte_ns = 10000, .rx_ring_bytes = 64,
};

static unsigned draw(unsigned below)
{
    return (unsigned)rand() % below;
}

static void call_at_random(struct board *board)
{
    uint8_t bytes[300];
    int32_t result;
    enum board_call call = (enum board_call)draw(BOARD_CALL_SPIN);
    unsigned unit = 2U * draw(33);

    memset(bytes, (int)draw(256), sizeof bytes);
    (void)board_probe(board, call, (uint16_t)draw(8), (uint16_t)(2U * draw(66)), bytes, (uint16_t)unit, &result);
}

static void hear_and_speak(struct board *board)
{
    uint8_t bytes[100];
    uint64_t at_us = board_now_us(board) + draw(2000);
    unsigned i;

    for (i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)draw(256);
    (void)board_receive(board, at_us < 1000 ? 0 : at_us - 1000, bytes, draw(sizeof bytes));
    (void)board_run(board, board_now_us(board) + draw(50000));
    while (board_sent(board, bytes, 1U + draw(sizeof bytes), &at_us) > 0) {
    }
}

static void live(struct board *board, uint8_t *state)
{
    board_power_on(board, (enum board_weak)draw(4));
    if (draw(3) == 0)
        board_plan_cut(board, draw(4), (enum board_cut)draw(4));
    if (draw(5) == 0)
        board_plan_read_error(board, (uint16_t)draw(9), (uint16_t)draw(200), (uint8_t)draw(256));
    call_at_random(board);
    hear_and_speak(board);
    board_app_start(board, 0);
    hear_and_speak(board);
    (void)board_app_confirm(board);
    board_reset(board);
    hear_and_speak(board);
    if (draw(4) == 0)
        board_load(board, state);
    else
        (void)board_save(board, state);
    board_wear_out(board, (uint16_t)draw(8), (enum board_wear)draw(3));
}

int main(void)
{
    struct board *board = board_new(&geometry, &costs, 1);
    uint8_t *state;
    unsigned round;

    if (board == NULL)
        return 1;
    state = calloc(1, board_state_bytes(board));
    if (state == NULL)
        return 1;
    (void)board_save(board, state);
    srand(1);
    for (round = 0; round < 3000; round++)
        live(board, state);
    printf("%lu\n", (unsigned long)board_now_us(board));
    free(state);
    board_free(board);
    return 0;
}
