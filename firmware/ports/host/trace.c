/* trace.c: the run of one boot with a host's plan. States are states.c's, what is noted on the way notes.c's. */
#include <stdlib.h>
#include <string.h>

#include "tracing.h"

#define SPEAKS_AFTER_US 1000U
#define THEN_AFTER_US 5000000U
#define APP_HEARS_AFTER_US 100U
#define US_PER_BYTE 4U

static void list_init(struct list *list, size_t item_bytes)
{
    list->item_bytes = item_bytes;
}

/* --- life ------------------------------------------------------------------------------------------------------ */

struct trace *trace_new(struct board *board, const uint16_t *pages, size_t count)
{
    struct trace *trace = calloc(1, sizeof *trace);

    if (trace == NULL)
        return NULL;
    trace->board = board;
    list_init(&trace->notes, sizeof(struct trace_note));
    list_init(&trace->wear, count);
    list_init(&trace->jumps, sizeof(struct trace_jump));
    list_init(&trace->moments, sizeof(struct trace_moment));
    list_init(&trace->left, sizeof(uint8_t));
    trace->listening = calloc(count, 1);
    if (trace->listening == NULL || !states_init(&trace->states, &board->flash, pages, count) ||
        !numbered_init(&trace->seen, 2U * sizeof(uint32_t))) {
        trace_free(trace);
        return NULL;
    }
    return trace;
}

void trace_free(struct trace *trace)
{
    if (trace == NULL)
        return;
    states_free(&trace->states);
    numbered_free(&trace->seen);
    free(trace->notes.items);
    free(trace->wear.items);
    free(trace->jumps.items);
    free(trace->moments.items);
    free(trace->left.items);
    free(trace->listening);
    free(trace);
}

/* --- a boot ------------------------------------------------------------------------------------------------------ */

static void speak(struct trace *trace)
{
    const struct trace_plan *plan = trace->plan;
    struct board *board = trace->board;
    uint64_t now_us = board_now_us(board);

    trace->spoken = true;
    if (plan->offers != 0) {
        memset(board->flash.erases, 0, board->flash.pages * sizeof *board->flash.erases);
        trace->result->offered_on = states_put(&trace->states);
    }
    (void)board_receive(board, now_us + SPEAKS_AFTER_US, plan->said, plan->said_bytes);
    if (plan->then_bytes != 0)
        (void)board_receive(board, now_us + THEN_AFTER_US + US_PER_BYTE * plan->said_bytes, plan->then,
                            plan->then_bytes);
}

/* The application does its part; false: nothing more will come of this boot. */
static bool act(struct trace *trace)
{
    struct board *board = trace->board;

    if (trace->plan->app == TRACE_APP_NOTHING || trace->acted)
        return false;
    trace->acted = true;
    board_app_start(board, 0);
    if (trace->plan->app == TRACE_APP_CONFIRMS) {
        trace->result->confirmed = board_app_confirm(board) == 0 ? 1 : 0;
        return board->mode != BOARD_APP;
    }
    (void)board_receive(board, board_now_us(board) + APP_HEARS_AFTER_US, trace->plan->app_said,
                        trace->plan->app_said_bytes);
    return true;
}

static bool jumped(struct trace *trace)
{
    struct trace_jump *jump = notes_add(trace, &trace->jumps);

    if (trace->result->jumped_at < 0)
        trace->result->jumped_at = (int32_t)trace->board->operations;
    if (jump == NULL)
        return false;
    jump->state = states_put(&trace->states);
    jump->trial = trace->board->jump_trial ? 1 : 0;
    return act(trace);
}

/* False: the board stands still, and only a byte that does not come would wake it. */
static bool idles(struct trace *trace)
{
    if (trace->result->listens_at < 0) {
        trace->result->listens_at = (int32_t)trace->board->operations;
        (void)states_wear(&trace->states, trace->listening);
        trace->result->listens_on = states_put(&trace->states);
        trace->result->met_first = trace->board->flash.met_hash;
        trace->board->flash.met = 0;
        if (trace->plan->said_bytes != 0) {
            speak(trace);
            return true;
        }
    }
    return board_wake_us(trace->board) != UINT64_MAX;
}

