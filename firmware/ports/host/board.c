/* board.c: the board from outside: power, clock, run, and what board.h lets a world see. The core's side is port.c, the
 * faults to come are faults.c. */
#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "simulated.h"

#define FUEL_OPERATIONS 100000U
#define FUEL_POLLS 5000000U
#define FUEL_CALLS 50000000U
/* A poll that finds nothing still takes its microsecond: time passes for a core that never idles. */
#define POLL_NS 1000U
#define MS_NS UINT64_C(1000000)

struct board *current_board;
const struct ota_geometry *port_geometry;

static uint64_t to_ns(uint64_t us)
{
    return us > UINT64_MAX / 1000U ? UINT64_MAX : us * 1000U;
}

/* --- life -------------------------------------------------------------------------------------------------------- */

struct board *board_new(const struct ota_geometry *geometry, const struct board_costs *costs, uint64_t seed)
{
    struct board *board = calloc(1, sizeof *board);

    if (board == NULL)
        return NULL;
    board->geometry = *geometry;
    board->costs = *costs;
    board->random = seed;
    board->wake_ns = UINT64_MAX;
    board->wrong_read = UINT32_MAX;
    if (!flash_init(&board->flash, geometry)) {
        free(board);
        return NULL;
    }
    if (!line_init(&board->line, costs->send_byte_ns, costs->rx_ring_bytes)) {
        flash_free(&board->flash);
        free(board);
        return NULL;
    }
    return board;
}

void board_free(struct board *board)
{
    if (board == NULL)
        return;
    flash_free(&board->flash);
    line_free(&board->line);
    free(board);
}

/* RAM after power-up holds anything but what a program hopes for. */
static void fill_with_garbage(struct board *board)
{
    uint8_t *to = (uint8_t *)&board->ota;
    size_t left = sizeof board->ota;
    uint64_t garbage = random_next(&board->random) | 1U;

    while (left > 0) {
        size_t count = left < sizeof garbage ? left : sizeof garbage;

        memcpy(to, &garbage, count);
        to += count;
        left -= count;
        garbage *= UINT64_C(0x9E3779B97F4A7C15); /* odd, so it never comes to rest at 0 */
    }
}

void board_boot(struct board *board)
{
    board->mode = BOARD_RESET;
    board->idle = false;
    board->reset_ns = board->clock_ns;
    flash_boot(&board->flash, board->weak, random_next(&board->random));
}

void board_power_on(struct board *board, enum board_weak weak)
{
    board->weak = weak;
    board->cut = BOARD_CUT_NONE;
    board->operations = 0;
    board->reads = 0;
    board->wrong_read = UINT32_MAX;
    board->request = OTA_REQUEST_NONE;
    board->flash.wrong_mask = 0;
    board->flash.rule[0] = '\0';
    line_cut(&board->line, board->clock_ns);
    fill_with_garbage(board);
    board_boot(board);
}

void board_reset(struct board *board)
{
    if (board->mode == BOARD_OFF || board->mode == BOARD_FAULT)
        return;
    line_reset(&board->line, board->clock_ns);
    board_boot(board);
}

void board_reseed(struct board *board, uint64_t seed)
{
    board->random = seed;
}

/* --- running ------------------------------------------------------------------------------------------------------ */

void board_enter(struct board *board)
{
    current_board = board;
    port_geometry = &board->geometry;
    board->fuel_operations = FUEL_OPERATIONS;
    board->fuel_polls = FUEL_POLLS;
    board->fuel_calls = FUEL_CALLS;
}

void board_leave(struct board *board, enum board_event event)
{
    board->left_by = event;
    board->idle = false;
    if (event == BOARD_CUT) {
        board->mode = BOARD_OFF;
        line_cut(&board->line, board->clock_ns);
    }
    if (event == BOARD_RULE || event == BOARD_STUCK)
        board->mode = BOARD_FAULT;
    longjmp(board->leave, 1);
}

void board_burn(struct board *board, uint32_t *fuel)
{
    if (*fuel == 0)
        board_leave(board, BOARD_STUCK);
    *fuel -= 1;
}

static uint64_t next_event_ns(const struct board *board)
{
    uint64_t arrival_ns = line_next_arrival(&board->line);

    return arrival_ns < board->wake_ns ? arrival_ns : board->wake_ns;
}

/* The wait counts in ticks of port_millis, so that the core sees exactly wait_ms more when it wakes. */
static void look_idle(struct board *board)
{
    uint64_t ticks = (board->clock_ns - board->reset_ns) / MS_NS;
    uint16_t wait_ms = UINT16_MAX;

    board->idle = ota_idle(&board->ota, &wait_ms);
    board->wake_ns = wait_ms == UINT16_MAX ? UINT64_MAX : board->reset_ns + (ticks + wait_ms) * MS_NS;
}

static void poll_once(struct board *board)
{
    board_burn(board, &board->fuel_polls);
    board->clock_ns += POLL_NS;
    if (board->mode == BOARD_APP)
        ota_app_poll(&board->ota);
    else
        ota_poll(&board->ota);
    look_idle(board);
}

