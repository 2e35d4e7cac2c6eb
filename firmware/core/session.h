/* session.h: what each message does. protocol/PROTOCOL.md section 6 is the table that this file follows. */
#ifndef OTA_SESSION_H
#define OTA_SESSION_H

#include "state.h"

/* Serves the request in ota->frame and sends its reply, if it has one; what must follow the reply is in ota->after. */
void session_serve(struct ota *ota);

/* The info record, OTA_INFO_BYTES: what the port is, what is so, and the running image's trailer. */
void session_info(struct ota *ota, uint8_t *info);

#endif
