/* blink: the example program for an Arduino Uno (ATmega328P, 16 MHz). Breathes the LED on PB5 and says on the UART,
 * once per breath, which version runs. Knows nothing of the bootloader; what changes between versions is in version_*.h. */
#include <avr/io.h>
#include <avr/pgmspace.h>
#include <stdint.h>
#include <util/delay_basic.h>

#include "breath.h"

#define BAUD_DIVISOR 16U /* 115200 at 16 MHz with U2X: 117647, 2.1 % fast */
#define LED ((uint8_t)(1U << PB5))
#define PERIOD 256U /* steps of the software PWM */

static const char banner[] PROGMEM = "blink " BLINK_VERSION "\r\n";

static void uart_start(void)
{
    UBRR0 = BAUD_DIVISOR;
    UCSR0A = (uint8_t)(1U << U2X0);
    UCSR0C = (uint8_t)((1U << UCSZ01) | (1U << UCSZ00));
    UCSR0B = (uint8_t)(1U << TXEN0);
}

static void uart_send(char byte)
{
    while ((UCSR0A & (1U << UDRE0)) == 0U) {
    }
    UDR0 = (uint8_t)byte;
}

static void uart_print(const char *text)
{
    for (char byte = (char)pgm_read_byte(text); byte != '\0'; byte = (char)pgm_read_byte(++text)) {
        uart_send(byte);
    }
}

/* One period of the PWM: on for `level` steps of PERIOD. */
static void light(uint8_t level)
{
    PORTB |= LED;
    for (uint16_t step = 0; step < PERIOD; step++) {
        if (step == level) {
            PORTB &= (uint8_t)~LED;
        }
        _delay_loop_1(20); /* 60 cycles: about 1.1 ms a period with the loop around it */
    }
}

int main(void)
{
    DDRB |= LED;
    uart_start();
    for (;;) {
        uart_print(banner);
        AFTER_BANNER();
        for (uint16_t i = 0; i < BREATH_STEPS; i++) {
            light(pgm_read_byte(&breath[i]));
        }
    }
}
