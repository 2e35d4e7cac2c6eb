/* gatt.h: the GATT service of PROTOCOL.md section 9 in front of the core, for a chip with a radio of its own.
 *
 * gatt.c defines port_receive and port_send of port.h; the port defines the rest. What a Zephyr or SoftDevice program
 * (loader or application) adds is the service itself: SERVICE with two characteristics, TO_DEVICE (write without
 * response) and TO_HOST (notify), advertised with its UUID, and the calls below. Nothing else is forwarded, and nothing
 * is looked into: frames are the core's own business.
 *
 * README.md beside this file has the two programs line by line.
 */
#ifndef OTA_GATT_H
#define OTA_GATT_H

#include <stdbool.h>
#include <stdint.h>

/* Bytes between the radio and the core, a power of two: at least what window_bytes of the info record lets a host send
 * unreported, or the longest stall of the flash at the link's rate. */
#ifndef GATT_RING_BYTES
#define GATT_RING_BYTES 4096
#endif

/* The longest value of an attribute, and so the longest frame here. */
#define GATT_VALUE_MOST 512

/* To be called with each value written to TO_DEVICE; from an interrupt or another thread, but never from two at once.
 * A value for which there is no room is dropped: the host sends it again. */
void gatt_written(const uint8_t *value, uint16_t length);

/* To be called when the connection has ended: half a reply must not go to the next host. */
void gatt_lost(void);

/* --- what the vendor's stack must do --------------------------------------------------------------------------- */

/* Queues a notification of TO_HOST. False: no buffer is free now (Zephyr: bt_gatt_notify gives -ENOMEM; SoftDevice:
 * sd_ble_gatts_hvx gives NRF_ERROR_RESOURCES). True as well if nobody is subscribed: the reply is then lost. */
bool radio_notify(const uint8_t *value, uint16_t length);

/* Lets the stack run until something has happened (Zephyr: k_sleep(K_MSEC(1)); SoftDevice: sd_app_evt_wait). */
void radio_wait(void);

#endif
