/* port.h: everything that the core asks of a chip. Eleven link-time functions; ports/<name>/ defines them.
 *
 * Flash is addressed as (page, offset). Pages are logical: OTA_PRIMARY_PAGE is the first page of the primary slot,
 * OTA_SECONDARY_PAGE the first of the secondary (one page longer), OTA_RECORD_PAGE the first of the two record
 * units of OTA_RECORD_PAGES pages each, and right behind them lies the key page (scheme.h), which is read alone. An access
 * never crosses a page.
 */
#ifndef OTA_PORT_H
#define OTA_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "port_config.h"

/* What a caller of a fallible function must look at. */
enum ota_result { OTA_OK = 0, OTA_FAILED = 1 };

/* Requests that survive port_restart but not a loss of power. */
enum ota_request { OTA_REQUEST_NONE = 0, OTA_REQUEST_STAY = 1 };

/* Reads `count` bytes. Cannot fail: a read error shows as a wrong byte. */
void port_read(uint16_t page, uint16_t offset, uint8_t *to, uint16_t count);

/* Erases one page to 0xFF. Bytes of the line may arrive meanwhile; where the chip cannot take them,
 * OTA_ERASE_AHEAD is not 0 and the credits keep the host silent. */
enum ota_result port_erase(uint16_t page);

/* Programs `count` bytes; offset and count are multiples of OTA_WRITE_BYTES. Units of all ones in `from` are left
 * alone. The core programs a unit once after an erase, or again with bits that only fall (marks and the record, same value). */
enum ota_result port_program(uint16_t page, uint16_t offset, const uint8_t *from, uint16_t count);

/* Writes the first OTA_IDENTITY_BYTES of the info record: what this build is, from protocol_min to trials_max. */
void port_identity(uint8_t *to);

/* Next byte of the line, or -1. Never waits. */
int16_t port_receive(void);

/* Sends a byte. Waits until there is room for it, receiving meanwhile. */
void port_send(uint8_t byte);

/* Milliseconds since reset; wraps at 65,536. */
uint16_t port_millis(void);

/* Feeds the watchdog, if the port has one running. Called at least once per page operation and per poll. */
void port_feed(void);

/* Reads and clears the request left by port_restart; OTA_REQUEST_NONE after power-up. Called once, at start. */
uint8_t port_request(void);

/* Resets the chip, leaving `request` for port_request. Does not return. */
void port_restart(uint8_t request);

/* Starts the image in the primary slot, with the watchdog running if `trial`. Does not return. */
void port_jump(bool trial);

#endif
