#include <stddef.h>
#include <string.h>

#include "boot.h"
#include "frame.h"
#include "session.h"
#include "stage.h"

#define REPLY_FIRST 100U /* longest reply until a host says what it takes */
#define NEVER_MS 65535U

static void start(struct ota *ota, bool application)
{
    memset(ota, 0, offsetof(struct ota, manifest));
    ota->application = application;
    ota->reply_bytes = REPLY_FIRST < OTA_FRAME_BYTES ? (uint16_t)REPLY_FIRST : OTA_FRAME_BYTES;
    boot_recover(ota);
    ota->since_ms = port_millis();
}

void ota_start(struct ota *ota)
{
    start(ota, false);
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

    ota->after = AFTER_NOTHING;
    if (after == AFTER_RESTART || after == AFTER_STAY) {
        port_restart(after == AFTER_STAY ? OTA_REQUEST_STAY : OTA_REQUEST_NONE);
    }
    if (after != AFTER_NOTHING) {
        boot_walk(ota, 0);
        ota->since_ms = port_millis();
    }
    if (after == AFTER_SWAP) {
        boot_leave(ota);
    }
}

/* Takes a byte if one is here; true if there was one. */
static bool listen(struct ota *ota)
{
    int16_t byte = port_receive();
    bool firm = ota->boot != OTA_BOOT_STATE_SWAPPING;

    if (byte < 0) {
        return false;
    }
    if (frame_take(ota, (uint8_t)byte)) {
        session_serve(ota);
        /* A decision that could not be recorded leaves RAM and flash at odds: the record that stands decides anew. */
        if (firm && ota->boot == OTA_BOOT_STATE_SWAPPING && !ota->application) {
            ota->after = AFTER_RESTART;
        }
        do_after(ota);
    }
    return true;
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
    *wait_ms = ota->application ? NEVER_MS : window_left(ota);
    return !stage_busy(ota) && *wait_ms != 0U;
}

void ota_app_start(struct ota *ota)
{
    start(ota, true);
}

void ota_app_poll(struct ota *ota)
{
    (void)listen(ota);
}

enum ota_result ota_app_confirm(struct ota *ota)
{
    return ota->boot == OTA_BOOT_STATE_TRIAL ? boot_confirm(ota) : OTA_FAILED;
}
