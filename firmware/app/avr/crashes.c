/* crashes: blinks twice, then hangs. On trial the watchdog resets it, and three starts later the image before it is back. */
#include "example.h"

int main(void)
{
    uint8_t lines = 0;

    example_start();
    while (lines < 2U) {
        lines = (uint8_t)(lines + example_tick(PSTR("crashes " EXAMPLE_VERSION "\r\n")));
    }
    for (;;) {
    }
}
