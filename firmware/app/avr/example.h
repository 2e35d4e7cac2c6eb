/* example.h: what the example programs have in common: a line and a blink twice a second. */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <avr/io.h>
#include <avr/pgmspace.h>
#include <avr/wdt.h>

#include "uart.h"

#ifndef EXAMPLE_VERSION
#define EXAMPLE_VERSION "1.0.0"
#endif
#define LED ((uint8_t)(1U << PB5))
#define LINE_EVERY_MS 500U

/* Says `text` and blinks, once its time has come; true if it did. A trial runs under a watchdog of 2 s, which is fed here. */
static inline bool example_tick(const char *text)
{
    static uint16_t said_ms;

    wdt_reset();
    if ((uint16_t)(uart_millis() - said_ms) < LINE_EVERY_MS) {
        return false;
    }
    said_ms = (uint16_t)(said_ms + LINE_EVERY_MS);
    PORTB ^= LED;
    uart_say(text);
    return true;
}

static inline void example_start(void)
{
    DDRB |= LED;
    uart_start();
}

#endif
