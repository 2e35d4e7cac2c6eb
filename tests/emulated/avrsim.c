/* avrsim.c: an AVR with a boot section on libsimavr, with the rules of flash that libsimavr leaves out: SPM takes 4.5 ms, RWWSB
 * hides the section that is written, a page write only clears bits, SPM works from the boot section alone, power may be cut.
 * BOOTRST is programmed: the chip starts at its boot section, which is all of the flash that can be read in an SPM. A line at
 * another rate than the loader's carries noise. What is an address here has 17 bits. Loaded by avr.py. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <simavr/avr_flash.h>
#include <simavr/avr_uart.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_cycle_timers.h>
#include <simavr/sim_io.h>

#define PAGE_BYTES_MAX 256U
#define FLASH_BYTES_MAX 131072U
#define SPM_US 4500U
#define ARMED_CYCLES 8U /* four of the chip's, and what libsimavr takes for the instructions themselves */
#define MCUCR_AT 0x55
#define RAMPZ_AT 0x5B
#define IVSEL_BIT 0x02
#define MCUSR_AT 0x54
#define WDRF_BIT 0x08
#define WDTCSR_AT 0x60
#define WDE_BIT 0x08
#define ADDRESSES 0x10100U /* all that 16 bits reach, and a displacement */
#define NOWHERE 0xFFFFFFFFU
#define RECEIVER_BYTES 3U /* two wait, one is in the shift register; libsimavr would hold 64 */

enum { SELFPRGEN = 0x01, PGERS = 0x02, PGWRT = 0x04, RWWSRE = 0x10, SIGRD = 0x20, RWWSB = 0x40 };
enum cut_kind { CUT_NONE, CUT_BEFORE, CUT_TORN, CUT_AFTER };
enum violation { OUTSIDE_BOOT = 1, WHILE_BUSY = 2, NOT_ARMED = 4, LOADER_PAGE = 8, HIDDEN_CODE = 16, HIDDEN_READ = 32 };

#define LINE_BYTES 65536U

/* One kind of AVR; avr.py fills it. Sizes and addresses are in bytes. */
struct kind {
    const char *name;
    uint32_t flash_bytes;
    uint32_t page_bytes;
    uint32_t boot;    /* where the boot section begins */
    uint32_t vectors; /* that the chip has, of 4 bytes each */
    uint32_t hz;
};

struct chip {
    struct kind kind;
    avr_t *avr;
    avr_io_addr_t spmcsr;
    avr_irq_t *rx;
    avr_uart_t *uart;
    uint8_t in[LINE_BYTES];
    uint32_t in_head, in_tail;
    uint64_t in_next; /* cycle from which the next byte may have come whole */
    uint32_t byte_cycles; /* of the line */
    uint32_t own_cycles;  /* of a byte as the chip's UART is set */
    uint8_t out[LINE_BYTES];
    uint32_t out_count;
    uint8_t buffer[PAGE_BYTES_MAX];
    uint8_t old[PAGE_BYTES_MAX];
    uint32_t page_at; /* of the operation under way, or the last one */
    uint64_t armed_at;
    int busy;
    uint32_t loader_start; /* pages from here on are never to be written */
    uint32_t operations, resets, lost;
    uint32_t cut_operation;
    enum cut_kind cut;
    int bites; /* what comes at the cut is no loss of power but the watchdog */
    int bitten;
    uint32_t stuck_at; /* bit 0 of this byte of flash does not move any more; NOWHERE: all do */
    uint8_t stuck;
    uint32_t random;
    int off;
    uint32_t violations;
    uint32_t spent[FLASH_BYTES_MAX / 2U]; /* cycles, by the instruction's address */
};

/* libsimavr gives its flash hook no parameter of ours; one chip runs at a time. */
static struct chip *running;

static uint8_t draw(struct chip *chip)
{
    chip->random = chip->random * 1664525U + 1013904223U;
    return (uint8_t)(chip->random >> 24);
}

static avr_cycle_count_t spm_done(avr_t *avr, avr_cycle_count_t when, void *param)
{
    struct chip *chip = param;

    (void)when;
    avr->data[chip->spmcsr] &= (uint8_t)~(SELFPRGEN | PGERS | PGWRT);
    chip->busy = 0;
    return 0;
}

static void on_spmcsr(avr_t *avr, avr_io_addr_t addr, uint8_t value, void *param)
{
    struct chip *chip = param;

    if (chip->busy) {
        return; /* the bits hold until the operation is done */
    }
    avr->data[addr] = (uint8_t)((value & ~RWWSB) | (avr->data[addr] & RWWSB));
    chip->armed_at = avr->cycle;
}

static void tear(struct chip *chip, uint8_t *page, const uint8_t *old)
{
    for (uint32_t i = 0; i < chip->kind.page_bytes; i++) {
        uint8_t mask = draw(chip);

        page[i] = (uint8_t)((page[i] & mask) | (old[i] & ~mask));
    }
}

