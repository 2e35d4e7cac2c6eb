/* boot.h: what runs and why: recovery, swap, trial, confirm, revert. */
#ifndef OTA_BOOT_H
#define OTA_BOOT_H

#include "state.h"

/* After a reset: finds the record, ends what a cut left undone, and says in boot and trials what is so. In an
 * application it walks nothing: it makes the record that stands firm, and looks. */
void boot_recover(struct ota *ota);

/* The image that is to run, by name. */
uint8_t *boot_running(struct ota *ota);

/* True if there is an image to start: idle or on trial. */
bool boot_runs(const struct ota *ota);

/* Decisions; each is true once OTA_OK is returned. Apply and revert leave the walk to boot_walk. */
enum ota_result boot_apply(struct ota *ota);
enum ota_result boot_confirm(struct ota *ota);
enum ota_result boot_revert(struct ota *ota);

/* Pages that a walk covers: of the longer of both images. */
uint16_t boot_walk_pages(const struct ota *ota);

/* Walks the decided swap or its reverse from step k, then says what is so. */
void boot_walk(struct ota *ota, uint16_t k);

/* Starts the image that is to run; returns only if there is none that is whole. */
void boot_leave(struct ota *ota);

#endif
