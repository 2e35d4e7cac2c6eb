/* probe.h: one call of port.h at a time, as if the core made it: for tests that break the rules of the board on purpose. */
#ifndef HOST_PROBE_H
#define HOST_PROBE_H

#include <stdint.h>

#include "board.h"

enum board_call {
    BOARD_CALL_READ = 0,
    BOARD_CALL_ERASE = 1,
    BOARD_CALL_PROGRAM = 2,
    BOARD_CALL_RECEIVE = 3,
    BOARD_CALL_SEND = 4, /* all of `bytes` */
    BOARD_CALL_MILLIS = 5,
    BOARD_CALL_REQUEST = 6,
    BOARD_CALL_RESTART = 7, /* the request is bytes[0] */
    BOARD_CALL_JUMP = 8,    /* on trial if bytes[0] */
    BOARD_CALL_CRC = 9,     /* `count` bytes */
    BOARD_CALL_SHA = 10,    /* `count` blocks */
    BOARD_CALL_SPIN = 11    /* reads the clock for ever */
};

/* Makes the call on a board that has power. BOARD_IDLE: it returned, and `*result` is what it returned (0: nothing). */
enum board_event board_probe(struct board *board, enum board_call call, uint16_t page, uint16_t offset,
                             uint8_t *bytes, uint16_t count, int32_t *result);

#endif