static void operate(struct chip *chip, uint32_t at, int erase)
{
    avr_t *avr = chip->avr;
    uint8_t *page = avr->flash + at;
    uint32_t operation = chip->operations++;
    enum cut_kind cut = chip->cut != CUT_NONE && operation == chip->cut_operation ? chip->cut : CUT_NONE;

    chip->off = cut != CUT_NONE && !chip->bites;
    chip->bitten = cut != CUT_NONE && chip->bites;
    if (cut == CUT_BEFORE) {
        return;
    }
    memcpy(chip->old, page, chip->kind.page_bytes);
    chip->page_at = at;
    for (uint32_t i = 0; i < chip->kind.page_bytes; i++) {
        page[i] = erase ? 0xFFU : (uint8_t)(page[i] & chip->buffer[i]);
    }
    if (cut == CUT_TORN) {
        tear(chip, page, chip->old);
    }
    if (chip->stuck_at - at < chip->kind.page_bytes) {
        avr->flash[chip->stuck_at] = (uint8_t)((avr->flash[chip->stuck_at] & 0xFEU) | chip->stuck);
    }
    if (!erase) {
        memset(chip->buffer, 0xFF, PAGE_BYTES_MAX);
    }
    chip->busy = 1;
    avr->data[chip->spmcsr] |= RWWSB;
    avr_cycle_timer_register_usec(avr, SPM_US, spm_done, chip);
}

/* Z, with RAMPZ above it where the chip has more than 64 KiB. */
static uint32_t far_z(const struct chip *chip)
{
    const uint8_t *data = chip->avr->data;
    uint32_t above = chip->kind.flash_bytes > 0x10000U ? data[RAMPZ_AT] & 1U : 0U;

    return above << 16 | (uint32_t)data[31] << 8 | data[30];
}

/* The SPM instruction. */
static int on_spm(avr_io_t *io, uint32_t control, void *param)
{
    struct chip *chip = running;
    avr_t *avr = chip->avr;
    uint8_t command = avr->data[chip->spmcsr];
    uint32_t z = far_z(chip);
    uint32_t word = z & (chip->kind.page_bytes - 2U);

    (void)io;
    (void)param;
    if (control != AVR_IOCTL_FLASH_SPM) {
        return -1;
    }
    if (avr->pc < chip->kind.boot) {
        chip->violations |= OUTSIDE_BOOT;
    } else if (chip->busy) {
        chip->violations |= WHILE_BUSY;
    } else if ((command & SELFPRGEN) == 0 || avr->cycle - chip->armed_at > ARMED_CYCLES) {
        chip->violations |= NOT_ARMED;
    } else if ((command & (PGERS | PGWRT)) != 0 && z >= chip->loader_start) {
        chip->violations |= LOADER_PAGE;
    } else if ((command & (PGERS | PGWRT)) != 0) {
        operate(chip, z & ~(chip->kind.page_bytes - 1U), (command & PGERS) != 0);
    } else if ((command & RWWSRE) != 0) {
        avr->data[chip->spmcsr] = 0;
        memset(chip->buffer, 0xFF, PAGE_BYTES_MAX);
    } else {
        chip->buffer[word] = avr->data[0];
        chip->buffer[word + 1U] = avr->data[1];
        avr->data[chip->spmcsr] &= RWWSB;
    }
    return 0;
}

/* True if the loader has set its UART to a rate that is off by 3.9 % or more, and its line carries noise. A terminal follows
 * an application to whatever rate it sets. */
static int is_noise(const struct chip *chip)
{
    int64_t off = (int64_t)chip->own_cycles - (int64_t)chip->byte_cycles;

    return chip->avr->pc >= chip->loader_start && llabs(off) * 1000 >= (int64_t)chip->byte_cycles * 39;
}

/* What one end hears of a byte of the other. */
static uint8_t heard(struct chip *chip, uint8_t byte)
{
    return is_noise(chip) ? draw(chip) : byte;
}

static void on_sent(struct avr_irq_t *irq, uint32_t value, void *param)
{
    struct chip *chip = param;

    (void)irq;
    if (chip->out_count < LINE_BYTES) {
        chip->out[chip->out_count++] = heard(chip, (uint8_t)value);
    }
}

static void quiet(avr_t *avr, const int level, const char *format, va_list arguments)
{
    (void)avr;
    (void)level;
    (void)format;
    (void)arguments;
}

static void wire_flash(struct chip *chip)
{
    for (avr_io_t *io = chip->avr->io_port; io != NULL; io = io->next) {
        if (strcmp(io->kind, "flash") == 0) {
            io->ioctl = on_spm;
            chip->spmcsr = ((avr_flash_t *)io)->r_spm;
        }
    }
    chip->avr->io[AVR_DATA_TO_IO(chip->spmcsr)].w.c = on_spmcsr;
    chip->avr->io[AVR_DATA_TO_IO(chip->spmcsr)].w.param = chip;
}

