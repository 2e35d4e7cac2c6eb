/* stage.h: the image that is being received: which blocks are here, pages erased and programmed, the digest of what is. */
#ifndef OTA_STAGE_H
#define OTA_STAGE_H

#include "state.h"

/* Begins with an empty map for the manifest in ota->manifest. */
void stage_start(struct ota *ota);

/* The state follows from what is held; call after the session changed hands. */
void stage_continue(struct ota *ota);

/* Takes one block of OTA_BLOCK_BYTES; a place that is held already is left as it is. `place` is within the image. */
void stage_block(struct ota *ota, uint16_t place, const uint8_t *data);

/* Does a little of what is left to do: a digest block. True if there was anything. */
bool stage_work(struct ota *ota);
bool stage_busy(const struct ota *ota);

/* Credit: places below it may be sent now. */
uint16_t stage_limit(const struct ota *ota);

/* Where an erase stalls the receiver: erases ahead if all credit is used up. Called when the host awaits a report. */
void stage_extend(struct ota *ota);

/* Writes gaps from `start` on, at most `room` bytes; true if the list was cut short. */
bool stage_gaps(const struct ota *ota, uint16_t start, uint8_t *gaps, uint16_t room, uint16_t *used);

/* Compares a page with the first four bytes of its digest: agrees: held; wholly held and disagrees: voided. */
bool stage_survey(struct ota *ota, uint16_t page, const uint8_t digest[4]);

/* Programs what waits in `chunk`. */
void stage_flush(struct ota *ota);

bool stage_single(const struct ota *ota);

#endif
