/* port.c: AVRs with a boot section, UART0 and a clock as rate.h has them; what sets a chip apart stands in its
 * port_config.h. Flash may be written only by code in the boot section, and nothing below that section can be read
 * meanwhile: what runs then is marked IN_BOOT and calls nothing. */
#include "port.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/pgmspace.h>
#include <avr/wdt.h>
#include <util/delay_basic.h>

#include "chip.h"
#include "encoding.h"
#include "rate.h"
#include "scheme.h"
#include "session.h"
#include "state.h"

#define IN_BOOT __attribute__((noinline, section(".spm")))

#define REQUEST_MAGIC 0x5AC3U
#define UID_ROW 0x0EU /* serial number in the signature row */
#define TRIAL_WATCHDOG WDTO_2S

static struct ota loader;

/* The ring of line.S; its end is a symbol of sections.ld. */
uint8_t line_came[PORT_RING_BYTES] __attribute__((section(".bss.line_came")));

static uint16_t clock_ticks; /* TCNT1 when clock_ms was right */
static uint16_t clock_ms;

uint8_t port_reset_cause;
static uint16_t request_magic __attribute__((section(".noinit")));
static uint8_t request_kept __attribute__((section(".noinit")));
static uint8_t request_check __attribute__((section(".noinit")));

void line_start(void);
void line_send(uint8_t byte);
void port_leave(void) __attribute__((noreturn));

/* The loader's vectors lie in the boot section, an application's never do: so IVSEL tells who calls. No variable of this
 * file may be touched for an application, since its own lie there. */
static inline bool in_application(void)
{
    return (MCUCR & (1U << IVSEL)) == 0U;
}

/* --- in the boot section ------------------------------------------------------------------------------------------- */

/* One SPM, not waited for: what fills the page buffer is done at once. Interrupts are off from the command to the
 * instruction: 4 cycles are all that the chip grants. */
static IN_BOOT void spm(uint8_t command, uint16_t address, uint16_t word)
{
    uint8_t status = SREG;

    cli();
    while ((EECR & (1U << EEPE)) != 0U) { /* an application's write to the EEPROM keeps SPM from working */
    }
    __asm__ volatile("movw r0, %[word]\n\t"
                     "out %[spmcsr], %[command]\n\t"
                     "spm\n\t"
                     "clr r1\n\t"
                     :
                     : [spmcsr] "I"(_SFR_IO_ADDR(SPMCSR)), [command] "r"(command), [word] "r"(word), "z"(address)
                     : "r0", "memory");
    SREG = status;
}

/* Erases or writes a page, and works meanwhile; only when the rest of the flash can be read again does it return. */
static IN_BOOT void spm_page(uint8_t command, uint16_t address)
{
    uint8_t status = SREG;
    bool own = !in_application();

    if (!own) {
        cli(); /* an application's vectors cannot be read now */
    }
    spm(command, address, 0);
    while ((SPMCSR & (1U << SELFPRGEN)) != 0U) {
        if (own) {
            (void)ota_meanwhile(&loader);
        }
    }
    spm((1U << RWWSRE) | (1U << SELFPRGEN), address, 0);
    SREG = status;
}

static IN_BOOT uint8_t signature_byte(uint8_t at)
{
    uint8_t status = SREG;
    uint8_t byte;

    cli();
    while ((EECR & (1U << EEPE)) != 0U) {
    }
    __asm__ volatile("out %[spmcsr], %[command]\n\t"
                     "lpm %[byte], Z\n\t"
                     : [byte] "=r"(byte)
                     : [spmcsr] "I"(_SFR_IO_ADDR(SPMCSR)), [command] "r"((uint8_t)((1U << SIGRD) | (1U << SELFPRGEN))),
                       "z"((uint16_t)at));
    SREG = status;
    return byte;
}

/* --- flash --------------------------------------------------------------------------------------------------------- */

/* In Z; what lies above goes to RAMPZ, where the chip has one: for all that is read, erased or written until the next call. */
static uint16_t address_of(uint16_t page, uint16_t offset)
{
    PORT_FAR_PAGE(page);
    return (uint16_t)(page * OTA_PAGE_BYTES + offset);
}

void port_read(uint16_t page, uint16_t offset, uint8_t *to, uint16_t count)
{
    uint16_t at = address_of(page, offset);

    for (; count > 0U; count--) {
        *to++ = PORT_FLASH_BYTE(at);
        at++;
    }
}

/* Never the loader; and for an application not the slot that it runs in. */
static inline bool may_write(uint16_t page)
{
    return page < PORT_PAGES && (page >= OTA_SECONDARY_PAGE || !in_application());
}

enum ota_result port_erase(uint16_t page)
{
    if (!may_write(page)) {
        return OTA_FAILED;
    }
    spm_page((1U << PGERS) | (1U << SELFPRGEN), address_of(page, 0));
    return OTA_OK;
}

/* The page buffer is all ones after each write: words that are not filled leave the flash as it is. */
enum ota_result port_program(uint16_t page, uint16_t offset, const uint8_t *from, uint16_t count)
{
    bool zeros = false;
    uint16_t at = address_of(page, offset);
    uint16_t end = (uint16_t)(at + count);

    if (!may_write(page)) {
        return OTA_FAILED;
    }
    while (at != end) {
        uint8_t low = 0xFFU;
        uint8_t high = 0xFFU;

        if ((at & 1U) == 0U) {
            low = *from++;
            at++;
        }
        if (at != end) {
            high = *from++;
            at++;
        }
        if ((low & high) != 0xFFU) {
            spm(1U << SELFPRGEN, (uint16_t)((at - 1U) & ~1U), (uint16_t)(low | ((uint16_t)high << 8)));
            zeros = true;
        }
    }
    if (zeros) {
        spm_page((1U << PGWRT) | (1U << SELFPRGEN), address_of(page, 0));
    }
    return OTA_OK;
}

