/* otaflash_serial.h: the line of an Arduino sketch that has the host at `Serial`. To be included once, in the sketch:
 *
 *     OTAFLASH_RAM(ram, OTAFLASH_STAGES_BYTES);
 *     setup():  Serial.begin(115200); otaflash_begin(&otaflash_serial, ram, sizeof ram);
 *     loop():   otaflash_poll(); ... and no delay() of more than 5 ms: Serial keeps 64 bytes, and loses what comes after.
 *
 * What the sketch prints meanwhile passes between the answers: a line that a host looks at begins with a zero byte, so that
 * it is not taken for the rest of a frame. */
#ifndef OTAFLASH_SERIAL_H
#define OTAFLASH_SERIAL_H

#include <Arduino.h>

#include "otaflash.h"

static int16_t otaflash_serial_receive(void)
{
    return (int16_t)Serial.read();
}

static void otaflash_serial_send(uint8_t byte)
{
    Serial.write(byte);
    Serial.flush(); /* out of Serial's own buffer, which a restart would leave unsent */
}

static uint16_t otaflash_serial_millis(void)
{
    return (uint16_t)millis();
}

static const struct otaflash_line otaflash_serial = {
    otaflash_serial_receive, otaflash_serial_send, otaflash_serial_millis};

#endif
