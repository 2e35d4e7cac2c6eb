/* port_config.h of the ATmega328P: 256 pages of 128 B, of which the loader takes the uppermost (link.ld). */
#ifndef OTA_PORT_CONFIG_H
#define OTA_PORT_CONFIG_H

#include <avr/pgmspace.h>
#include <stdint.h>

#define OTA_PAGE_BYTES 128U
#define OTA_RECORD_PAGES ((uint16_t)2) /* 48 + 1 + 2 * 81 + 16 bytes */
#define OTA_WRITE_BYTES ((uint16_t)2)
#define OTA_MARK_BYTES ((uint16_t)1) /* a page write ANDs: a mark is one byte in a page of ones */
#define OTA_BLOCK_BYTES ((uint16_t)8)
#define OTA_CHUNK_BYTES ((uint16_t)128)
#define OTA_FRAME_BYTES ((uint16_t)194)
#define OTA_ENTRY_WINDOW_MS ((uint16_t)1000)
#define OTA_STAY_MS ((uint16_t)15000)
#define OTA_SWAP_PAGE_MS ((uint16_t)(18U + PORT_CPU_MS(6U))) /* two pages: four times SPM, reading and comparing */
#define OTA_TRIALS ((uint8_t)3)
#define OTA_ERASE_AHEAD 0U /* the receiver runs on during SPM: its code lies in the boot section */
#define OTA_APP_ERASE_AHEAD 1U /* the same while an application runs, which every erase halts */
#define OTA_MEANWHILE 1U /* SHA-256 is made, and the next frame taken, in the waits for SPM */

/* build.toml, build-lms.toml and build-large.toml: what verifies signatures, or takes images in the place of both slots, takes
 * pages from the slots, and so is another board. */
#ifdef PORT_LMS
#define OTA_SCHEME lms
#define OTA_SLOT_PAGES ((uint16_t)75)
#define PORT_BOARD 'a', 't', 'm', 'e', 'g', 'a', '3', '2', '8', 'p', '-', 'l', 'm', 's', 0, 0
#define OTA_SINGLE_SLOT 0
#elif defined PORT_LARGE
#define OTA_SCHEME none
#define OTA_SLOT_PAGES ((uint16_t)79)
#define PORT_BOARD 'a', 't', 'm', 'e', 'g', 'a', '3', '2', '8', 'p', '-', 'l', 'a', 'r', 'g', 'e'
#define OTA_SINGLE_SLOT 1
#else
#define OTA_SCHEME none
#define OTA_SLOT_PAGES ((uint16_t)81)
#define OTA_SINGLE_SLOT 0
#define PORT_BOARD 'a', 't', 'm', 'e', 'g', 'a', '3', '2', '8', 'p', 0, 0, 0, 0, 0, 0
#endif

/* Logical pages are the pages of the flash, from address 0. */
#define OTA_PRIMARY_PAGE ((uint16_t)0)
#define OTA_SECONDARY_PAGE OTA_SLOT_PAGES
#define OTA_RECORD_PAGE ((uint16_t)(2U * OTA_SLOT_PAGES + 1U))
#define PORT_PAGES ((uint16_t)(2U * OTA_SLOT_PAGES + 1U + 2U * OTA_RECORD_PAGES))

#define PORT_RING_BYTES 256U
#define PORT_STALL_MS (27U + PORT_CPU_MS(3U)) /* a chunk flushed and two pages filled, by one frame */
#define PORT_CPU_MS(at_16_mhz) ((at_16_mhz) * 16000000UL / F_CPU)
/* SPM takes 9 ms of the time in which the line brings a page, and the CPU 130 cycles a byte. */
#define PORT_KEEPS_UP (BAUD <= 120000UL && F_CPU / BAUD >= 130U)

#define OTA_PAGE_BYTES_MAX 128
#define OTA_CHUNK_BYTES_MAX 128
#define OTA_FRAME_BYTES_MAX 194
#define OTA_COMING_BYTES_MAX OTA_FRAME_BYTES_MAX
#define OTA_PAGES_MAX (OTA_SINGLE_SLOT != 0 ? 159 : 81)
#define OTA_PLACES_MAX (OTA_PAGES_MAX * 16)

/* Constants stay in flash and are read there. */
#define PORT_FAR_PAGE(page) ((void)0) /* no RAMPZ */
#define PORT_FLASH_BYTE(at) pgm_read_byte(at)
#define OTA_ROM const PROGMEM
#define OTA_ROM_U32(at) pgm_read_dword(at)
#define OTA_ROM_U8(at) pgm_read_byte(at)

#define OTA_CHARGE_CRC(bytes) ((void)(bytes))
#define OTA_CHARGE_SHA(blocks) ((void)(blocks))

#endif
