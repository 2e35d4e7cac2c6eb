/* record.h: the boot record: decisions as whole records in two erase units, progress and trials as marks that are only
 * cleared (firmware/DESIGN.md; the algorithm is a model's, and binding to the letter).
 *
 * A unit: body (32 bytes), at 48 the seal, then 2 * OTA_SLOT_PAGES progress marks, then 16 trial marks; each mark is
 * OTA_MARK_BYTES long. Every cell is read at most once a boot. */
#ifndef OTA_RECORD_H
#define OTA_RECORD_H

#include "state.h"

enum record_kind {
    RECORD_IDLE = 1,    /* old_image runs */
    RECORD_APPLY = 2,   /* new_image is swapped in, then on trial */
    RECORD_CONFIRM = 3, /* new_image runs for good */
    RECORD_REVERT = 4,  /* old_image is swapped back, then runs */
    RECORD_SINGLE = 5   /* new_image is being received in place: nothing to start */
};

/* Marks of a unit by number. */
#define MARK_SEAL ((uint16_t)0)
#define MARK_STEP(k) ((uint16_t)(1U + (k)))
#define MARK_TRIAL(t) ((uint16_t)(1U + 2U * OTA_SLOT_PAGES + (t)))
#define MARK_TRIALS_MAX 16U
#define RECORD_BODY_BYTES 32
#define OTA_MARK_BYTES_MAX 16
#define RECORD_MARKS_OFFSET 48

/* Finds the record that stands; false: there is none, and `record` says IDLE without an image. */
bool record_load(struct ota *ota);

/* Programs body and seal of the standing record again: what is acted on must not be weak. */
enum ota_result record_refresh(struct ota *ota);

/* Makes a decision true: erase the other unit, body, read back, seal. On OTA_FAILED the old record stands. */
enum ota_result record_write(struct ota *ota, enum record_kind kind, struct ota_image old_image,
                             struct ota_image new_image, uint16_t base);

/* Erases the unit that does not hold the standing record. */
enum ota_result record_erase_other(const struct ota *ota);

bool record_marked(const struct ota *ota, uint16_t mark);
enum ota_result record_mark(const struct ota *ota, uint16_t mark);

#endif
