/* faults.c: what is to go wrong with a board, and when. */
#include "simulated.h"

void board_plan_cut(struct board *board, uint32_t operation, enum board_cut how)
{
    board->cut_operation = operation;
    board->cut = how;
    board->cut_resets = false;
}

void board_plan_reset(struct board *board, uint32_t operation, enum board_cut how)
{
    board_plan_cut(board, operation, how);
    board->cut_resets = true;
}

void board_wear_out(struct board *board, uint16_t page, enum board_wear how)
{
    if (page < board->flash.pages)
        board->flash.wear[page] = (uint8_t)how;
}

void board_wear_out_after(struct board *board, uint16_t page, enum board_wear how, uint16_t erases)
{
    board->flash.old_page = page;
    board->flash.old_wear = how;
    board->flash.old_end = erases;
    board->flash.old_erases = 0;
}

void board_stick(struct board *board, uint16_t page, uint16_t offset, uint8_t mask, uint8_t value)
{
    board->flash.stuck_at = (size_t)page * board->flash.page_bytes + offset;
    board->flash.stuck_mask = mask;
    board->flash.stuck_value = value;
}

void board_plan_wrong_read(struct board *board, uint32_t read, uint64_t draw)
{
    board->wrong_read = read;
    board->wrong_draw = draw;
}

void board_set_millis(struct board *board, uint16_t at_reset_ms)
{
    board->millis_at_reset = at_reset_ms;
}

void board_plan_read_error(struct board *board, uint16_t page, uint16_t offset, uint8_t mask)
{
    board->flash.wrong_at = (size_t)page * board->flash.page_bytes + offset;
    board->flash.wrong_mask = mask;
}
