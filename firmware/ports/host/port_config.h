/* port_config.h of the host port: one build serves every simulated board, so sizes that a chip fixes when it is
 * compiled come from the board that runs at the moment. The *_MAX constants bound the arrays. */
#ifndef OTA_PORT_CONFIG_H
#define OTA_PORT_CONFIG_H

#include <stdint.h>

/* The geometry of a board, as ports/<chip>/port_config.h would state it. */
struct ota_geometry {
    uint8_t board[16];        /* name, zero padded */
    uint8_t uid[8];
    uint8_t key[64];          /* the beginning of the key page, as otaflash factory writes it; the rest of it is 0xFF */
    uint32_t slot_base;       /* address that the primary slot is mapped at */
    uint16_t page_bytes;      /* erase unit, 64 to OTA_PAGE_BYTES_MAX, a power of two */
    uint16_t slot_pages;      /* primary slot; the secondary has one more */
    uint16_t record_pages;    /* pages of one record unit */
    uint16_t write_bytes;     /* program unit of data */
    uint16_t mark_bytes;      /* program unit of a mark in the record */
    uint16_t block_bytes;     /* unit of places */
    uint16_t chunk_bytes;     /* what one port_program takes at best: a page on AVR; 32 (a record body) or more */
    uint16_t frame_bytes;     /* largest frame taken */
    uint16_t window_bytes;    /* see protocol: info */
    uint16_t stall_ms;        /* see protocol: info */
    uint16_t entry_window_ms; /* listening after power-up */
    uint16_t stay_ms;         /* listening after the last word of a host */
    uint16_t swap_page_ms;    /* two page copies, for apply's wait_ms */
    uint8_t trials;           /* boots of an unconfirmed image, 1 to 16 */
    uint8_t erase_stalls;     /* 1: neither CPU nor receiver run during an erase */
    uint8_t erase_ahead;      /* pages erased at once for credit, where erase_stalls */
    uint8_t meanwhile;        /* 1: the CPU runs on while flash is busy */
    uint8_t single_slot;      /* 1: single-slot offers are taken */
    uint8_t record_cells;     /* of the simulated flash alone: enum board_cells, what the record lies in */
};

extern const struct ota_geometry *port_geometry;

#define OTA_PAGE_BYTES (port_geometry->page_bytes)
#define OTA_SLOT_PAGES (port_geometry->slot_pages)
#define OTA_RECORD_PAGES (port_geometry->record_pages)
#define OTA_WRITE_BYTES (port_geometry->write_bytes)
#define OTA_MARK_BYTES (port_geometry->mark_bytes)
#define OTA_BLOCK_BYTES (port_geometry->block_bytes)
#define OTA_CHUNK_BYTES (port_geometry->chunk_bytes)
#define OTA_FRAME_BYTES (port_geometry->frame_bytes)
#define OTA_ENTRY_WINDOW_MS (port_geometry->entry_window_ms)
#define OTA_STAY_MS (port_geometry->stay_ms)
#define OTA_SWAP_PAGE_MS (port_geometry->swap_page_ms)
#define OTA_TRIALS (port_geometry->trials)
#define OTA_ERASE_AHEAD ((uint8_t)(port_geometry->erase_stalls != 0U ? port_geometry->erase_ahead : 0U))
#define OTA_APP_ERASE_AHEAD 1U
#define OTA_MEANWHILE (port_geometry->meanwhile)
#define OTA_SINGLE_SLOT (port_geometry->single_slot)

/* schemes.c: by the key of the board. */
#define OTA_SCHEME host
uint16_t schemes_here(void);
#define SCHEMES_host schemes_here()

/* Logical pages: primary, secondary, records, one after the other. */
#define OTA_PRIMARY_PAGE ((uint16_t)0)
#define OTA_SECONDARY_PAGE OTA_SLOT_PAGES
#define OTA_RECORD_PAGE ((uint16_t)(2U * OTA_SLOT_PAGES + 1U))

#define OTA_PAGE_BYTES_MAX 4096
#define OTA_CHUNK_BYTES_MAX 256
#define OTA_FRAME_BYTES_MAX 1056
#define OTA_COMING_BYTES_MAX OTA_FRAME_BYTES_MAX
#define OTA_PLACES_MAX 65535
#define OTA_PAGES_MAX 4096

/* Constants and how to read them: plain memory here (on AVR they stay in flash). */
#define OTA_ROM const
#define OTA_ROM_U32(at) (*(at))
#define OTA_ROM_U8(at) (*(at))

/* What the work of the CPU costs in simulated time; nothing on a chip. */
void port_charge_crc(uint16_t bytes);
void port_charge_sha(uint16_t blocks);
#define OTA_CHARGE_CRC(bytes) port_charge_crc(bytes)
#define OTA_CHARGE_SHA(blocks) port_charge_sha(blocks)

#endif
