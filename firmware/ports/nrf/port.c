/* port.c of what is alike in nRF51 and nRF52: flash by the NVMC, UART0 at 115,200 baud, milliseconds of RTC0. What differs
 * stands in the port's own port_config.h, start.S and link.ld. An application that answers requests links it too; what
 * only the loader does is in loader.c.
 *
 * The UART has six bytes of buffer, half a millisecond; a block of SHA-256 or a chunk being programmed takes longer. So an
 * interrupt takes the bytes into a ring. */
#include <string.h>

#include "chip.h"
#include "encoding.h"
#include "messages.h"
#include "port.h"
#include "scheme.h"
#include "start.h"
#include "state.h"

#define RING_BYTES 2048U /* a power of two */
/* 33 cycles of 32,768 Hz: a "millisecond" of 1.007 ms. The counter has 24 bits, so its low 16 wrap as the contract says. */
#define RTC_PRESCALE 32U
/* Not the number of a request: an application may use the register for its own ends. */
#define STAY_MAGIC 0x4FU

static volatile uint8_t ring[RING_BYTES];
static volatile uint16_t ring_in; /* written by the interrupt alone */
static volatile uint16_t ring_out; /* written by port_receive alone */
static bool sending; /* a byte is on its way: TXDRDY will come */

/* The slots and record units lie one after the other, so a logical page is an address by its number. */
static uint32_t address_of(uint16_t page, uint16_t offset)
{
    return PORT_SLOT_BASE + (uint32_t)page * OTA_PAGE_BYTES + offset;
}

/* --- flash ---------------------------------------------------------------------------------------------------------- */

static void nvmc_wait(void)
{
    while ((NVMC_READY & 1U) == 0U) {
    }
}

void port_read(uint16_t page, uint16_t offset, uint8_t *to, uint16_t count)
{
    memcpy(to, (const void *)address_of(page, offset), count);
}

/* The NVMC reports no failure; the core reads back what it wrote. */
enum ota_result port_erase(uint16_t page)
{
    NVMC_CONFIG = NVMC_ERASE;
    NVMC_ERASEPAGE = address_of(page, 0);
    nvmc_wait();
    NVMC_CONFIG = NVMC_READ;
    return OTA_OK;
}

/* A word that reads as asked is programmed all the same. It may read so from a cell that a cut left weak, and then only
 * programming makes it firm: the core's refresh at each boot rests on that. The price is the data sheet's limit of two
 * writes between erases, which body and seal of the standing record pass (README.md of each port). */
enum ota_result port_program(uint16_t page, uint16_t offset, const uint8_t *from, uint16_t count)
{
    volatile uint32_t *to = (volatile uint32_t *)address_of(page, offset);
    uint32_t word;

    NVMC_CONFIG = NVMC_WRITE;
    for (; count > 0U; count = (uint16_t)(count - sizeof word), from += sizeof word, to++) {
        memcpy(&word, from, sizeof word);
        if (word != 0xFFFFFFFFU) {
            *to = word;
            nvmc_wait();
        }
    }
    NVMC_CONFIG = NVMC_READ;
    return OTA_OK;
}

#define U16(value) (uint8_t)((value) & 0xFFU), (uint8_t)((value) >> 8)

void port_identity(uint8_t *to)
{
    static const uint8_t identity[OTA_IDENTITY_BYTES] = {
        OTA_PROTOCOL_VERSION, OTA_PROTOCOL_VERSION,
        PORT_BOARD,
        0, 0, 0, 0, 0, 0, 0, 0, /* uid */
        U16(OTA_PAGE_BYTES), U16(OTA_BLOCK_BYTES), U16(OTA_SLOT_PAGES), U16(2U * OTA_SLOT_PAGES + 1U),
        U16(OTA_FRAME_BYTES),
        U16(0U), /* no bound on what is unreported: the ring holds what comes while the core computes */
        U16(PORT_STALL_MS),
        U16(PORT_SLOT_BASE), U16(0U),
        U16(OTA_ENCODINGS), U16(OTA_SCHEMES), OTA_TRIALS};

    memcpy(to, identity, sizeof identity);
    memcpy(to + OTA_INFO_UID, FICR_DEVICEID, OTA_UID_BYTES);
}

