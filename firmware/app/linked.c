/* linked.c: the library of a program that links the core and a port. The RAM that it lends is the core's one struct, or as
 * much of it as answering takes. */
#include <stddef.h>

#include "messages.h"
#include "otaflash.h"
#include "session.h"
#include "state.h"

#define SPARE_WORDS ((OTA_ANSWERING_BYTES + 3U) / 4U)

static struct ota *begun; /* NULL: nothing has */

/* The image runs already. */
void port_jump(bool trial)
{
    (void)trial;
    port_restart(OTA_REQUEST_NONE);
    for (;;) {
    }
}

/* What is lent, if anything is: it knows where an update has got to. */
static struct ota *started(void *spare)
{
    if (begun != NULL) {
        return begun;
    }
    ota_app_start(spare, false);
    return spare;
}

static enum otaflash_state state_of(const struct ota *ota)
{
    if (ota->boot == OTA_BOOT_STATE_TRIAL) {
        return OTAFLASH_TRIAL;
    }
    return ota->boot == OTA_BOOT_STATE_IDLE ? OTAFLASH_KEPT : OTAFLASH_ANOTHER;
}

struct otaflash_image otaflash_image(void)
{
    uint32_t spare[SPARE_WORDS];
    struct ota *ota = started(spare);
    struct otaflash_image image;
    uint8_t info[OTA_INFO_BYTES];

    session_info(ota, info);
    image.state = state_of(ota);
    image.trials_used = info[OTA_INFO_TRIALS_USED];
    image.trials_max = info[OTA_INFO_TRIALS_MAX];
    image.major = info[OTA_INFO_VERSION + OTA_VERSION_MAJOR];
    image.minor = info[OTA_INFO_VERSION + OTA_VERSION_MINOR];
    image.patch = get_u16(info + OTA_INFO_VERSION + OTA_VERSION_PATCH);
    image.build = get_u32(info + OTA_INFO_VERSION + OTA_VERSION_BUILD);
    image.bytes = get_u32(info + OTA_INFO_IMAGE_BYTES);
    image.counter = get_u32(info + OTA_INFO_IMAGE_COUNTER);
    image.crc = get_u32(info + OTA_INFO_IMAGE_CRC);
    return image;
}

bool otaflash_on_trial(void)
{
    return otaflash_image().state == OTAFLASH_TRIAL;
}

bool otaflash_confirm(void)
{
    uint32_t spare[SPARE_WORDS];
    struct ota *ota = started(spare);

    return ota->boot == OTA_BOOT_STATE_IDLE || ota_app_confirm(ota) == OTA_OK;
}

enum otaflash_service otaflash_begin(const struct otaflash_line *line, uint8_t *ram, uint16_t bytes)
{
    bool stages = bytes >= sizeof *begun;

    (void)line; /* the port has the UART */
    if (bytes < OTA_ANSWERING_BYTES) {
        return OTAFLASH_NOTHING;
    }
    begun = (struct ota *)(void *)ram;
    ota_app_start(begun, stages);
    return stages ? OTAFLASH_STAGES : OTAFLASH_ANSWERS;
}

void otaflash_poll(void)
{
    if (begun != NULL) {
        ota_app_poll(begun);
    }
}

void otaflash_enter(void)
{
    port_restart(OTA_REQUEST_STAY);
}
