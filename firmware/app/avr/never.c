/* never: blinks, answers a host, and leaves the decision to it. Where none decides, three starts later the image before it
 * is back. */
#include "example.h"

OTAFLASH_RAM(ram, OTAFLASH_ANSWERS_BYTES);

int main(void)
{
    example_start();
    (void)otaflash_begin(&uart_line, ram, sizeof ram);
    for (;;) {
        otaflash_poll();
        (void)example_tick(PSTR("never " EXAMPLE_VERSION "\r\n"));
    }
}
