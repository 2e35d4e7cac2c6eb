/* port.c: port.h over the current board: what the core asks of a chip, with its price in time and its cuts of power. */
#include "simulated.h"

#include <string.h>

#include "encoding.h"
#include "messages.h"
#include "scheme.h"

/* Reading the clock takes a moment, so that a core that only waits for it does not stand still. */
#define MILLIS_NS 100U
#define MS_NS UINT64_C(1000000)

static struct board *called(void)
{
    board_burn(current_board, &current_board->fuel_calls);
    return current_board;
}

static void keep_rule(struct board *board, bool kept)
{
    if (!kept)
        board_leave(board, BOARD_RULE);
}

/* --- flash -------------------------------------------------------------------------------------------------------- */

/* How this operation ends: BOARD_CUT_NONE unless the planned cut falls on it. */
static enum board_cut begin_operation(struct board *board)
{
    uint32_t operation = board->operations++;

    board_burn(board, &board->fuel_operations);
    if (board->cut == BOARD_CUT_NONE || operation != board->cut_operation)
        return BOARD_CUT_NONE;
    return board->cut;
}

/* What a port does whose CPU runs on while flash is busy; the core charges its time. With nothing to do it looks again after a byte. */
static void work_until(struct board *board, uint64_t until_ns)
{
    while (board->clock_ns < until_ns) {
        if (!ota_meanwhile(&board->ota))
            board->clock_ns += board->costs.send_byte_ns;
    }
}

/* The time of an operation passes; a torn one ends half-way. */
static void spend(struct board *board, enum board_cut how, uint64_t cost_ns, bool receives)
{
    uint64_t from_ns = board->clock_ns;
    bool torn = how == BOARD_CUT_TORN || how == BOARD_CUT_HALF;
    uint64_t until_ns = from_ns + (torn ? cost_ns / 2U : cost_ns);

    if (how == BOARD_CUT_BEFORE)
        return;
    if (board->geometry.meanwhile != 0 && board->mode == BOARD_LOADER) /* before that, RAM is garbage */
        work_until(board, until_ns);
    if (board->clock_ns < until_ns)
        board->clock_ns = until_ns;
    if (!receives)
        line_deaf(&board->line, from_ns, board->clock_ns);
}

/* The power goes, or a watchdog strikes. */
static void interrupt(struct board *board)
{
    board->cut = BOARD_CUT_NONE;
    if (!board->cut_resets)
        board_leave(board, BOARD_CUT);
    board_reset(board);
    board_leave(board, BOARD_RESTARTED);
}

static bool operate(struct board *board, const struct flash_work *work, uint64_t cost_ns, bool receives)
{
    enum board_cut how = begin_operation(board);
    bool done;

    if (board->trace != NULL)
        trace_begins(board->trace, work, cost_ns);
    spend(board, how, cost_ns, receives);
    done = flash_do(&board->flash, work, how);
    if (board->trace != NULL)
        trace_ended(board->trace, work);
    if (how != BOARD_CUT_NONE)
        interrupt(board);
    return done;
}

static void read_key(struct board *board, uint16_t offset, uint8_t *to, uint16_t count)
{
    keep_rule(board, offset <= board->flash.page_bytes && count <= board->flash.page_bytes - offset);
    for (; count > 0; count--, offset++)
        *to++ = offset < sizeof board->geometry.key ? board->geometry.key[offset] : 0xFFU;
}

void port_read(uint16_t page, uint16_t offset, uint8_t *to, uint16_t count)
{
    struct board *board = called();

    board->clock_ns += (uint64_t)board->costs.read_byte_ns * count;
    if (page == OTA_KEY_PAGE) { /* not of the flash that board_flash shows: nothing that a board does changes it */
        read_key(board, offset, to, count);
        return;
    }
    keep_rule(board, flash_may_read(&board->flash, page, offset, count));
    flash_read(&board->flash, page, offset, to, count);
    if (board->reads++ == board->wrong_read && count != 0)
        to[board->wrong_draw / 8U % count] ^= (uint8_t)(1U << board->wrong_draw % 8U);
}

/* An application that stages hears nothing meanwhile, whatever its loader does: its vectors may lie in what is busy. */
static bool is_staging(const struct board *board)
{
    return board->mode == BOARD_APP && board->ota.mode == OTA_MODE_STAGING;
}

enum ota_result port_erase(uint16_t page)
{
    struct board *board = called();
    struct flash_work work = {page, 0, flash_erase_bytes(&board->flash, page), NULL};

