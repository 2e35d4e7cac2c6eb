#include <stddef.h>

#include "boot.h"
#include "frame.h"
#include "session.h"
#include "stage.h"

#define REPLY_FIRST 100U /* longest reply until a host says what it takes */
#define NEVER_MS 65535U

static void clear(struct ota *ota)
{
    uint8_t *bytes = (uint8_t *)ota;

    for (uint16_t i = 0; i < offsetof(struct ota, frame); i++) {
        bytes[i] = 0;
    }
    ota->reply_bytes = REPLY_FIRST;
    ota->since_ms = port_millis();
}

void ota_start(struct ota *ota)
{
    clear(ota);
    boot_recover(ota);
    ota->stays = port_request() == OTA_REQUEST_STAY;
    ota->since_ms = port_millis();
}

/* The window that is left, in ms; NEVER_MS: nothing to leave for, or an application, which only a byte wakes. */
static uint16_t window_left(const struct ota *ota)
{
    uint16_t window = ota->stays ? OTA_STAY_MS : OTA_ENTRY_WINDOW_MS;
    uint16_t past = (uint16_t)(port_millis() - ota->since_ms);

    if (ota->application || !boot_runs(ota)) {
        return NEVER_MS;
    }
    return past < window ? (uint16_t)(window - past) : 0U;
}

/* What had to wait for the reply to be sent. */
static void do_after(struct ota *ota)
{
    uint8_t after = ota->after;

    ota->after = AFTER_NOTHING;
    if (after == AFTER_RESTART) {
        port_restart(OTA_REQUEST_NONE);
    }
    if (after == AFTER_STAY) {
        port_restart(OTA_REQUEST_STAY);
    }
    if (after == AFTER_SWAP || after == AFTER_REVERT) {
        boot_walk(ota);
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

    if (byte < 0) {
        return false;
    }
    if (frame_take(ota, (uint8_t)byte)) {
        session_serve(ota);
        do_after(ota);
    }
    return true;
}

void ota_poll(struct ota *ota)
{
    port_feed();
    if (!listen(ota) && !stage_work(ota) && window_left(ota) == 0U) {
        boot_leave(ota);
    }
}

bool ota_idle(const struct ota *ota, uint16_t *wait_ms)
{
    *wait_ms = window_left(ota);
    return !stage_busy(ota) && *wait_ms != 0U;
}

void ota_app_start(struct ota *ota)
{
    clear(ota);
    ota->application = true;
    boot_look(ota);
}

void ota_app_poll(struct ota *ota)
{
    (void)listen(ota);
}

enum ota_result ota_app_confirm(struct ota *ota)
{
    return ota->boot == OTA_BOOT_STATE_TRIAL ? boot_confirm(ota) : OTA_FAILED;
}
