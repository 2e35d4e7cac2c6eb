/* frame.h: bytes of the line to frames and back: COBS, length, CRC. Knows no message. */
#ifndef OTA_FRAME_H
#define OTA_FRAME_H

#include "state.h"

/* Takes one byte of the line; true when ota->frame holds a whole frame whose CRC is right, ota->frame_count bytes long,
 * CRC included. The frame must be used before the next call. */
bool frame_take(struct ota *ota, uint8_t byte);

/* Appends the CRC to the `count` bytes in ota->frame and sends them. */
void frame_send(struct ota *ota, uint16_t count);

#endif