static enum board_event run_plan(struct trace *trace)
{
    for (;;) {
        enum board_event event = board_run(trace->board, UINT64_MAX);
        bool goes_on = event == BOARD_RESTARTED || event == BOARD_TIME;

        if (event == BOARD_IDLE)
            goes_on = idles(trace);
        else if (event == BOARD_JUMPED)
            goes_on = jumped(trace);
        if (!goes_on)
            return event;
    }
}

static void power_on(struct trace *trace, const struct trace_run *run, const uint8_t *wear)
{
    struct board *board = trace->board;

    line_forget_sent(&board->line);
    states_set(&trace->states, run->state);
    states_set_wear(&trace->states, wear);
    board->flash.met = 0;
    board->flash.met_hash = 0;
    board_reseed(board, run->seed);
    board_power_on(board, (enum board_weak)run->weak);
    if (run->resets != 0)
        board_plan_reset(board, run->operation, (enum board_cut)run->cut);
    else
        board_plan_cut(board, run->operation, (enum board_cut)run->cut);
    board_plan_wrong_read(board, run->wrong_read, run->wrong_draw);
}

static void begin(struct trace *trace, const struct trace_plan *plan, const struct trace_run *run,
                  struct trace_result *result)
{
    memset(result, 0, sizeof *result);
    result->listens_at = -1;
    result->jumped_at = -1;
    result->listens_on = NUMBERED_NONE;
    result->offered_on = NUMBERED_NONE;
    trace->plan = plan;
    trace->run = run;
    trace->result = result;
    trace->notes.count = 0;
    trace->wear.count = 0;
    trace->jumps.count = 0;
    trace->moments.count = 0;
    trace->scanned = 0;
    trace->frames = 0;
    trace->spoken = false;
    trace->acted = false;
}

void trace_boot(struct trace *trace, const struct trace_plan *plan, const struct trace_run *run, const uint8_t *wear,
                struct trace_result *result)
{
    begin(trace, plan, run, result);
    power_on(trace, run, wear);
    trace->board->trace = trace;
    result->event = run_plan(trace);
    trace->board->trace = NULL;
    result->state = states_put(&trace->states);
    result->operations = trace->board->operations;
    result->reads = trace->board->reads;
    result->met_later = trace->board->flash.met;
    (void)notes_moment(trace, UINT64_MAX);
    result->worn_at_end = notes_wear(trace);
    result->worn = notes_most_worn(trace, result->worn_at_end);
    result->waits = result->event == BOARD_IDLE && trace->board->mode == BOARD_LOADER ? 1 : 0;
    result->jumps = trace->jumps.count;
    result->notes = trace->notes.count;
    result->moments = trace->moments.count;
    result->no_memory = trace->fails || trace->states.fails ? 1 : 0;
    if (result->stray != 0)
        states_wipe_others(&trace->states);
}

/* --- looking ------------------------------------------------------------------------------------------------------ */

uint32_t trace_state(struct trace *trace)
{
    states_look_all(&trace->states);
    return states_put(&trace->states);
}

void trace_cells(const struct trace *trace, uint32_t state, uint8_t *values, uint8_t *weak)
{
    states_cells(&trace->states, state, values, weak);
}

int trace_is_weak(const struct trace *trace, uint32_t state)
{
    return states_is_weak(&trace->states, state) ? 1 : 0;
}

uint64_t trace_hash(const struct trace *trace, uint32_t state)
{
    return trace->states.rows.hashes[state];
}

const struct trace_moment *trace_moments(const struct trace *trace)
{
    return trace->moments.items;
}

const struct trace_jump *trace_jumps(const struct trace *trace)
{
    return trace->jumps.items;
}

const struct trace_note *trace_notes(const struct trace *trace)
{
    return trace->notes.items;
}

const uint8_t *trace_heard(const struct trace *trace, size_t *count)
{
    const struct timed_bytes *sent = &trace->board->line.outgoing;

    *count = sent->count;
    return sent->count == 0 ? NULL : sent->byte + sent->first;
}

const uint8_t *trace_wear(const struct trace *trace, uint32_t number)
{
    uint32_t row = number < trace->notes.count ? number : trace->wear.count - 1U;

    return (const uint8_t *)trace->wear.items + (size_t)row * trace->wear.item_bytes;
}

const uint8_t *trace_wear_listening(const struct trace *trace)
{
    return trace->listening;
}
