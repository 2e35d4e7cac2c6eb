/* gatt.c: frames of GATT values become the byte line that the core knows, and back. See gatt.h. */
#include "gatt.h"

#include "port.h"

/* The core's line is COBS with a zero after each frame. Here COBS costs one byte in 254 of memory and no air at all, and
 * the core needs no second way in. */

#define MASK ((uint16_t)(GATT_RING_BYTES - 1))
#define FULL 0xFFu

_Static_assert((GATT_RING_BYTES & (GATT_RING_BYTES - 1)) == 0 && GATT_RING_BYTES <= 32768, "a power of two, 32768 at most");
_Static_assert(GATT_RING_BYTES >= 2 * GATT_VALUE_MOST, "room for two values");

/* Written by gatt_written alone, read by port_receive alone; each end moves its own index, the last thing it does. */
static uint8_t ring[GATT_RING_BYTES];
static volatile uint16_t head;
static volatile uint16_t tail;

/* The reply under way, decoded as it comes. */
static uint8_t reply[GATT_VALUE_MOST];
static uint16_t reply_bytes;
static uint8_t run_left; /* bytes until the next code */
static bool zero_follows;
static bool overlong;

static void put(uint16_t at, uint8_t byte) {
    ring[at & MASK] = byte;
}

void gatt_written(const uint8_t *value, uint16_t length) {
    uint16_t at = head;
    uint16_t room = (uint16_t)(GATT_RING_BYTES - (uint16_t)(at - tail));
    if (length == 0 || length > GATT_VALUE_MOST || room < length + length / 254u + 2u) {
        return;
    }
    uint16_t code_at = at++;
    uint8_t code = 1;
    for (uint16_t i = 0; i < length; i++) {
        if (value[i] != 0) {
            put(at++, value[i]);
            code++;
        }
        if (value[i] == 0 || code == FULL) {
            put(code_at, code);
            code_at = at++;
            code = 1;
        }
    }
    put(code_at, code);
    put(at++, 0);
    head = at;
}

int16_t port_receive(void) {
    uint16_t at = tail;
    if (at == head) {
        return -1;
    }
    uint8_t byte = ring[at & MASK];
    tail = (uint16_t)(at + 1);
    return byte;
}

static void begin_reply(void) {
    reply_bytes = 0;
    run_left = 0;
    zero_follows = false;
    overlong = false;
}

void gatt_lost(void) {
    begin_reply();
}

static void keep(uint8_t byte) {
    if (reply_bytes < GATT_VALUE_MOST) {
        reply[reply_bytes++] = byte;
    } else {
        overlong = true; /* the host has said how long a reply may be; this is a bug or noise */
    }
}

void port_send(uint8_t byte) {
    if (byte == 0) {
        if (reply_bytes > 0 && !overlong) {
            while (!radio_notify(reply, reply_bytes)) {
                radio_wait();
            }
        }
        begin_reply();
    } else if (run_left > 0) {
        keep(byte);
        run_left--;
    } else {
        if (zero_follows) {
            keep(0);
        }
        run_left = (uint8_t)(byte - 1);
        zero_follows = byte != FULL;
    }
}