static void wire_line(struct chip *chip)
{
    avr_t *avr = chip->avr;
    uint32_t flags = 0;

    /* POLL_SLEEP lets the host sleep in loops that poll; STDIO prints. */
    avr_ioctl(avr, AVR_IOCTL_UART_GET_FLAGS('0'), &flags);
    flags &= ~(uint32_t)(AVR_UART_FLAG_STDIO | AVR_UART_FLAG_POLL_SLEEP);
    avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
    for (avr_io_t *io = avr->io_port; io != NULL; io = io->next) {
        if (strcmp(io->kind, "uart") == 0 && ((avr_uart_t *)io)->name == '0') {
            chip->uart = (avr_uart_t *)io;
        }
    }
    chip->rx = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT), on_sent, chip);
}

struct chip *chip_on(const struct kind *kind, const uint8_t *flash, uint32_t loader_start, uint32_t baud, uint32_t seed)
{
    struct chip *chip = calloc(1, sizeof *chip);

    avr_global_logger_set(quiet);
    chip->kind = *kind;
    chip->avr = avr_make_mcu_by_name(kind->name);
    running = chip;
    avr_init(chip->avr);
    /* libsimavr notes a store behind the end of RAM as a crash, and then does it. */
    chip->avr->data = realloc(chip->avr->data, ADDRESSES);
    chip->avr->frequency = kind->hz;
    memcpy(chip->avr->flash, flash, kind->flash_bytes);
    chip->avr->codeend = chip->avr->flashend;
    chip->avr->pc = chip->avr->reset_pc = kind->boot;
    chip->loader_start = loader_start;
    chip->byte_cycles = kind->hz * 10U / baud;
    chip->random = seed;
    chip->stuck_at = NOWHERE;
    memset(chip->buffer, 0xFF, PAGE_BYTES_MAX);
    for (uint32_t at = 0x100; at <= chip->avr->ramend; at++) {
        chip->avr->data[at] = draw(chip); /* RAM after power-up is anything */
    }
    chip->avr->data[1] = draw(chip);
    wire_flash(chip);
    wire_line(chip);
    return chip;
}

void chip_free(struct chip *chip)
{
    running = chip;
    avr_terminate(chip->avr);
    free(chip->avr);
    free(chip);
}

/* What libsimavr does not know, looked at before an instruction: hidden flash, and the signature row. */
static int look(struct chip *chip)
{
    avr_t *avr = chip->avr;
    uint16_t code = (uint16_t)(avr->flash[avr->pc] | avr->flash[avr->pc + 1] << 8);
    int far = code == 0x95D8 || (code & 0xFE0E) == 0x9006; /* ELPM */
    int loads = far || code == 0x95C8 || (code & 0xFE0E) == 0x9004;
    uint32_t z = far ? far_z(chip) : (uint32_t)(avr->data[30] | avr->data[31] << 8);
    uint8_t status = avr->data[chip->spmcsr];

    if ((status & RWWSB) != 0) {
        chip->violations |= avr->pc < chip->kind.boot ? HIDDEN_CODE : 0U;
        chip->violations |= loads && z < chip->kind.boot ? HIDDEN_READ : 0U;
    }
    if (!loads || (status & SIGRD) == 0) {
        return 0;
    }
    avr->data[(code & 0x9508) == 0x9508 ? 0 : code >> 4 & 31] = (uint8_t)(0xA0U + z);
    avr->data[chip->spmcsr] = 0;
    avr->pc += 2;
    avr->cycle += 3;
    return 1;
}

static void step(struct chip *chip)
{
    avr_t *avr = chip->avr;
    uint32_t before = avr->pc;
    uint64_t began = avr->cycle;

    if (avr->data[chip->spmcsr] != 0 && look(chip)) {
        return;
    }
    avr_run(avr);
    chip->spent[before / 2U] += (uint32_t)(avr->cycle - began);
    /* libsimavr knows no IVSEL: an interrupt that goes to the table at 0 is sent to the one in the boot section. */
    if (avr->pc != 0 && avr->pc < chip->kind.vectors * 4U && before >= chip->loader_start && (avr->data[MCUCR_AT] & IVSEL_BIT) != 0) {
        avr->pc += chip->kind.boot;
    }
    if (avr->pc == chip->kind.boot && before != chip->kind.boot) {
        chip->resets++;
    }
}

/* Where libsimavr does not go on: an instruction that is none, a stack that is none, sleep without interrupts. */
static int ended(const avr_t *avr)
{
    return avr->state == cpu_Crashed || avr->state == cpu_Done;
}