/* --- identity ------------------------------------------------------------------------------------------------------ */

#define U16(value) (uint8_t)((value) & 0xFFU), (uint8_t)((value) >> 8)

/* In the order of the info record. */
static const uint8_t identity[OTA_IDENTITY_BYTES] PROGMEM = {
    OTA_PROTOCOL_VERSION, OTA_PROTOCOL_VERSION,
    PORT_BOARD,
    0, 0, 0, 0, 0, 0, 0, 0, /* unique id: from the signature row */
    U16(OTA_PAGE_BYTES), U16(OTA_BLOCK_BYTES), U16(OTA_SLOT_PAGES),
    U16(OTA_SINGLE_SLOT != 0 ? 2U * OTA_SLOT_PAGES + 1U : 0U), U16(OTA_FRAME_BYTES),
    U16(PORT_KEEPS_UP ? 0U : PORT_RING_BYTES / 8U * 7U), /* window */
    U16(PORT_STALL_MS),
    U16(0U), U16(0U), /* slot base */
    U16(OTA_ENCODINGS), U16(OTA_SCHEMES), OTA_TRIALS,
};

void port_identity(uint8_t *to)
{
    for (uint8_t i = 0; i < OTA_IDENTITY_BYTES; i++) {
        to[i] = OTA_ROM_U8(&identity[i]);
    }
    for (uint8_t i = 0; i < OTA_UID_BYTES; i++) {
        to[OTA_INFO_UID + i] = signature_byte((uint8_t)(UID_ROW + i));
    }
}

/* --- inside an application ------------------------------------------------------------------------------------------ */

#define OTAFLASH_MILLIS (-1)

/* What only the application can do, by the function whose address it keeps in GPIOR1 and GPIOR2 while it is in here: sends
 * a byte (0 to 255), or returns its milliseconds (-1). */
static uint16_t ask_application(int16_t what)
{
    uint16_t (*application)(int16_t) = (uint16_t(*)(int16_t))(uint16_t)(GPIOR1 | (uint16_t)((uint16_t)GPIOR2 << 8));

    return application(what);
}

/* At the end of the flash: what an application calls (firmware/app/README.md). Functions are word addresses. */
struct table {
    uint16_t magic; /* changes when anything behind it does */
    uint16_t answering_bytes;
    uint16_t staging_bytes;
    void (*start)(struct ota *ota, bool stages);
    void (*take)(struct ota *ota, int16_t byte);
    enum ota_result (*confirm)(struct ota *ota);
    void (*info)(struct ota *ota, uint8_t *info);
    void (*restart)(uint8_t request);
};

extern const struct table port_table;
__attribute__((section(".table"), used)) const struct table port_table = {
    0x4F31U, OTA_ANSWERING_BYTES, OTA_STAGING_BYTES, ota_app_start, ota_app_take, ota_app_confirm, session_info, port_restart};

/* --- line and clock ------------------------------------------------------------------------------------------------ */

void port_send(uint8_t byte)
{
    if (in_application()) {
        (void)ask_application(byte);
    } else {
        line_send(byte);
    }
}

/* The counter wraps every 4.2 s at 16 MHz, and is looked at oftener: at every poll, before every page. Mostly little has
 * passed, so that subtracting is quicker than to divide. */
uint16_t port_millis(void)
{
    if (in_application()) {
        return ask_application(OTAFLASH_MILLIS);
    }
    while ((uint16_t)(TCNT1 - clock_ticks) >= CLOCK_TICKS) {
        clock_ticks = (uint16_t)(clock_ticks + CLOCK_TICKS);
        clock_ms = (uint16_t)(clock_ms + CLOCK_TICKS_MS);
    }
    return clock_ms;
}

void port_feed(void)
{
    wdt_reset();
}

/* --- leaving ------------------------------------------------------------------------------------------------------- */

uint8_t port_request(void)
{
    uint8_t request = OTA_REQUEST_NONE;

    if (request_magic == REQUEST_MAGIC && (request_check ^ request_kept) == 0xFFU &&
        (port_reset_cause & ((1U << PORF) | (1U << BORF))) == 0U) {
        request = request_kept;
    }
    request_magic = 0;
    return request;
}

/* Lets the last bytes leave, and makes the line deaf. */
static void drain(void)
{
    while ((UCSR0B & (1U << UDRIE0)) != 0U) {
    }
    while ((UCSR0A & (1U << UDRE0)) == 0U) {
    }
    _delay_loop_2(TWO_BYTES_LOOPS);
    cli();
}

void port_restart(uint8_t request)
{
    drain();
    request_kept = request;
    request_check = (uint8_t)~request;
    request_magic = REQUEST_MAGIC;
    wdt_enable(WDTO_15MS);
    for (;;) {
    }
}

/* Registers go back to what a reset leaves, vectors to the program's own. */
void port_jump(bool trial)
{
    drain();
    UCSR0B = 0;
    UCSR0A = 0;
    GPIOR1 = 0;
    GPIOR2 = 0;
    UBRR0 = 0;
    TCCR1B = 0;
    TCNT1 = 0;
    TIFR1 = 0xFF;
    MCUCR = 1U << IVCE;
    MCUCR = 0;
    if (trial) {
        wdt_enable(TRIAL_WATCHDOG);
    }
    port_leave();
}

int main(void)
{
    UCSR0A = BAUD_SPEED;
    UBRR0 = BAUD_DIVISOR - 1U;
    line_start();
    TCCR1B = (1U << CS12) | (1U << CS10);
    sei();
    ota_start(&loader);
    for (;;) {
        ota_poll(&loader);
    }
}
