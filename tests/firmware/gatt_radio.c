/* A radio that remembers what it was asked to notify, and has no buffer free at first. For test_gatt_glue.py. */
#include <string.h>

#include "gatt.h"

uint8_t told[GATT_VALUE_MOST];
uint16_t told_bytes;
unsigned told_count;
unsigned refusals;
unsigned waits;

bool radio_notify(const uint8_t *value, uint16_t length) {
    if (refusals > 0) {
        refusals--;
        return false;
    }
    memcpy(told, value, length);
    told_bytes = length;
    told_count++;
    return true;
}

void radio_wait(void) {
    waits++;
}
