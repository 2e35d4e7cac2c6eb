/* simulated.h: what board.c, port.c and probe.c share: the inside of a board, and the way out of the core by longjmp. */
#ifndef HOST_SIMULATED_H
#define HOST_SIMULATED_H

#include <setjmp.h>
#include <stdbool.h>

#include "board.h"
#include "flash.h"
#include "line.h"
#include "ota.h"
#include "state.h"

enum board_mode {
    BOARD_OFF,      /* no power yet, or cut */
    BOARD_RESET,    /* the loader starts at the next board_run */
    BOARD_LOADER,
    BOARD_LEFT,     /* jumped; nothing of the application runs yet */
    BOARD_APP,
    BOARD_FAULT     /* a rule was broken, or stuck: until power comes anew */
};

struct trace;

struct board {
    struct ota_geometry geometry;
    struct board_costs costs;
    struct flash flash;
    struct line line;
    enum board_mode mode;
    enum board_event left_by; /* how the core was left last */
    enum board_weak weak;
    enum board_cut cut;
    uint32_t cut_operation;
    bool cut_resets;     /* the planned cut is a reset of the CPU */
    uint32_t operations; /* since power-on */
    uint32_t reads;      /* since power-on */
    uint32_t wrong_read; /* number of the read that gets a bit wrong; UINT32_MAX: none */
    uint64_t wrong_draw;
    uint16_t millis_at_reset;
    struct trace *trace; /* NULL: nobody notes what this board does */
    uint64_t random;
    uint64_t clock_ns;
    uint64_t reset_ns;
    uint64_t wake_ns;
    uint32_t fuel_operations; /* what this board_run may still do before it counts as a hang */
    uint32_t fuel_polls;
    uint32_t fuel_calls;
    bool idle;
    bool jump_trial;
    uint8_t request;
    jmp_buf leave;
    struct ota ota;
};

/* The board that the core's calls of port_* mean. */
extern struct board *current_board;

/* The CPU comes out of a reset: the loader starts at the next board_run. */
void board_boot(struct board *board);
/* Makes `board` the current one and fills its fuel. The caller then sets `leave`. */
void board_enter(struct board *board);
/* Leaves the core for the setjmp of `leave`. */
void board_leave(struct board *board, enum board_event event) __attribute__((noreturn));
/* Counts a call of the core; a hang ends here. */
void board_burn(struct board *board, uint32_t *fuel);

/* trace.c: hears of each flash operation before it is done and once it was. */
void trace_begins(struct trace *trace, const struct flash_work *work, uint64_t cost_ns);
void trace_ended(struct trace *trace, const struct flash_work *work);

#endif
