/* gaps.h: what of an image is missing, as a report lists it. */
#ifndef OTA_GAPS_H
#define OTA_GAPS_H

#include "state.h"

/* Writes gaps from `start` on, at most `room` bytes of them; returns how many bytes, and in `more` if the list was cut. */
uint16_t gaps_write(const struct ota *ota, uint16_t start, uint8_t *gaps, uint16_t room, bool *more);

#endif
