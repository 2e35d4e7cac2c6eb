/* m0: the example program for boards with an nRF51822, and with an nRF52832 (-DPIN_TXD=6U: nRF52 DK). Says on the UART which version runs, over
 * and over, and nothing else: it never feeds the watchdog, so that a trial ends in a reset. Knows nothing of the
 * bootloader but its slot's address, which stands in m0.ld. */
#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define UART_STARTTX REGISTER(0x40002008U)
#define UART_TXDRDY REGISTER(0x4000211CU)
#define UART_ENABLE REGISTER(0x40002500U)
#define UART_PSELTXD REGISTER(0x4000250CU)
#define UART_TXD REGISTER(0x4000251CU)
#define UART_BAUDRATE REGISTER(0x40002524U)
#define TIMER_START REGISTER(0x40008000U)
#define TIMER_CLEAR REGISTER(0x4000800CU)
#define TIMER_CAPTURE REGISTER(0x40008040U)
#define TIMER_BITMODE REGISTER(0x40008508U)
#define TIMER_PRESCALER REGISTER(0x40008510U)
#define TIMER_CC REGISTER(0x40008540U)
#define LINE_EVERY_US 100000U
#ifndef PIN_TXD
#define PIN_TXD 24U /* BBC micro:bit V1 */
#endif

extern uint32_t ram_end;
void reset(void);

__attribute__((section(".vectors"), used)) static const void *const vectors[2] = {&ram_end, (const void *)reset};

static void say(const char *text)
{
    for (; *text != '\0'; text++) {
        UART_TXDRDY = 0;
        UART_TXD = (uint8_t)*text;
        while (UART_TXDRDY == 0U) {
        }
    }
}

void reset(void)
{
    UART_PSELTXD = PIN_TXD;
    UART_BAUDRATE = 0x01D7E000U;
    UART_ENABLE = 4U;
    UART_STARTTX = 1U;
    TIMER_BITMODE = 3U; /* 32 bits of microseconds */
    TIMER_PRESCALER = 4U;
    TIMER_START = 1U;
    for (;;) {
        say("m0 " M0_VERSION "\r\n");
        TIMER_CLEAR = 1U;
        do {
            TIMER_CAPTURE = 1U;
        } while (TIMER_CC < LINE_EVERY_US);
    }
}
