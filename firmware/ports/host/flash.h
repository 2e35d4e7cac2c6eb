/* flash.h: NOR flash with the faults of real NOR flash: erase before program, bits that only fall, torn operations,
 * wear. Knows neither clock nor core. A caller asks flash_may_* first; they note the rule that would be broken.
 *
 * Two planes hold a cell: `value`, and `weak`, set where a torn operation left the bit undecided. A weak bit's value
 * is what it was before that operation; what it would have become is the opposite. */
#ifndef HOST_FLASH_H
#define HOST_FLASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board.h"

struct flash {
    uint32_t pages;
    uint32_t page_bytes;
    uint32_t record_page;  /* first page of the record area, where programming again is legal */
    uint32_t write_bytes;  /* unit of data pages */
    uint32_t record_bytes; /* unit of the record area: the smaller of write and mark */
    uint32_t chunk_bytes;
    uint8_t *value;
    uint8_t *weak;
    uint8_t *page_weak; /* per page: weak bits may be there; the fast path of a read */
    uint8_t *wear;      /* per page: enum board_wear */
    uint32_t *erases;   /* per page */
    enum board_weak reads_as;
    uint64_t boot_draw;   /* seed of this boot's reading of the weak bits */
    uint64_t flicker;     /* state of the draw at each read */
    uint8_t wrong_mask;   /* a planned read error: bits turned over, once */
    size_t wrong_at;      /* ... and where */
    char rule[192];
};

bool flash_init(struct flash *flash, const struct ota_geometry *geometry);
void flash_free(struct flash *flash);
size_t flash_bytes(const struct flash *flash);

/* A boot: how weak bits read from now on. */
void flash_boot(struct flash *flash, enum board_weak reads_as, uint64_t draw);

/* False: a rule would be broken, and `rule` says which. */
bool flash_may_read(struct flash *flash, uint32_t page, uint32_t offset, uint32_t count);
bool flash_may_erase(struct flash *flash, uint32_t page);
bool flash_may_program(struct flash *flash, uint32_t page, uint32_t offset, const uint8_t *from, uint32_t count);

/* Units of `from` that are not all ones: what a program call really writes. */
uint32_t flash_units(const struct flash *flash, uint32_t page, const uint8_t *from, uint32_t count);

void flash_read(struct flash *flash, uint32_t page, uint32_t offset, uint8_t *to, uint32_t count);
/* False: the worn page reports the failure. */
bool flash_erase(struct flash *flash, uint32_t page, enum board_cut how);
void flash_program(struct flash *flash, uint32_t page, uint32_t offset, const uint8_t *from, uint32_t count,
                   enum board_cut how);

/* Both planes, behind a byte that says whether the second follows; flash_save returns how many bytes count. */
size_t flash_state_bytes(const struct flash *flash);
size_t flash_save(const struct flash *flash, uint8_t *to);
void flash_load(struct flash *flash, const uint8_t *from);

#endif
