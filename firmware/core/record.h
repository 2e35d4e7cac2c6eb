/* record.h: the boot record: decisions as whole records in two erase units, progress and trials as marks that are only
 * cleared (firmware/DESIGN.md; the algorithm is a model's, and binding to the letter).
 *
 * A unit: body (32 bytes), at 48 the seal, then 2 * OTA_SLOT_PAGES progress marks, then 16 trial marks; each mark is
 * OTA_MARK_BYTES long. Every cell is believed once a boot: a body is read again only where its CRC is wrong. The body stands
 * in RAM as it does in flash. */
#ifndef OTA_RECORD_H
#define OTA_RECORD_H

#include "state.h"

enum record_kind {
    RECORD_IDLE = 1,    /* the old image runs */
    RECORD_REVERT = 2,  /* the old image is swapped back, then runs */
    RECORD_SINGLE = 3,  /* an image is being received in place: nothing to start */
    RECORD_APPLY = 4,   /* the new image is swapped in, then on trial */
    RECORD_CONFIRM = 5  /* the new image runs for good */
};

/* Places in the body; what lies between counter and CRC is 0xFF. */
#define RECORD_GENERATION 0
#define RECORD_KIND 2
#define RECORD_BASE 4 /* first step of the walk that is not known to be done */
#define RECORD_OLD 6  /* image */
#define RECORD_NEW 12 /* image */
#define RECORD_COUNTER 18
#define RECORD_CRC 28

/* Marks of a unit by number. */
#define MARK_SEAL ((uint16_t)0)
#define MARK_STEP(k) ((uint16_t)(1U + (k)))
#define MARK_TRIAL(t) ((uint16_t)(1U + 2U * OTA_SLOT_PAGES + (t)))
#define RECORD_MARKS_OFFSET 48

/* Finds the record that stands; false: there is none, and ota->record says IDLE without an image. */
bool record_load(struct ota *ota);

/* Programs body and seal of the standing record again: what is acted on must not be weak. */
enum ota_result record_refresh(struct ota *ota);

/* Makes what ota->record says a decision of this kind: erase the other unit, body, read back, seal. On OTA_FAILED the
 * record before still stands in flash, and ota->boot says that the flash fails: only a reset leads on. */
enum ota_result record_commit(struct ota *ota, enum record_kind kind, uint16_t base);

/* Erases the unit that does not hold the standing record. */
enum ota_result record_erase_other(const struct ota *ota);

bool record_marked(struct ota *ota, uint16_t mark);
enum ota_result record_mark(struct ota *ota, uint16_t mark);

#endif
