/* port_config.h of the nRF51822 with 256 KiB of flash and 16 KiB of RAM: 8 KiB of loader, two slots of 121 pages and
 * a spare page, two record units of two pages. An erase halts the CPU, so credit is given for eight pages at a time. */
#ifndef OTA_PORT_CONFIG_H
#define OTA_PORT_CONFIG_H

#include <stdint.h>

#define OTA_PAGE_BYTES 1024U
#define OTA_RECORD_PAGES ((uint16_t)2)
#define OTA_WRITE_BYTES ((uint16_t)4)
#define OTA_MARK_BYTES ((uint16_t)4)
#define OTA_BLOCK_BYTES ((uint16_t)16)
#define OTA_CHUNK_BYTES ((uint16_t)256)
#define OTA_FRAME_BYTES ((uint16_t)1056)
#define OTA_ENTRY_WINDOW_MS ((uint16_t)1000)
#define OTA_STAY_MS ((uint16_t)15000)
#define OTA_SWAP_PAGE_MS ((uint16_t)80)
#define OTA_TRIALS ((uint8_t)3)
#define OTA_ERASE_AHEAD 8U
#define OTA_APP_ERASE_AHEAD 1U /* the same while an application runs, which every erase halts */
#define OTA_MEANWHILE 0U
#define OTA_SINGLE_SLOT 1

/* build.toml and build-lms.toml: what verifies signatures takes the uppermost two pages, and so is another board. */
#ifdef PORT_LMS
#define OTA_SCHEME lms
#define OTA_SLOT_PAGES ((uint16_t)120)
#define PORT_BOARD 'n', 'r', 'f', '5', '1', '8', '2', '2', '-', 'l', 'm', 's', 0, 0, 0, 0
#else
#define OTA_SCHEME none
#define OTA_SLOT_PAGES ((uint16_t)121)
#define PORT_BOARD 'n', 'r', 'f', '5', '1', '8', '2', '2', 0, 0, 0, 0, 0, 0, 0, 0
#endif

#define OTA_PRIMARY_PAGE ((uint16_t)0)
#define OTA_SECONDARY_PAGE OTA_SLOT_PAGES
#define OTA_RECORD_PAGE ((uint16_t)(2U * OTA_SLOT_PAGES + 1U))

#define PORT_SLOT_BASE 0x2000U
#define PORT_STALL_MS 200U /* eight erases of 22.3 ms */

/* The pins of a BBC micro:bit V1, whose interface chip is the other end of the line. Others: -DPIN_TXD=... in build.toml. */
#ifndef PIN_TXD
#define PIN_TXD 24U
#define PIN_RXD 25U
#endif

#define OTA_PAGE_BYTES_MAX 1024
#define OTA_CHUNK_BYTES_MAX 256
#define OTA_FRAME_BYTES_MAX 1056
#define OTA_COMING_BYTES_MAX 1
#define OTA_PLACES_MAX 15552
#define OTA_PAGES_MAX 243

#define OTA_ROM const
#define OTA_ROM_U32(at) (*(at))
#define OTA_ROM_U8(at) (*(at))

#define OTA_CHARGE_CRC(bytes) ((void)(bytes))
#define OTA_CHARGE_SHA(blocks) ((void)(blocks))

#endif
