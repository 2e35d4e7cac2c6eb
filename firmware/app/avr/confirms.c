/* confirms: blinks, and keeps itself once it has done so three times. Answers no host. */
#include "example.h"

int main(void)
{
    uint8_t lines = 0;

    example_start();
    for (;;) {
        if (example_tick(PSTR("confirms " EXAMPLE_VERSION "\r\n")) && lines < 3U && ++lines == 3U) {
            if (otaflash_confirm()) {
                uart_say(PSTR("kept\r\n"));
            }
        }
    }
}
