/* notes.c: what each cut of a boot would leave, noted while the boot runs on, and which of that is new. */
#include <stdlib.h>
#include <string.h>

#include "tracing.h"

void *notes_add(struct trace *trace, struct list *list)
{
    if (list->count == list->room) {
        uint32_t room = list->room == 0 ? 64U : 2U * list->room;
        void *items = realloc(list->items, room * list->item_bytes);

        if (items == NULL) {
            trace->fails = true;
            return NULL;
        }
        list->items = items;
        list->room = room;
    }
    return (uint8_t *)list->items + (size_t)list->count++ * list->item_bytes;
}

/* Replies that had left when the power went at `now_ns`: a byte that is only begun is lost. */
static void count_frames(struct trace *trace, uint64_t now_ns)
{
    const struct timed_bytes *sent = &trace->board->line.outgoing;

    if (trace->scanned > sent->count)
        trace->scanned = (uint32_t)sent->count; /* a reset took back what had not left */
    while (trace->scanned < sent->count && sent->at_ns[sent->first + trace->scanned] < now_ns) {
        trace->frames += sent->byte[sent->first + trace->scanned] == 0 ? 1U : 0U;
        trace->scanned++;
    }
}

uint32_t notes_moment(struct trace *trace, uint64_t now_ns)
{
    struct trace_moment now;
    struct trace_moment *added;
    uint32_t last = trace->moments.count - 1U;

    memset(&now, 0, sizeof now);
    count_frames(trace, now_ns);
    now.jumps = trace->jumps.count;
    now.frames = trace->frames;
    now.spoken = trace->spoken ? 1 : 0;
    now.acted = trace->acted ? 1 : 0;
    if (trace->moments.count > 0 &&
        memcmp((struct trace_moment *)trace->moments.items + last, &now, sizeof now) == 0)
        return last;
    added = notes_add(trace, &trace->moments);
    if (added != NULL)
        *added = now;
    return trace->moments.count - 1U;
}

uint16_t notes_wear(struct trace *trace)
{
    uint8_t *row = notes_add(trace, &trace->wear);

    return row == NULL ? 0 : states_wear(&trace->states, row);
}

static void note(struct trace *trace, enum board_cut how, uint64_t now_ns)
{
    uint32_t moment = notes_moment(trace, now_ns);
    uint16_t worn = notes_wear(trace);
    struct trace_note *added = notes_add(trace, &trace->notes);

    if (added == NULL)
        return;
    added->operation = trace->board->operations - 1U;
    added->state = trace->state;
    added->moment = moment;
    added->worn = worn;
    added->how = (uint8_t)how;
}

static bool is_noting(const struct trace *trace)
{
    if (trace->run->resets != 0 && trace->board->cut != BOARD_CUT_NONE)
        return false;
    switch ((enum trace_notes)trace->run->notes) {
    case TRACE_NOTES_NONE:
        return false;
    case TRACE_NOTES_ALL:
        return true;
    case TRACE_NOTES_SPOKEN:
        return trace->spoken;
    case TRACE_NOTES_ACTED:
        return trace->acted;
    }
    return false;
}

/* The operation is done as the cut would end it, noted, and undone. */
static void try_out(struct trace *trace, const struct flash_work *work, enum board_cut how, uint64_t now_ns)
{
    struct flash *flash = &trace->board->flash;
    uint32_t erases = flash->erases[work->page];
    uint32_t old_erases = flash->old_erases;
    uint32_t whole = trace->state;

    (void)flash_do(flash, work, how);
    states_look(&trace->states, work->page);
    trace->state = states_put(&trace->states);
    note(trace, how, now_ns);
    flash->erases[work->page] = erases;
    flash->old_erases = old_erases;
    trace->state = whole;
    states_set(&trace->states, whole);
}

void trace_begins(struct trace *trace, const struct flash_work *work, uint64_t cost_ns)
{
    uint64_t now_ns = trace->board->clock_ns;

    if (!states_has(&trace->states, work->page)) {
        trace->result->stray = 1;
        return;
    }
    if (!is_noting(trace))
        return;
    trace->state = states_put(&trace->states);
    note(trace, BOARD_CUT_BEFORE, now_ns);
    try_out(trace, work, BOARD_CUT_TORN, now_ns + cost_ns / 2U);
    if (trace->run->halves != 0)
        try_out(trace, work, BOARD_CUT_HALF, now_ns + cost_ns / 2U);
}

void trace_ended(struct trace *trace, const struct flash_work *work)
{
    if (!states_has(&trace->states, work->page))
        return;
    states_touch(&trace->states, work->page);
    if (!is_noting(trace))
        return;
    trace->state = states_put(&trace->states);
    note(trace, BOARD_CUT_AFTER, trace->board->clock_ns);
}

uint16_t notes_most_worn(const struct trace *trace, uint16_t most)
{
    const struct trace_note *notes = trace->notes.items;
    uint32_t i;

    for (i = 0; i < trace->notes.count; i++)
        most = notes[i].worn > most ? notes[i].worn : most;
    return most;
}

int trace_is_new(struct trace *trace, uint32_t state, uint32_t knowledge, uint8_t left)
{
    uint32_t pair[2];
    uint32_t number;
    uint8_t *best;

    pair[0] = state;
    pair[1] = knowledge;
    number = numbered_put(&trace->seen, pair, numbered_hash(pair, sizeof pair));
    if (number == NUMBERED_NONE) {
        trace->fails = true;
        return 0;
    }
    if (number == trace->left.count) {
        best = notes_add(trace, &trace->left);
        if (best != NULL)
            *best = 0;
    }
    if (number >= trace->left.count)
        return 0;
    best = (uint8_t *)trace->left.items + number;
    if (*best > left)
        return 0;
    *best = (uint8_t)(left + 1U);
    return 1;
}

uint32_t trace_news(struct trace *trace, const uint32_t *knowledge, const uint16_t *worn, uint8_t left, uint32_t *numbers)
{
    const struct trace_note *notes = trace->notes.items;
    uint32_t count = 0;
    uint32_t i;

    for (i = 0; i < trace->notes.count; i++) {
        uint32_t moment = notes[i].moment;

        if (trace_is_new(trace, notes[i].state, knowledge[moment], left) != 0 || notes[i].worn > worn[moment])
            numbers[count++] = i;
    }
    return count;
}
