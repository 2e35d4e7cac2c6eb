/* answers: m0 with the library in it. Answers Inspect, Confirm, Enter and the like while it runs, feeds the watchdog, and
 * says twice a second which version runs, between two zeros, so that no frame is taken for text. */
#include "ota.h"
#include "start.h"
#include "state.h"

#define LINE_EVERY_MS 500U
#define WORDS_OF_VECTORS (16U + 3U) /* up to UART0 */

extern uint32_t ram_end;
extern uint32_t bss_start;
extern uint32_t bss_end;
void reset(void);

__attribute__((section(".vectors"), used)) static const void *const vectors[WORDS_OF_VECTORS] = {
    [0] = &ram_end, [1] = (const void *)reset, [16 + 2] = (const void *)interrupt};

static struct ota library;

static void say(const char *text)
{
    port_send(0);
    for (; *text != '\0'; text++) {
        port_send((uint8_t)*text);
    }
    port_send(0);
}

void port_jump(bool trial)
{
    (void)trial;
    port_restart(OTA_REQUEST_NONE);
    for (;;) {
    }
}

void reset(void)
{
    uint16_t said_ms;

    for (uint32_t *word = &bss_start; word < &bss_end; word++) {
        *word = 0;
    }
    port_start();
    ota_app_start(&library, true);
    said_ms = port_millis();
    for (;;) {
        ota_app_poll(&library);
        port_feed();
        if ((uint16_t)(port_millis() - said_ms) >= LINE_EVERY_MS) {
            said_ms = port_millis();
            say("m0 " M0_VERSION "\r\n");
        }
    }
}
