/* port_config.h of the nRF52832 with 512 KiB of flash and 64 KiB of RAM: 8 KiB of loader, two slots of 61 pages and
 * a spare page, two record units of a page. An erase halts the CPU, so credit is given for four pages at a time. */
#ifndef OTA_PORT_CONFIG_H
#define OTA_PORT_CONFIG_H

#include <stdint.h>

#define OTA_PAGE_BYTES 4096U
#define OTA_SLOT_PAGES ((uint16_t)61)
#define OTA_RECORD_PAGES ((uint16_t)1)
#define OTA_WRITE_BYTES ((uint16_t)4)
#define OTA_MARK_BYTES ((uint16_t)4)
#define OTA_BLOCK_BYTES ((uint16_t)8)
#define OTA_CHUNK_BYTES ((uint16_t)256)
#define OTA_FRAME_BYTES ((uint16_t)1056)
#define OTA_ENTRY_WINDOW_MS ((uint16_t)1000)
#define OTA_STAY_MS ((uint16_t)15000)
#define OTA_SWAP_PAGE_MS ((uint16_t)340)
#define OTA_TRIALS ((uint8_t)3)
#define OTA_ERASE_AHEAD 4U
#define OTA_APP_ERASE_AHEAD 1U /* the same while an application runs, which every erase halts */
#define OTA_MEANWHILE 0U
#define OTA_SINGLE_SLOT 1

#ifndef OTA_SCHEME
#define OTA_SCHEME none
#endif

#define OTA_PRIMARY_PAGE ((uint16_t)0)
#define OTA_SECONDARY_PAGE OTA_SLOT_PAGES
#define OTA_RECORD_PAGE ((uint16_t)(2U * OTA_SLOT_PAGES + 1U))

#define PORT_BOARD 'n', 'r', 'f', '5', '2', '8', '3', '2', 0, 0, 0, 0, 0, 0, 0, 0
#define PORT_SLOT_BASE 0x2000U
#define PORT_STALL_MS 400U /* four erases of 89.7 ms */

/* The pins of an nRF52 DK (PCA10040), whose interface chip is the other end of the line. Others: -DPIN_TXD=... in build.toml. */
#ifndef PIN_TXD
#define PIN_TXD 6U
#define PIN_RXD 8U
#endif

#define OTA_PAGE_BYTES_MAX 4096
#define OTA_CHUNK_BYTES_MAX 256
#define OTA_FRAME_BYTES_MAX 1056
#define OTA_COMING_BYTES_MAX 1
#define OTA_PLACES_MAX 62976
#define OTA_PAGES_MAX 123

#define OTA_ROM const
#define OTA_ROM_U32(at) (*(at))
#define OTA_ROM_U8(at) (*(at))

#define OTA_CHARGE_CRC(bytes) ((void)(bytes))
#define OTA_CHARGE_SHA(blocks) ((void)(blocks))

#endif