/* The watchdog resets the chip, perhaps in the middle of a flash operation: RAM stays as it is. */
static void bite(struct chip *chip)
{
    avr_t *avr = chip->avr;
    uint8_t *ram = malloc(avr->ramend + 1U);

    chip->bitten = 0;
    chip->busy = 0;
    avr_cycle_timer_cancel(avr, spm_done, chip);
    memcpy(ram, avr->data, avr->ramend + 1U);
    avr_reset(avr); /* which also brings back a CPU that has ended */
    memcpy(avr->data + 0x100, ram + 0x100, avr->ramend + 1U - 0x100U);
    free(ram);
    avr->data[MCUSR_AT] |= WDRF_BIT;
    chip->resets++;
}

/* libsimavr counts a parity bit that is not there, 11 bits a byte; receives at its own rate, though each start bit puts a
 * receiver right that is a little slower than the line; and forgets UDRE where the sender was off for a while. */
static void set_line(struct chip *chip)
{
    uint8_t *data = chip->avr->data;
    uint32_t divisor = (uint32_t)(data[0xC4] | (data[0xC5] & 15U) << 8) + 1U;

    chip->own_cycles = divisor * ((data[0xC0] & 2U) != 0 ? 8U : 16U) * 10U;
    chip->uart->cycles_per_byte = chip->own_cycles;
    if (chip->own_cycles > chip->byte_cycles && !is_noise(chip)) {
        chip->uart->cycles_per_byte = chip->byte_cycles;
    }
    if (chip->uart->tx_cnt == 0U && (data[0xC1] & 8U) != 0) {
        data[0xC0] |= 0x20U;
    }
}

/* Runs until the cycle is reached or power is cut; 1 if the chip is off. */
int chip_run(struct chip *chip, uint64_t until)
{
    avr_t *avr = chip->avr;

    running = chip;
    set_line(chip);
    while (avr->cycle < until && !chip->off) {
        if (chip->in_head != chip->in_tail && avr->cycle >= chip->in_next) {
            uint64_t from = chip->in_next != 0 ? chip->in_next : avr->cycle;

            set_line(chip);
            if (((chip->uart->input.write - chip->uart->input.read) & 63U) >= RECEIVER_BYTES) {
                chip->lost += avr->pc >= chip->loader_start;
                chip->in_head++;
            } else {
                avr_raise_irq(chip->rx, heard(chip, chip->in[chip->in_head++ % LINE_BYTES]));
            }
            chip->in_next = from + chip->byte_cycles;
        }
        step(chip);
        if (ended(avr) && (avr->data[WDTCSR_AT] & WDE_BIT) != 0) {
            chip->bitten = 1; /* whatever a program does that has run astray, the watchdog ends it */
        }
        if (chip->bitten) {
            bite(chip);
        }
        if (ended(avr)) {
            return 2;
        }
    }
    return chip->off;
}

/* Bytes follow each other at the rate of the line, the first one byte time from now if the line was quiet. */
void chip_send(struct chip *chip, const uint8_t *bytes, uint32_t count)
{
    uint64_t first = chip->avr->cycle + chip->byte_cycles;

    if (chip->in_head == chip->in_tail && chip->in_next < first) {
        chip->in_next = first;
    }
    for (; count > 0U; count--) {
        chip->in[chip->in_tail++ % LINE_BYTES] = *bytes++;
    }
}

uint32_t chip_recv(struct chip *chip, uint8_t *to)
{
    uint32_t count = chip->out_count;

    memcpy(to, chip->out, count);
    chip->out_count = 0;
    return count;
}

void chip_cut(struct chip *chip, uint32_t after, enum cut_kind kind, int bites)
{
    chip->cut = kind;
    chip->bites = bites;
    chip->cut_operation = chip->operations + after;
}

void chip_stick(struct chip *chip, uint32_t at, uint8_t bit)
{
    chip->stuck_at = at;
    chip->stuck = bit;
}

/* Power goes now: a page that is being erased or written is torn. */
void chip_off(struct chip *chip)
{
    if (chip->busy && !chip->off) {
        tear(chip, chip->avr->flash + chip->page_at, chip->old);
    }
    chip->off = 1;
}

uint8_t *chip_flash(struct chip *chip)
{
    return chip->avr->flash;
}

uint64_t chip_cycles(const struct chip *chip)
{
    return chip->avr->cycle;
}

/* Cycles since power-up by the address of the instruction that took them, in words from 0. */
uint32_t *chip_spent(struct chip *chip)
{
    return chip->spent;
}

uint32_t chip_fact(const struct chip *chip, int which)
{
    const uint32_t facts[] = {chip->violations, chip->operations, chip->resets, chip->avr->pc,
                              chip->avr->data[0x25], chip->in_tail - chip->in_head, chip->lost};

    return facts[which];
}
