/* Prints the SHA-256 of the first 0, 64, 128 ... bytes of a sequence, a line each, on the UART of an emulated AVR. */
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>

#include "sha256.h"

#define BLOCKS 12U

static void print(char letter)
{
    while ((UCSR0A & (1U << UDRE0)) == 0U) {
    }
    UDR0 = (uint8_t)letter;
}

static void print_digest(const uint8_t digest[SHA256_BYTES])
{
    for (uint8_t i = 0; i < SHA256_BYTES; i++) {
        print("0123456789abcdef"[digest[i] >> 4]);
        print("0123456789abcdef"[digest[i] & 15U]);
    }
    print('\n');
}

int main(void)
{
    uint32_t state[8];
    uint32_t kept[8];
    uint8_t block[SHA256_BLOCK_BYTES];
    uint8_t digest[SHA256_BYTES];
    uint32_t random = SEED;

    UCSR0B = 1U << TXEN0;
    sha256_start(state);
    for (uint8_t n = 0; n < BLOCKS; n++) {
        for (uint8_t i = 0; i < 8U; i++) {
            kept[i] = state[i];
        }
        sha256_end(kept, n, digest);
        print_digest(digest);
        for (uint8_t i = 0; i < SHA256_BLOCK_BYTES; i++) {
            random = random * 1664525UL + 1013904223UL;
            block[i] = (uint8_t)(random >> 24);
        }
        sha256_block(state, block);
    }
    cli();
    sleep_enable();
    sleep_cpu(); /* without interrupts nothing wakes it: the emulator ends */
}
