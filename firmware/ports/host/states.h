/* states.h: states of a simulated flash by number. A page with the same cells is kept once, and a state is a row of page
 * numbers: two states of one boot share all pages but one. Knows flash, and neither board nor core. */
#ifndef HOST_STATES_H
#define HOST_STATES_H

#include <stdbool.h>

#include "flash.h"
#include "numbered.h"

struct states {
    struct flash *flash;
    uint32_t count;       /* pages kept */
    uint32_t *pages;      /* their logical numbers */
    uint32_t *kept_at;    /* by logical number: place in a row, or NUMBERED_NONE */
    uint32_t *row;        /* what lies in flash: page contents by number, then the erases of the page that grows old */
    bool *dirty;          /* not looked at since it was written */
    uint8_t *cells;       /* room for a page */
    struct numbered contents;
    struct numbered rows;
    bool fails; /* no memory: numbers mean nothing any more */
};

bool states_init(struct states *states, struct flash *flash, const uint16_t *pages, size_t count);
void states_free(struct states *states);

bool states_has(const struct states *states, uint32_t page);
/* The page was written: it is looked at before the next number is given. */
void states_touch(struct states *states, uint32_t page);
/* Looks now. */
void states_look(struct states *states, uint32_t page);
void states_look_all(struct states *states);
/* Blank again is what does not count. */
void states_wipe_others(struct states *states);

/* The number of what lies in flash; and flash as that number says. */
uint32_t states_put(struct states *states);
void states_set(struct states *states, uint32_t state);

/* Erases of the pages kept, up to 255; returns the most. */
uint16_t states_wear(const struct states *states, uint8_t *wear);
void states_set_wear(struct states *states, const uint8_t *wear);

void states_cells(const struct states *states, uint32_t state, uint8_t *values, uint8_t *weak);
bool states_is_weak(const struct states *states, uint32_t state);

#endif
