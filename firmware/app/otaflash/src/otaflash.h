/* otaflash.h: what a program asks of the bootloader that started it. Plain C, for an Arduino sketch as well.
 *
 *     if (otaflash_on_trial() && all_is_well()) otaflash_confirm();      the program keeps itself
 *
 *     OTAFLASH_RAM(ram, OTAFLASH_STAGES_BYTES);                          lent to the loader's code
 *     otaflash_begin(&line, ram, sizeof ram);                            the program answers, and takes updates
 *     for (;;) { otaflash_poll(); ... }
 *
 * On an AVR the code is the loader's own, called where it lies (README.md). Elsewhere the program links the core and a port,
 * is compiled with OTAFLASH_LINKED, and the port has the UART. */
#ifndef OTAFLASH_H
#define OTAFLASH_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* RAM for otaflash_begin: to answer a host, or to take an update, too. */
#ifdef OTAFLASH_LINKED
#include "state.h"
#define OTAFLASH_ANSWERS_BYTES OTA_ANSWERING_BYTES
#define OTAFLASH_STAGES_BYTES sizeof(struct ota)
#else
#include <avr/io.h>
#if FLASHEND > 0xFFFFU /* ATmega1284P: larger frames and slots */
#define OTAFLASH_ANSWERS_BYTES 1280U
#define OTAFLASH_STAGES_BYTES 3584U
#else
#define OTAFLASH_ANSWERS_BYTES 384U
#define OTAFLASH_STAGES_BYTES 832U
#endif
#endif
#define OTAFLASH_RAM(name, bytes) static uint8_t name[bytes] __attribute__((aligned(4)))

/* What the boot record says of the image that runs. */
enum otaflash_state {
    OTAFLASH_NO_LOADER, /* no loader is here that this library knows: nothing below does anything */
    OTAFLASH_ANOTHER,   /* the record names another image than the one in the slot */
    OTAFLASH_TRIAL,     /* unconfirmed: after trials_max starts the one before comes back */
    OTAFLASH_KEPT       /* confirmed, or there from the start */
};

struct otaflash_image {
    enum otaflash_state state;
    uint8_t trials_used; /* starts on trial, this one included */
    uint8_t trials_max;
    uint8_t major, minor;
    uint16_t patch;
    uint32_t build;
    uint32_t bytes; /* without padding and trailer */
    uint32_t counter; /* security counter */
    uint32_t crc;
};

/* Which image runs. Reads the whole slot once (0.2 s for 10 KB at 16 MHz) and makes the boot record firm. */
struct otaflash_image otaflash_image(void);

bool otaflash_on_trial(void);

/* Keeps the image that runs for good. True if it is kept, also if it was before; false: no loader, another image than the
 * record names, or the flash fails. Takes as long as otaflash_image, three times. */
bool otaflash_confirm(void);

/* The line to the host, as the program has it. */
struct otaflash_line {
    int16_t (*receive)(void);  /* next byte, or -1; never waits */
    void (*send)(uint8_t byte); /* returns once the byte is in the UART itself: a restart may follow */
    uint16_t (*millis)(void);  /* milliseconds, wraps at 65,536 */
};

/* What the program does for a host from now on. */
enum otaflash_service {
    OTAFLASH_NOTHING, /* no loader, or too little RAM */
    OTAFLASH_ANSWERS, /* Inspect, Confirm, Revert, Enter, Reboot */
    OTAFLASH_STAGES   /* and takes an update while it runs */
};

/* Begins to serve: how much, is said by `bytes`. `ram` stays the loader's code's; `line` must stay, too, and is not looked at
 * where the program links a port. */
enum otaflash_service otaflash_begin(const struct otaflash_line *line, uint8_t *ram, uint16_t bytes);

/* Takes what has come and does a piece of the work that is due. To be called as often as the receiver's buffer would
 * overflow otherwise. May restart the chip: after Enter, Reboot, Revert and Apply, once the answer has left. */
void otaflash_poll(void);

/* Restarts into the loader, which then waits for a host. Returns only where there is no loader. */
void otaflash_enter(void);

#ifdef __cplusplus
}
#endif

#endif
