/* tracing.h: what trace.c and notes.c share. */
#ifndef HOST_TRACING_H
#define HOST_TRACING_H

#include "simulated.h"
#include "states.h"
#include "trace.h"

/* A list that grows; `items` is NULL at first. */
struct list {
    void *items;
    size_t item_bytes;
    uint32_t count;
    uint32_t room;
};

struct trace {
    struct states states;
    struct board *board;
    struct list notes; /* struct trace_note */
    struct list wear;  /* a row for each note, and one for the end */
    struct list jumps; /* struct trace_jump */
    struct list moments; /* struct trace_moment */
    uint8_t *listening;  /* a row: when the loader first listened */
    struct numbered seen; /* state, knowledge */
    struct list left;     /* by number of `seen`: cuts left, and one */
    const struct trace_plan *plan;
    const struct trace_run *run;
    struct trace_result *result;
    uint32_t scanned; /* bytes of the line out that are counted in `frames` */
    uint32_t frames;
    uint32_t state; /* as far as notes are made */
    bool spoken;
    bool acted;
    bool fails; /* no memory */
};

/* Room for one item more; NULL: out of memory. */
void *notes_add(struct trace *trace, struct list *list);
/* The moment at that time, by number. */
uint32_t notes_moment(struct trace *trace, uint64_t now_ns);
/* Keeps a row of erases; returns the most of a page. */
uint16_t notes_wear(struct trace *trace);
/* The most of all notes, or `most`. */
uint16_t notes_most_worn(const struct trace *trace, uint16_t most);

#endif
