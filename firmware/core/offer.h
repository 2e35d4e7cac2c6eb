/* offer.h: manifest and signature, taken in order, judged before any flash is touched. */
#ifndef OTA_OFFER_H
#define OTA_OFFER_H

#include "state.h"

/* Takes a part that begins at `offset`; the answer is a reason, and ota->offer_next says what is expected. */
uint8_t offer_take(struct ota *ota, uint16_t offset, const uint8_t *part, uint16_t count);

#endif
