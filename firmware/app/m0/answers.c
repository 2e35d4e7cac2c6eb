/* answers: m0 with the library in it. Answers Inspect, Confirm, Enter and the like while it runs, feeds the watchdog, and
 * says twice a second which version runs, between two zeros, so that no frame is taken for text. With more RAM
 * (-DM0_RAM_BYTES=OTAFLASH_STAGES_BYTES) it takes updates meanwhile; -DM0_KEEPS_AFTER=3: it keeps itself after three lines. */
#include "otaflash.h"
#include "port.h"
#include "start.h"

#ifndef M0_RAM_BYTES
#define M0_RAM_BYTES OTAFLASH_ANSWERS_BYTES
#endif
#ifndef M0_KEEPS_AFTER
#define M0_KEEPS_AFTER 0U
#endif
#define LINE_EVERY_MS 500U
#define WORDS_OF_VECTORS (16U + 3U) /* up to UART0 */

extern uint32_t ram_end;
extern uint32_t bss_start;
extern uint32_t bss_end;
void reset(void);

__attribute__((section(".vectors"), used)) static const void *const vectors[WORDS_OF_VECTORS] = {
    [0] = &ram_end, [1] = (const void *)reset, [16 + 2] = (const void *)interrupt};

OTAFLASH_RAM(ram, M0_RAM_BYTES);

static void say(const char *text)
{
    port_send(0);
    for (; *text != '\0'; text++) {
        port_send((uint8_t)*text);
    }
    port_send(0);
}

void reset(void)
{
    uint16_t said_ms;
    uint16_t lines = 0;

    for (uint32_t *word = &bss_start; word < &bss_end; word++) {
        *word = 0;
    }
    port_start();
    (void)otaflash_begin(NULL, ram, sizeof ram);
    said_ms = port_millis();
    for (;;) {
        otaflash_poll();
        port_feed();
        if ((uint16_t)(port_millis() - said_ms) >= LINE_EVERY_MS) {
            said_ms = port_millis();
            say("m0 " M0_VERSION "\r\n");
            if (++lines == M0_KEEPS_AFTER) {
                (void)otaflash_confirm();
            }
        }
    }
}