    keep_rule(board, flash_may_erase(&board->flash, page));
    for (; work.offset < board->flash.page_bytes; work.offset += work.count) {
        if (!operate(board, &work, board->costs.erase_page_ns, board->costs.rx_in_erase != 0 && !is_staging(board)))
            return OTA_FAILED;
    }
    return OTA_OK;
}

enum ota_result port_program(uint16_t page, uint16_t offset, const uint8_t *from, uint16_t count)
{
    struct board *board = called();
    struct flash_work work = {page, offset, flash_program_bytes(&board->flash, page, count), from};
    uint32_t end = (uint32_t)offset + count;

    keep_rule(board, flash_may_program(&board->flash, page, offset, from, count));
    for (; work.offset < end; work.offset += work.count, work.from += work.count) {
        uint32_t units = flash_units(&board->flash, page, work.from, work.count);

        if (units != 0)
            (void)operate(board, &work, board->costs.program_chunk_ns + (uint64_t)board->costs.program_unit_ns * units,
                          board->costs.rx_in_program != 0 && !is_staging(board));
    }
    return OTA_OK;
}

/* What a chip's port keeps as one constant in its flash. */
void port_identity(uint8_t *to)
{
    const struct ota_geometry *g = &called()->geometry;

    to[OTA_INFO_PROTOCOL_MIN] = OTA_PROTOCOL_VERSION;
    to[OTA_INFO_PROTOCOL_MAX] = OTA_PROTOCOL_VERSION;
    memcpy(to + OTA_INFO_BOARD, g->board, sizeof g->board);
    memcpy(to + OTA_INFO_UID, g->uid, sizeof g->uid);
    put_u16(to + OTA_INFO_PAGE_BYTES, g->page_bytes);
    put_u16(to + OTA_INFO_BLOCK_BYTES, g->block_bytes);
    put_u16(to + OTA_INFO_SLOT_PAGES, g->slot_pages);
    put_u16(to + OTA_INFO_SINGLE_PAGES, g->single_slot != 0 ? (uint16_t)(2U * g->slot_pages + 1U) : 0U);
    put_u16(to + OTA_INFO_FRAME_BYTES, g->frame_bytes);
    put_u16(to + OTA_INFO_WINDOW_BYTES, g->window_bytes);
    put_u16(to + OTA_INFO_STALL_MS, g->stall_ms);
    put_u32(to + OTA_INFO_SLOT_BASE, g->slot_base);
    put_u16(to + OTA_INFO_ENCODINGS, OTA_ENCODINGS);
    put_u16(to + OTA_INFO_SCHEMES, OTA_SCHEMES);
    to[OTA_INFO_TRIALS_MAX] = g->trials;
}

/* --- line, clock, CPU ------------------------------------------------------------------------------------------------ */

int16_t port_receive(void)
{
    struct board *board = called();
    int16_t byte = line_take(&board->line, board->clock_ns);

    if (byte >= 0)
        board->clock_ns += board->costs.byte_ns;
    return byte;
}

void port_send(uint8_t byte)
{
    struct board *board = called();

    board->clock_ns = line_send(&board->line, board->clock_ns, byte);
}

uint16_t port_millis(void)
{
    struct board *board = called();

    board->clock_ns += MILLIS_NS;
    return (uint16_t)(((board->clock_ns - board->reset_ns) / MS_NS + board->millis_at_reset) & 0xFFFFU);
}

void port_feed(void)
{
    (void)called();
}

void port_charge_crc(uint16_t bytes)
{
    current_board->clock_ns += (uint64_t)current_board->costs.crc_byte_ns * bytes;
}

void port_charge_sha(uint16_t blocks)
{
    current_board->clock_ns += (uint64_t)current_board->costs.sha_block_ns * blocks;
}

/* --- leaving --------------------------------------------------------------------------------------------------------- */

uint8_t port_request(void)
{
    struct board *board = called();
    uint8_t request = board->request;

    board->request = OTA_REQUEST_NONE;
    return request;
}

/* A port lets its last words leave before it goes; what the receiver holds is lost with the RAM. */
static void drain(struct board *board)
{
    if (board->line.send_free_ns > board->clock_ns)
        board->clock_ns = board->line.send_free_ns;
    line_reset(&board->line, board->clock_ns);
}

void port_restart(uint8_t request)
{
    struct board *board = called();

    drain(board);
    board->request = request;
    board_boot(board);
    board_leave(board, BOARD_RESTARTED);
}

void port_jump(bool trial)
{
    struct board *board = called();

    drain(board);
    board->jump_trial = trial;
    board->mode = BOARD_LEFT;
    board_leave(board, BOARD_JUMPED);
}