/* Sleeps until there is something to do; false if that is after until_ns. */
static bool sleep_idle(struct board *board, uint64_t until_ns)
{
    uint64_t next_ns = next_event_ns(board);
    uint64_t to = next_ns < until_ns ? next_ns : until_ns;

    if (to != UINT64_MAX && to > board->clock_ns)
        board->clock_ns = to;
    return next_ns <= until_ns && next_ns != UINT64_MAX;
}

static enum board_event run_polls(struct board *board, uint64_t until_ns)
{
    if (board->mode == BOARD_RESET) {
        board->mode = BOARD_LOADER;
        ota_start(&board->ota);
        look_idle(board);
    } else if (board->idle) {
        if (!sleep_idle(board, until_ns))
            return BOARD_IDLE;
        poll_once(board);
    }
    for (;;) {
        if (board->idle) {
            uint64_t arrival_ns = line_next_arrival(&board->line);

            if (arrival_ns == UINT64_MAX || arrival_ns > until_ns)
                return BOARD_IDLE;
            if (arrival_ns > board->clock_ns)
                board->clock_ns = arrival_ns;
        }
        if (board->clock_ns >= until_ns && !board->idle)
            return BOARD_TIME;
        poll_once(board);
    }
}

enum board_event board_run(struct board *board, uint64_t until_us)
{
    if (board->mode == BOARD_OFF)
        return BOARD_CUT;
    if (board->mode == BOARD_LEFT || board->mode == BOARD_FAULT)
        return board->left_by;
    board_enter(board);
    if (setjmp(board->leave) == 0)
        return run_polls(board, to_ns(until_us));
    return board->left_by;
}

void board_app_start(struct board *board, int stages)
{
    if (board->mode != BOARD_LEFT)
        return;
    board_enter(board);
    fill_with_garbage(board);
    board->mode = BOARD_APP;
    if (setjmp(board->leave) == 0) {
        ota_app_start(&board->ota, stages != 0);
        look_idle(board);
    }
}

int board_app_confirm(struct board *board)
{
    enum ota_result result = OTA_FAILED;

    if (board->mode != BOARD_APP)
        return -1;
    board_enter(board);
    if (setjmp(board->leave) != 0)
        return -1;
    result = ota_app_confirm(&board->ota);
    look_idle(board);
    return result == OTA_OK ? 0 : -1;
}

/* --- time and line ------------------------------------------------------------------------------------------------- */

uint64_t board_now_us(const struct board *board)
{
    return board->clock_ns / 1000U;
}

void board_set_now_us(struct board *board, uint64_t now_us)
{
    uint64_t now_ns = to_ns(now_us);

    if (now_ns > board->clock_ns && now_ns != UINT64_MAX)
        board->clock_ns = now_ns;
}

uint64_t board_wake_us(const struct board *board)
{
    uint64_t next_ns = board->clock_ns;

    if (board->mode == BOARD_OFF || board->mode == BOARD_LEFT || board->mode == BOARD_FAULT)
        return UINT64_MAX;
    if (board->idle)
        next_ns = next_event_ns(board);
    if (next_ns == UINT64_MAX)
        return UINT64_MAX;
    if (next_ns < board->clock_ns)
        next_ns = board->clock_ns;
    return next_ns / 1000U + (next_ns % 1000U == 0 ? 0U : 1U);
}

size_t board_receive(struct board *board, uint64_t at_us, const uint8_t *bytes, size_t count)
{
    if (board->mode == BOARD_OFF)
        return 0;
    return line_receive(&board->line, to_ns(at_us), board->clock_ns, bytes, count);
}

size_t board_sent(struct board *board, uint8_t *bytes, size_t room, uint64_t *at_us)
{
    uint64_t at_ns = 0;
    size_t count = line_sent(&board->line, bytes, room, &at_ns);

    *at_us = at_ns / 1000U;
    return count;
}

/* --- looking ------------------------------------------------------------------------------------------------------- */

uint32_t board_operations(const struct board *board)
{
    return board->operations;
}

uint32_t board_reads(const struct board *board)
{
    return board->reads;
}

int board_jump_trial(const struct board *board)
{
    return board->jump_trial ? 1 : 0;
}

uint8_t *board_flash(struct board *board)
{
    return board->flash.value;
}

size_t board_flash_bytes(const struct board *board)
{
    return flash_bytes(&board->flash);
}

const uint32_t *board_erases(const struct board *board)
{
    return board->flash.erases;
}

const char *board_rule(const struct board *board)
{
    return board->flash.rule;
}

uint32_t board_bytes_lost(const struct board *board)
{
    return board->line.lost;
}

size_t board_state_bytes(const struct board *board)
{
    return 1U + flash_state_bytes(&board->flash);
}

size_t board_save(const struct board *board, uint8_t *to)
{
    to[0] = board->request;
    return 1U + flash_save(&board->flash, to + 1);
}

void board_load(struct board *board, const uint8_t *from)
{
    board->request = from[0];
    flash_load(&board->flash, from + 1);
    line_cut(&board->line, board->clock_ns);
    board_boot(board);
}
