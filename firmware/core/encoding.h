/* encoding.h: the seam for block encodings: one encoding_<name>.c each. */
#ifndef OTA_ENCODING_H
#define OTA_ENCODING_H

#include "state.h"

/* Bit n set: encoding n is decoded. */
#define OTA_ENCODINGS (1U << OTA_ENCODING_RAW)

/* Raw: `data` is whole blocks from `place` on. Anything else is dropped whole. */
void encoding_raw(struct ota *ota, uint16_t place, const uint8_t *data, uint16_t count);

#endif
