/* frame.h: bytes of the line to frames and back: COBS, length, CRC. Knows no message. */
#ifndef OTA_FRAME_H
#define OTA_FRAME_H

#include "state.h"

/* Takes a byte of the line. Not while a frame waits. */
void frame_take(struct ota *ota, uint8_t byte);

/* The same with the next byte that has come; false: there is none, or a frame waits. */
bool frame_listen(struct ota *ota);

/* True if a frame came that is whole, its CRC right: now it is in ota->frame, ota->frame_count bytes long, CRC included. It must
 * be used before the next call. */
bool frame_next(struct ota *ota);

/* Appends the CRC to the `count` bytes in ota->frame and sends them. */
void frame_send(struct ota *ota, uint16_t count);

#endif
