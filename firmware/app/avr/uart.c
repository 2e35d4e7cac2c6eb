/* uart.c: an interrupt receives into a ring, since a step of the loader's code takes up to 5 ms and the chip holds two bytes. */
#include "uart.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/pgmspace.h>

#define BAUD_DIVISOR 16U /* with U2X: 117,647 baud, 2.1 % fast, as the loader has it */
#define RING_BYTES 128U
#define TICKS_PER_MS 250U /* 16 MHz / 64 */

static volatile uint8_t ring[RING_BYTES];
static volatile uint8_t ring_in;
static volatile uint8_t ring_out;
static volatile uint16_t clock_ms;

ISR(USART_RX_vect)
{
    uint8_t next = (uint8_t)((ring_in + 1U) % RING_BYTES);
    uint8_t byte = UDR0;

    if (next != ring_out) {
        ring[ring_in] = byte;
        ring_in = next;
    }
}

ISR(TIMER0_COMPA_vect)
{
    clock_ms++;
}

void uart_start(void)
{
    UBRR0 = BAUD_DIVISOR;
    UCSR0A = (uint8_t)(1U << U2X0);
    UCSR0C = (uint8_t)((1U << UCSZ01) | (1U << UCSZ00));
    UCSR0B = (uint8_t)((1U << RXCIE0) | (1U << RXEN0) | (1U << TXEN0));
    OCR0A = TICKS_PER_MS - 1U;
    TCCR0A = (uint8_t)(1U << WGM01);
    TIMSK0 = (uint8_t)(1U << OCIE0A);
    TCCR0B = (uint8_t)((1U << CS01) | (1U << CS00));
    sei();
}

static int16_t uart_receive(void)
{
    uint8_t at = ring_out;
    int16_t byte;

    if (at == ring_in) {
        return -1;
    }
    byte = ring[at];
    ring_out = (uint8_t)((at + 1U) % RING_BYTES);
    return byte;
}

static void uart_send(uint8_t byte)
{
    while ((UCSR0A & (1U << UDRE0)) == 0U) {
    }
    UDR0 = byte;
}

void uart_say(const char *text)
{
    uart_send(0);
    for (char byte = (char)pgm_read_byte(text); byte != '\0'; byte = (char)pgm_read_byte(++text)) {
        uart_send((uint8_t)byte);
    }
    uart_send(0);
}

uint16_t uart_millis(void)
{
    uint8_t status = SREG;
    uint16_t now_ms;

    cli();
    now_ms = clock_ms;
    SREG = status;
    return now_ms;
}

const struct otaflash_line uart_line = {uart_receive, uart_send, uart_millis};
