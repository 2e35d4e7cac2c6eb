#include <stddef.h>
#include <string.h>

#include "boot.h"
#include "frame.h"
#include "session.h"
#include "stage.h"

#define REPLY_FIRST 100U /* longest reply until a host says what it takes */
#define NEVER_MS 65535U
#define BYTES_AT_ONCE 32U /* without end, a line that brings noise would keep the watchdog from its food */

static void start(struct ota *ota, enum ota_mode mode)
{
    memset(ota, 0, offsetof(struct ota, frame));
    ota->mode = (uint8_t)mode;
    ota->reply_bytes = REPLY_FIRST < OTA_FRAME_BYTES ? (uint16_t)REPLY_FIRST : OTA_FRAME_BYTES;
    boot_recover(ota);
    ota->since_ms = port_millis();
}

void ota_start(struct ota *ota)
{
    start(ota, OTA_MODE_LOADER);
    ota->stays = port_request() == OTA_REQUEST_STAY;
}

/* The window that is left, in ms; NEVER_MS: nothing to leave for. */
static uint16_t window_left(const struct ota *ota)
{
    uint16_t window = ota->stays ? OTA_STAY_MS : OTA_ENTRY_WINDOW_MS;
    uint16_t past = (uint16_t)(port_millis() - ota->since_ms);

    if (!boot_runs(ota)) {
        return NEVER_MS;
    }
    return past < window ? (uint16_t)(window - past) : 0U;
}

/* What had to wait for the reply to be sent. */
static void do_after(struct ota *ota)
{
    uint8_t after = ota->after;

    if (after == AFTER_NOTHING) {
        return;
    }
    ota->after = AFTER_NOTHING;
    if (after <= AFTER_STAY || ota->mode != OTA_MODE_LOADER) {
        port_restart(after == AFTER_STAY ? OTA_REQUEST_STAY : OTA_REQUEST_NONE);
    }
    boot_walk(ota, 0);
    ota->since_ms = port_millis();
    if (after == AFTER_SWAP) {
        boot_leave(ota);
    }
}

/* Answers the frame that waits; false: none does. */
static bool serve(struct ota *ota)
{
    bool firm = ota->boot != OTA_BOOT_STATE_SWAPPING;

    if (!frame_next(ota)) {
        return false;
    }
    session_serve(ota);
    /* A decision that could not be recorded leaves RAM and flash at odds: the record that stands decides anew. */
    if (firm && ota->boot == OTA_BOOT_STATE_SWAPPING && ota->mode == OTA_MODE_LOADER) {
        ota->after = AFTER_RESTART;
    }
    do_after(ota);
    return true;
}

/* Takes what is here, a few bytes or up to the end of a frame; true if there was any. */
static bool listen(struct ota *ota)
{
    bool heard = false;

    for (uint8_t left = BYTES_AT_ONCE; left != 0U && frame_listen(ota); left--) {
        heard = true;
    }
    return serve(ota) || heard;
}

bool ota_meanwhile(struct ota *ota)
{
    return stage_meanwhile(ota) || frame_listen(ota);
}

void ota_poll(struct ota *ota)
{
    port_feed();
    if (listen(ota)) {
        return;
    }
    if (stage_busy(ota)) {
        stage_work(ota);
    } else if (window_left(ota) == 0U) {
        boot_leave(ota);
    }
}

bool ota_idle(const struct ota *ota, uint16_t *wait_ms)
{
    *wait_ms = ota->mode != OTA_MODE_LOADER ? NEVER_MS : window_left(ota);
    return !stage_busy(ota) && !ota->waits && *wait_ms != 0U;
}

void ota_app_start(struct ota *ota, bool stages)
{
    start(ota, stages ? OTA_MODE_STAGING : OTA_MODE_APPLICATION);
    if (ota->boot == OTA_BOOT_STATE_NO_IMAGE) {
        ota->mode = OTA_MODE_APPLICATION; /* by the record another image runs: the loader settles that before any update */
    }
}

void ota_app_take(struct ota *ota, int16_t byte)
{
    if (byte >= 0) {
        frame_take(ota, (uint8_t)byte);
        (void)serve(ota);
    } else if (stage_busy(ota)) {
        stage_work(ota);
    }
}

void ota_app_poll(struct ota *ota)
{
    ota_app_take(ota, port_receive());
}

enum ota_result ota_app_confirm(struct ota *ota)
{
    return ota->boot == OTA_BOOT_STATE_TRIAL ? boot_confirm(ota) : OTA_FAILED;
}
