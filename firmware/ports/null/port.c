/* port.c of no chip: the least that lets the core be linked, so that its bytes can be counted. Its own are subtracted. */
#include "port.h"
#include "state.h"

volatile uint8_t null_cell;
struct ota null_loader;

void port_read(uint16_t page, uint16_t offset, uint8_t *to, uint16_t count)
{
    null_cell = (uint8_t)(page + offset);
    for (; count > 0U; count--) {
        *to++ = null_cell;
    }
}

enum ota_result port_erase(uint16_t page)
{
    null_cell = (uint8_t)page;
    return null_cell != 0U ? OTA_OK : OTA_FAILED;
}

enum ota_result port_program(uint16_t page, uint16_t offset, const uint8_t *from, uint16_t count)
{
    null_cell = (uint8_t)(page + offset);
    for (; count > 0U; count--) {
        null_cell = *from++;
    }
    return null_cell != 0U ? OTA_OK : OTA_FAILED;
}

void port_identity(uint8_t *to)
{
    for (uint8_t i = 0; i < OTA_IDENTITY_BYTES; i++) {
        to[i] = null_cell;
    }
}

int16_t port_receive(void)
{
    return null_cell != 0U ? (int16_t)null_cell : (int16_t)-1;
}

void port_send(uint8_t byte)
{
    null_cell = byte;
}

uint16_t port_millis(void)
{
    return null_cell;
}

void port_feed(void)
{
    null_cell = 0;
}

uint8_t port_request(void)
{
    return null_cell;
}

void port_restart(uint8_t request)
{
    null_cell = request;
}

void port_jump(bool trial)
{
    null_cell = trial;
}

int main(void)
{
    ota_start(&null_loader);
    for (;;) {
        ota_poll(&null_loader);
    }
}
