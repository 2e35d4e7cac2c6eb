/* probe.c: calls of port.h from outside the core. */
#include "probe.h"

#include "simulated.h"

static void send_all(const uint8_t *bytes, uint16_t count)
{
    uint16_t i;

    for (i = 0; i < count; i++)
        port_send(bytes[i]);
}

static void spin(void)
{
    for (;;)
        (void)port_millis();
}

static int32_t make_call(enum board_call call, uint16_t page, uint16_t offset, uint8_t *bytes, uint16_t count)
{
    switch (call) {
    case BOARD_CALL_READ:
        port_read(page, offset, bytes, count);
        return 0;
    case BOARD_CALL_ERASE:
        return (int32_t)port_erase(page);
    case BOARD_CALL_PROGRAM:
        return (int32_t)port_program(page, offset, bytes, count);
    case BOARD_CALL_RECEIVE:
        return port_receive();
    case BOARD_CALL_SEND:
        send_all(bytes, count);
        return 0;
    case BOARD_CALL_MILLIS:
        return port_millis();
    case BOARD_CALL_REQUEST:
        return port_request();
    case BOARD_CALL_RESTART:
        port_restart(bytes[0]);
        return 0;
    case BOARD_CALL_JUMP:
        port_jump(bytes[0] != 0);
        return 0;
    case BOARD_CALL_CRC:
        port_charge_crc(count);
        return 0;
    case BOARD_CALL_SHA:
        port_charge_sha(count);
        return 0;
    case BOARD_CALL_SPIN:
        spin();
        return 0;
    }
    return 0;
}

enum board_event board_probe(struct board *board, enum board_call call, uint16_t page, uint16_t offset,
                             uint8_t *bytes, uint16_t count, int32_t *result)
{
    *result = 0;
    if (board->mode == BOARD_OFF)
        return BOARD_CUT;
    if (board->mode == BOARD_FAULT)
        return board->left_by;
    board_enter(board);
    if (setjmp(board->leave) != 0)
        return board->left_by;
    *result = make_call(call, page, offset, bytes, count);
    return BOARD_IDLE;
}
