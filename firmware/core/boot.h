/* boot.h: what runs and why: recovery, swap, trial, confirm, revert. */
#ifndef OTA_BOOT_H
#define OTA_BOOT_H

#include "state.h"

/* After a reset: finds the record, ends what a cut left undone, and says in boot, running and trials what is so. */
void boot_recover(struct ota *ota);

/* In an application: reads what is so, changes nothing. */
void boot_look(struct ota *ota);

/* Decisions; each is true once OTA_OK is returned. boot_apply and boot_revert leave the walk to boot_walk. */
enum ota_result boot_apply(struct ota *ota, struct ota_image image, bool single);
enum ota_result boot_confirm(struct ota *ota);
enum ota_result boot_revert(struct ota *ota);

/* Walks the decided swap or its reverse, then says what is so. */
void boot_walk(struct ota *ota);

/* Starts the image that is to run; returns only if there is none that is whole. */
void boot_leave(struct ota *ota);

/* True if there is an image to start: idle or on trial. */
bool boot_runs(const struct ota *ota);

/* True if the image on trial is whole and has boots left. */
bool boot_trial_holds(const struct ota *ota);

#endif
