/* otaflash_avr.c: the library on an AVR. The loader keeps a table of its functions at the end of the flash; they are called
 * where they lie, with RAM of the program's. What they need of the program they get by one function, whose address they
 * find in GPIOR1 and GPIOR2. firmware/ports/avr/port.c is the other side. */
#ifdef __AVR__

#include "otaflash.h"

#include <avr/io.h>
#include <avr/pgmspace.h>
#include <stddef.h>

#define TABLE_MAGIC 0x4F31U
#define LOADER_MILLIS (-1)
#define STAYS 1U

/* Words of the table; those from START on are functions. */
enum word { MAGIC, ANSWERING_BYTES, STAGING_BYTES, START, TAKE, CONFIRM, INFO, RESTART, WORDS };

/* Of the info record (protocol/PROTOCOL.md). */
#define INFO_BYTES 88U
#define INFO_TRIALS_MAX 48U
#define INFO_BOOT_STATE 50U
#define INFO_TRIALS_USED 51U
#define INFO_IMAGE_BYTES 60U
#define INFO_IMAGE_COUNTER 64U
#define INFO_MAJOR 68U
#define INFO_MINOR 69U
#define INFO_PATCH 70U
#define INFO_BUILD 72U
#define INFO_IMAGE_CRC 84U
#define BOOT_IDLE 1U
#define BOOT_TRIAL 2U

static const struct otaflash_line *line;
static uint8_t *lent; /* NULL: nothing has begun */

static uint16_t table(enum word word)
{
#if FLASHEND > 0xFFFFU
    return pgm_read_word_far(FLASHEND + 1UL - 2UL * WORDS + 2UL * word);
#else
    return pgm_read_word(FLASHEND + 1U - 2U * WORDS + 2U * word);
#endif
}

/* What the loader's code asks of the program. */
static uint16_t serve(int16_t what)
{
    if (line == NULL) {
        return 0;
    }
    if (what == LOADER_MILLIS) {
        return line->millis();
    }
    line->send((uint8_t)what);
    return 0;
}

/* Where the loader's function lies; before any call of it the program's own is put where it is looked for. */
static uint16_t function(enum word word)
{
    uint16_t at = (uint16_t)(uintptr_t)serve;

    GPIOR1 = (uint8_t)at;
    GPIOR2 = (uint8_t)(at >> 8);
    return table(word);
}

static void start(uint8_t *ram, bool stages)
{
    ((void (*)(uint8_t *, bool))function(START))(ram, stages);
}

static void info(uint8_t *ram, uint8_t *to)
{
    ((void (*)(uint8_t *, uint8_t *))function(INFO))(ram, to);
}

static bool is_there(void)
{
    return table(MAGIC) == TABLE_MAGIC && table(ANSWERING_BYTES) <= OTAFLASH_ANSWERS_BYTES;
}

static uint32_t u32(const uint8_t *from)
{
    return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

/* RAM for one call of the program's: what is lent, if any is, since it knows where an update has got to. */
static uint8_t *begun(uint8_t *spare)
{
    if (lent != NULL) {
        return lent;
    }
    start(spare, false);
    return spare;
}

static enum otaflash_state state_of(uint8_t boot_state)
{
    if (boot_state == BOOT_TRIAL) {
        return OTAFLASH_TRIAL;
    }
    return boot_state == BOOT_IDLE ? OTAFLASH_KEPT : OTAFLASH_ANOTHER;
}

static struct otaflash_image read(uint8_t *ram)
{
    struct otaflash_image image;
    uint8_t record[INFO_BYTES];

    info(ram, record);
    image.state = state_of(record[INFO_BOOT_STATE]);
    image.trials_used = record[INFO_TRIALS_USED];
    image.trials_max = record[INFO_TRIALS_MAX];
    image.major = record[INFO_MAJOR];
    image.minor = record[INFO_MINOR];
    image.patch = (uint16_t)(record[INFO_PATCH] | (uint16_t)(record[INFO_PATCH + 1U] << 8));
    image.build = u32(record + INFO_BUILD);
    image.bytes = u32(record + INFO_IMAGE_BYTES);
    image.counter = u32(record + INFO_IMAGE_COUNTER);
    image.crc = u32(record + INFO_IMAGE_CRC);
    return image;
}

struct otaflash_image otaflash_image(void)
{
    struct otaflash_image none = {OTAFLASH_NO_LOADER, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    uint8_t spare[OTAFLASH_ANSWERS_BYTES];

    return is_there() ? read(begun(spare)) : none;
}

bool otaflash_on_trial(void)
{
    return otaflash_image().state == OTAFLASH_TRIAL;
}

/* The loader's function says no to an image that is not on trial, so it is asked what is so afterwards. */
bool otaflash_confirm(void)
{
    uint8_t spare[OTAFLASH_ANSWERS_BYTES];
    uint8_t *ram;

    if (!is_there()) {
        return false;
    }
    ram = begun(spare);
    (void)((uint8_t(*)(uint8_t *))function(CONFIRM))(ram);
    return read(ram).state == OTAFLASH_KEPT;
}

enum otaflash_service otaflash_begin(const struct otaflash_line *with, uint8_t *ram, uint16_t bytes)
{
    bool stages;

    if (!is_there() || bytes < table(ANSWERING_BYTES)) {
        return OTAFLASH_NOTHING;
    }
    stages = bytes >= table(STAGING_BYTES);
    line = with;
    start(ram, stages);
    lent = ram;
    return stages ? OTAFLASH_STAGES : OTAFLASH_ANSWERS;
}

/* A byte, or else a step of what is due: never both, so that a step is not made while bytes wait. */
void otaflash_poll(void)
{
    int16_t byte;

    if (lent == NULL) {
        return;
    }
    do {
        byte = line->receive();
        ((void (*)(uint8_t *, int16_t))function(TAKE))(lent, byte);
    } while (byte >= 0);
}

void otaflash_enter(void)
{
    if (is_there()) {
        ((void (*)(uint8_t))function(RESTART))(STAYS);
    }
}

#endif
