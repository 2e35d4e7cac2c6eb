/* stages: blinks, takes updates while it does so, and keeps itself once it has blinked three times. */
#include "example.h"

OTAFLASH_RAM(ram, OTAFLASH_STAGES_BYTES);

int main(void)
{
    uint8_t lines = 0;

    example_start();
    (void)otaflash_begin(&uart_line, ram, sizeof ram);
    for (;;) {
        otaflash_poll();
        if (example_tick(PSTR("stages " EXAMPLE_VERSION "\r\n")) && lines < 3U && ++lines == 3U) {
            (void)otaflash_confirm();
        }
    }
}
