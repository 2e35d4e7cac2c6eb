/* Prints the CRC-32 of the first 0, 1, 2 ... bytes of a sequence, a line each, made in two goes, on the UART of an emulated AVR. */
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>

#include "crc32.h"

#define BYTES 40U

static void print(char letter)
{
    while ((UCSR0A & (1U << UDRE0)) == 0U) {
    }
    UDR0 = (uint8_t)letter;
}

int main(void)
{
    uint8_t bytes[BYTES];
    uint32_t random = SEED;

    UCSR0B = 1U << TXEN0;
    for (uint8_t i = 0; i < BYTES; i++) {
        random = random * 1664525UL + 1013904223UL;
        bytes[i] = (uint8_t)(random >> 24);
    }
    for (uint8_t n = 0; n <= BYTES; n++) {
        uint32_t crc = crc32_end(crc32_add(crc32_add(crc32_start(), bytes, n / 3U), bytes + n / 3U, n - n / 3U));

        for (uint8_t i = 0; i < 8U; i++, crc <<= 4) {
            print("0123456789abcdef"[crc >> 28]);
        }
        print('\n');
    }
    cli();
    sleep_enable();
    sleep_cpu(); /* without interrupts nothing wakes it: the emulator ends */
}
