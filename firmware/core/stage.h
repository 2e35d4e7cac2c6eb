/* stage.h: the image that is being received: which blocks are here, pages erased and programmed, the digest of what is. */
#ifndef OTA_STAGE_H
#define OTA_STAGE_H

#include "state.h"

/* Begins with an empty map for the manifest in ota->manifest. */
void stage_start(struct ota *ota);

/* Goes on with the map that is there: the state follows from what is held. */
void stage_continue(struct ota *ota);

/* Takes one block of OTA_BLOCK_BYTES; a place that is held already is left as it is. `place` is within the image. */
void stage_block(struct ota *ota, uint16_t place, const uint8_t *data);

/* Does a little of what is left to do: a block of the digest. */
bool stage_busy(const struct ota *ota);
void stage_work(struct ota *ota);

/* Credit: places below it may be sent now. */
uint16_t stage_limit(const struct ota *ota);

/* Where an erase stalls the receiver: erases ahead if all credit is used up. Called when the host awaits a report that it
 * asked for with a block: whoever only looks (Offer, Report, Survey) must not cost a page that a survey would find. */
void stage_extend(struct ota *ota);

/* Compares a page with the first four bytes of its digest: one that agrees is held, one wholly held that does not is
 * void, one held in part is being received and left alone. */
bool stage_survey(struct ota *ota, uint16_t page, const uint8_t digest[4]);

/* Digests a block of what look_ahead laid out; false: there is none. Reads no flash and calls no port_*. */
bool stage_meanwhile(struct ota *ota);

/* Programs what waits in `chunk`. */
void stage_flush(struct ota *ota);

/* True if the offer is for the single slot. */
bool stage_single(const struct ota *ota);

/* Logical page that page `page` of the image is staged at. */
uint16_t stage_page(const struct ota *ota, uint16_t page);

#endif