/* --- line ------------------------------------------------------------------------------------------------------------- */

/* Everything that interrupts the loader comes here; all but the UART is a fault of ours, and a reset the way out. */
void interrupt(void)
{
    uint32_t number;

    __asm volatile("mrs %0, ipsr" : "=r"(number));
    if (number != 16U + UART_IRQ) {
        SCB_AIRCR = SCB_RESET;
    }
    while (UART_RXDRDY != 0U) {
        uint16_t next = (uint16_t)((ring_in + 1U) % RING_BYTES);

        UART_RXDRDY = 0; /* before the byte is taken: the next one sets it again */
        ring[ring_in] = (uint8_t)UART_RXD;
        if (next != ring_out) {
            ring_in = next;
        }
    }
}

int16_t port_receive(void)
{
    uint16_t at = ring_out;
    int16_t byte;

    if (at == ring_in) {
        return -1;
    }
    byte = ring[at];
    ring_out = (uint16_t)((at + 1U) % RING_BYTES);
    return byte;
}

static void drain(void)
{
    while (sending && UART_TXDRDY == 0U) {
    }
    UART_TXDRDY = 0;
    sending = false;
}

void port_send(uint8_t byte)
{
    drain();
    UART_TXD = byte;
    sending = true;
}

/* --- clock, CPU ------------------------------------------------------------------------------------------------------ */

uint16_t port_millis(void)
{
    return (uint16_t)RTC_COUNTER;
}

/* A watchdog that a trial started runs on through a soft reset, so it is fed whether or not it runs. */
void port_feed(void)
{
    WDT_RR0 = WDT_RELOAD;
}

uint8_t port_request(void)
{
    bool stay = POWER_GPREGRET == STAY_MAGIC;

    POWER_GPREGRET = 0;
    return stay ? OTA_REQUEST_STAY : OTA_REQUEST_NONE;
}

void port_restart(uint8_t request)
{
    drain();
    if (request == OTA_REQUEST_STAY) {
        POWER_GPREGRET = STAY_MAGIC;
    }
    for (;;) {
        SCB_AIRCR = SCB_RESET;
    }
}

void port_start(void)
{
    CLOCK_HFCLKSTART = 1; /* the crystal takes over when it runs; the RC oscillator may be too far off for a UART */
    CLOCK_LFCLKSTART = 1;
    RTC_PRESCALER = RTC_PRESCALE;
    RTC_START = 1;
    GPIO_OUTSET = 1U << PIN_TXD;
    GPIO_DIRSET = 1U << PIN_TXD;
    GPIO_PIN_CNF(PIN_RXD) = 0; /* input, buffer connected */
    UART_PSELTXD = PIN_TXD;
    UART_PSELRXD = PIN_RXD;
    UART_BAUDRATE = UART_BAUD_115200;
    UART_ENABLE = UART_ENABLED;
    UART_INTENSET = UART_INT_RXDRDY;
    UART_STARTTX = 1;
    UART_STARTRX = 1;
    NVIC_ISER = 1U << UART_IRQ;
}

void port_stop(void)
{
    drain();
    UART_INTENCLR = UART_INT_RXDRDY;
    NVIC_ICER = 1U << UART_IRQ;
    UART_STOPRX = 1;
    UART_STOPTX = 1;
    UART_ENABLE = 0;
    UART_RXDRDY = 0;
    NVIC_ICPR = 1U << UART_IRQ;
    RTC_STOP = 1;
    RTC_CLEAR = 1;
    RTC_PRESCALER = 0;
    CLOCK_LFCLKSTOP = 1;
}
