/* ota.h: the bootloader core as a port's main() and an application see it. Knows only port.h. */
#ifndef OTA_H
#define OTA_H

#include "port.h"

struct ota; /* all state; defined in state.h, sized by port_config.h */

/* The loader, after a reset: recovers what a cut left undone (may walk a whole swap), then listens. A port's main:
 *     ota_start(&ota); for (;;) ota_poll(&ota);
 * ota_poll takes what has arrived, does a little work that is due, and leaves for the image when its time has come. */
void ota_start(struct ota *ota);
void ota_poll(struct ota *ota);

/* True if nothing is left to do now; the next thing to do then comes with a byte or after `*wait_ms` (65535: never). */
bool ota_idle(const struct ota *ota, uint16_t *wait_ms);

/* A port whose CPU runs on while its flash is busy says OTA_MEANWHILE, and calls this meanwhile, again and again until the flash
 * is ready: a little of the digest is made, from RAM, and what has arrived is taken, up to a whole frame. Reads no flash and
 * calls port_receive alone. False: nothing is left to do now. */
bool ota_meanwhile(struct ota *ota);

/* The same dispatch inside an application: answers Inspect, Confirm, Revert, Enter and Reboot. The start reads the whole
 * image once and programs the standing record again. One that stages takes an update while it runs, and restarts
 * for the swap alone; one that does not needs only OTA_ANSWERING_BYTES of the struct (state.h). */
void ota_app_start(struct ota *ota, bool stages);
void ota_app_poll(struct ota *ota);

/* The poll of an application that receives by itself: a byte of the line, or -1 where none is here. */
void ota_app_take(struct ota *ota, int16_t byte);

/* Keeps the running image for good, from the application's own decision. OTA_FAILED: it is not on trial or the flash fails. */
enum ota_result ota_app_confirm(struct ota *ota);

#endif
