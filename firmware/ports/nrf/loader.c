/* loader.c of nRF51 and nRF52: the loader's main, and how it hands over. */
#include "chip.h"
#include "ota.h"
#include "start.h"
#include "state.h"

#define WATCHDOG_TICKS (4U * 32768U)

static struct ota loader;

void port_jump(bool trial)
{
    port_stop();
    if (trial) {
        WDT_CONFIG = WDT_RUN_IN_SLEEP;
        WDT_CRV = WATCHDOG_TICKS;
        WDT_RREN = 1;
        WDT_START = 1;
    }
    start_image(PORT_SLOT_BASE);
}

int main(void)
{
    port_start();
    ota_start(&loader);
    for (;;) {
        ota_poll(&loader);
    }
}
