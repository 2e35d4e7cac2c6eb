/* board.h: a simulated board around the real core. One struct board is one device: flash with the faults of real
 * flash, a power switch, a clock, a serial port. Python drives it through cffi; time is in microseconds and is the board's own. */
#ifndef BOARD_H
#define BOARD_H

#include <stddef.h>
#include <stdint.h>

#include "port_config.h"

/* What flash and CPU of a profile cost, in nanoseconds. */
struct board_costs {
    uint32_t erase_page_ns;
    uint32_t program_chunk_ns; /* per port_program call (AVR: one page write) */
    uint32_t program_unit_ns;  /* plus per write unit that is not all ones */
    uint32_t read_byte_ns;
    uint32_t crc_byte_ns;
    uint32_t sha_block_ns;
    uint32_t byte_ns;      /* CPU time for one received byte */
    uint32_t send_byte_ns; /* time on the line of one byte, either way (10 bits of a UART) */
    uint16_t rx_ring_bytes; /* what the receiver holds until the core takes it; more is dropped and counted */
    uint8_t rx_in_erase;    /* 1: bytes that arrive during an erase are kept (DMA, or polled wait), 0: lost */
    uint8_t rx_in_program;  /* the same for programming */
};

enum board_event {
    BOARD_IDLE = 0,      /* nothing to do before board_wake_us or a byte */
    BOARD_TIME = 1,      /* until_us is reached, work is left */
    BOARD_JUMPED = 2,    /* the loader started the primary image; see board_jump_trial */
    BOARD_RESTARTED = 3, /* port_restart: the loader runs again at the next board_run */
    BOARD_CUT = 4,       /* the planned power cut happened; board_power_on before the next board_run */
    BOARD_RULE = 5,      /* the core broke a rule of the flash: board_rule tells which. A bug, always */
    BOARD_STUCK = 6      /* no end after the operations that a boot may take: a hang. A bug, always */
};

/* Half: torn, and each bit is drawn either way now, for good: a page half erased, a word half programmed. */
enum board_cut {
    BOARD_CUT_NONE = 0,
    BOARD_CUT_BEFORE = 1,
    BOARD_CUT_TORN = 2,
    BOARD_CUT_AFTER = 3,
    BOARD_CUT_HALF = 4
};

/* What the two record units lie in. */
enum board_cells {
    BOARD_CELLS_FLASH = 0,      /* programmed again with bits that fall or stay */
    BOARD_CELLS_TO_ZERO = 1,    /* a unit that is not blank is programmed again only to zero, as on an STM32F1 */
    BOARD_CELLS_EEPROM = 2      /* every byte is erased, and every unit programmed, in an operation of its own */
};

/* How a region left by a torn operation reads until it is written again. */
enum board_weak {
    BOARD_WEAK_OLD = 0,    /* as if the operation had not begun */
    BOARD_WEAK_NEW = 1,    /* as if it had ended */
    BOARD_WEAK_RANDOM = 2, /* each weak bit either way, drawn at each boot from the seed */
    BOARD_WEAK_FLICKER = 3, /* each weak bit either way, drawn at each read */
    BOARD_WEAK_WHOLE = 4    /* all weak bits of one read as before or as done, drawn at each read */
};

/* What a worn page does from now on. */
enum board_wear {
    BOARD_WEAR_NONE = 0,
    BOARD_WEAR_ERASE_FAILS = 1, /* an erase changes nothing and reports it */
    BOARD_WEAR_STUCK_ONES = 2   /* a program call leaves its first byte blank and says nothing: only reading back shows it */
};

struct board;

/* NULL: out of memory. One thread at a time may be inside the functions below, whatever the board. */
struct board *board_new(const struct ota_geometry *geometry, const struct board_costs *costs, uint64_t seed);
void board_free(struct board *board);

/* Power comes (back): RAM is lost, the flash keeps what it has, weak regions are drawn anew by `weak`. Flash operations count from 0 again;
 * a planned cut and a planned read error are forgotten. */
