/* trace.h: boots of one board, each from a state of its flash to the next, and what every cut in a boot would leave. States
 * have numbers; equal states have the same. A boot is run once, however many cuts of it are looked at: before each flash
 * operation, with it torn, and after it, the flash is numbered as the cut would leave it. */
#ifndef HOST_TRACE_H
#define HOST_TRACE_H

#include <stddef.h>
#include <stdint.h>

#include "board.h"

struct trace;

enum trace_app {
    TRACE_APP_NOTHING = 0,
    TRACE_APP_CONFIRMS = 1, /* by the library's call */
    TRACE_APP_HEARS = 2     /* what a host says to it */
};

/* What a host and the application do in one boot. */
struct trace_plan {
    const uint8_t *said; /* to the loader, once it listens */
    const uint8_t *then; /* to the loader, once all is verified */
    const uint8_t *app_said;
    size_t said_bytes;
    size_t then_bytes;
    size_t app_said_bytes;
    uint8_t app;     /* enum trace_app */
    uint8_t offers;  /* 1: `said` makes an offer, and wear is counted from it */
};

/* Which cuts are noted. */
enum trace_notes {
    TRACE_NOTES_NONE = 0,
    TRACE_NOTES_ALL = 1,
    TRACE_NOTES_SPOKEN = 2, /* once the host has spoken */
    TRACE_NOTES_ACTED = 3   /* once the application has done its part */
};

/* How a boot is run: power comes, weak bits read as `weak`. */
struct trace_run {
    uint32_t state;
    uint64_t seed;
    uint8_t weak;  /* enum board_weak */
    uint8_t notes; /* enum trace_notes */
    uint8_t halves; /* 1: cuts that leave half a page for good are noted, too */
    uint8_t cut;   /* enum board_cut */
    uint8_t resets; /* 1: the cut is a reset of the CPU, and notes begin after it */
    uint32_t operation;  /* of the cut */
    uint32_t wrong_read; /* number of the read that gets a bit wrong; UINT32_MAX: none */
    uint64_t wrong_draw;
};

/* What a host may know at a cut. */
struct trace_moment {
    uint32_t jumps;  /* so far */
    uint32_t frames; /* whole replies heard */
    uint8_t spoken;
    uint8_t acted;
};

struct trace_jump {
    uint32_t state;
    uint8_t trial;
};

/* What a cut would leave. */
struct trace_note {
    uint32_t operation;
    uint32_t state;
    uint32_t moment;
    uint16_t worn; /* most erases of a page */
    uint8_t how;   /* enum board_cut */
};

struct trace_result {
    enum board_event event;
    uint32_t state;
    uint32_t operations;
    uint32_t reads;
    int32_t listens_at; /* operations done when it first listened; -1: it never did */
    int32_t jumped_at;  /* ... at the first jump */
    uint32_t listens_on; /* state when it first listened; UINT32_MAX: it never did */
    uint32_t offered_on; /* state when the offer came; UINT32_MAX: none did */
    uint32_t jumps;
    uint32_t notes;
    uint32_t moments; /* the last is the end of the boot */
    uint16_t worn; /* most erases of a page, at any of the notes or at the end */
    uint16_t worn_at_end;
    uint64_t met_first; /* a number made of what weak bits read as, up to when it first listened */
    uint32_t met_later; /* reads that met weak bits after that */
    uint8_t waits;     /* it ended in the loader, which waits for a host */
    uint8_t confirmed; /* the library's call succeeded */
    uint8_t stray;  /* an erase or program elsewhere than in the pages kept */
    uint8_t no_memory; /* nothing else here counts */
};

/* `pages`: the logical pages that count; the others must stay blank. NULL: out of memory. The board must outlive it. */
struct trace *trace_new(struct board *board, const uint16_t *pages, size_t count);
void trace_free(struct trace *trace);

/* The state that the board's flash is in. */
uint32_t trace_state(struct trace *trace);
/* The values and then the weak bits of the pages kept, one after the other. */
void trace_cells(const struct trace *trace, uint32_t state, uint8_t *values, uint8_t *weak);
int trace_is_weak(const struct trace *trace, uint32_t state);
/* A number made of what lies in flash: the same in every search. */
uint64_t trace_hash(const struct trace *trace, uint32_t state);

/* Runs a boot. `wear`: erases of each page kept, before. */
void trace_boot(struct trace *trace, const struct trace_plan *plan, const struct trace_run *run, const uint8_t *wear,
                struct trace_result *result);

/* Of the boot run last. */
const struct trace_moment *trace_moments(const struct trace *trace);
const struct trace_jump *trace_jumps(const struct trace *trace);
const struct trace_note *trace_notes(const struct trace *trace);
const uint8_t *trace_heard(const struct trace *trace, size_t *count);
/* Erases of each page kept: at the note, or with a number that is none at the end. */
const uint8_t *trace_wear(const struct trace *trace, uint32_t note);
const uint8_t *trace_wear_listening(const struct trace *trace); /* when it first listened */

/* True the first time that this state is seen with this knowledge and so many cuts left or more. */
int trace_is_new(struct trace *trace, uint32_t state, uint32_t knowledge, uint8_t left);
/* Numbers of the notes of the boot run last that are new, or worn beyond what is allowed; `knowledge` and `worn` for each
 * moment. Returns how many; `numbers` must have room for all. */
uint32_t trace_news(struct trace *trace, const uint32_t *knowledge, const uint16_t *worn, uint8_t left, uint32_t *numbers);

#endif