void board_power_on(struct board *board, enum board_weak weak);
/* A reset that keeps power (watchdog, pin): RAM keeps its bytes, and the request if the core set one. Weak bits are drawn anew. */
void board_reset(struct board *board);
/* Cuts power at flash operation `operation` of this boot (0: the first erase or program), so. */
void board_plan_cut(struct board *board, uint32_t operation, enum board_cut how);
uint32_t board_operations(const struct board *board); /* flash operations since power-on */
/* Instead of the power, the CPU is reset there: RAM and the restart request stay, and board_run returns BOARD_RESTARTED. */
void board_plan_reset(struct board *board, uint32_t operation, enum board_cut how);

/* From here on chance is drawn from `seed`: what follows a board_load is then the same whatever was before. */
void board_reseed(struct board *board, uint64_t seed);
void board_wear_out(struct board *board, uint16_t page, enum board_wear how);
/* The page does so once it was erased `erases` times in all; one page of a board. */
void board_wear_out_after(struct board *board, uint16_t page, enum board_wear how, uint16_t erases);
/* These bits of a byte read as in `value` whatever is done to them; one byte of a board, mask 0: none. */
void board_stick(struct board *board, uint16_t page, uint16_t offset, uint8_t mask, uint8_t value);
/* The next read that covers this byte gets the bits of `mask` turned over, once. */
void board_plan_read_error(struct board *board, uint16_t page, uint16_t offset, uint8_t mask);
/* Of the reads since power-on, number `read` (0: the first) gets one bit wrong, which `draw` chooses. */
void board_plan_wrong_read(struct board *board, uint32_t read, uint64_t draw);
uint32_t board_reads(const struct board *board); /* reads since power-on */
/* What port_millis says at a reset from here on; a chip says 0. */
void board_set_millis(struct board *board, uint16_t at_reset_ms);

/* Runs the CPU until it idles, until_us is passed (by one poll of the core at most), or it leaves the loader. A board that
 * idles at entry first lets the time pass to its wake, the next byte or until_us (UINT64_MAX: not to the latter). In application mode (after BOARD_JUMPED and
 * board_app_start) runs the application library's poll instead. */
enum board_event board_run(struct board *board, uint64_t until_us);
/* `stages` 1: its library takes an update while it runs, and is deaf in its flash work. */
void board_app_start(struct board *board, int stages);
int board_app_confirm(struct board *board); /* 0 on success; may end in a cut: then -1 and board_run returns BOARD_CUT */
uint64_t board_now_us(const struct board *board);
void board_set_now_us(struct board *board, uint64_t now_us); /* an idle or unpowered board: time passes */
uint64_t board_wake_us(const struct board *board);           /* UINT64_MAX: only a byte wakes it */
int board_jump_trial(const struct board *board);             /* 1: the last jump was to an image on trial */

/* Bytes from the line: the first is whole in the receiver at board time `at_us`, each further one send_byte_ns later (a board
 * busy in flash work may lose them by its costs). `at_us` may lie ahead of the board's clock, or behind it where the board ran
 * ahead. Returns how many were kept; bytes still to come count as kept, and board_bytes_lost tells later. */
size_t board_receive(struct board *board, uint64_t at_us, const uint8_t *bytes, size_t count);
/* Takes what the board sent, up to a pause on the line; `at_us` gets the board time at which the first of them began on the
 * line, the others follow send_byte_ns apart. Call until it returns 0. */
size_t board_sent(struct board *board, uint8_t *bytes, size_t room, uint64_t *at_us);

/* The flash as it really is, weak regions at their old value: (2 slot_pages + 1 + 2 record_pages) * page_bytes. */
uint8_t *board_flash(struct board *board);
size_t board_flash_bytes(const struct board *board);
const uint32_t *board_erases(const struct board *board); /* per page */
const char *board_rule(const struct board *board);       /* which rule was broken, or "" */
uint32_t board_bytes_lost(const struct board *board);    /* by overrun of the receiver */

/* State for the explorer: everything that outlives a power cut (flash, weak regions, restart request), as bytes: the
 * request, 1 if weak bits follow, the flash, the weak mask. Without weak bits the mask is neither written nor read, and a
 * state may be kept without it: board_save returns how many bytes count. */
size_t board_state_bytes(const struct board *board);
size_t board_save(const struct board *board, uint8_t *to);
/* The board then stands at a reset: board_run boots it, with the request of the state; board_power_on boots it without. */
void board_load(struct board *board, const uint8_t *from);

#endif
