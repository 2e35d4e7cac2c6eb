/* uart.h: UART0 at 115,200 baud and a clock, for the example programs. */
#ifndef UART_H
#define UART_H

#include <stdint.h>

#include "otaflash.h"

/* 16 MHz. Uses Timer 0; interrupts are on afterwards. */
void uart_start(void);

/* A line of text in program memory (PSTR), between two zeros, so that no host takes it for a part of a frame. */
void uart_say(const char *text);

uint16_t uart_millis(void);

/* The same UART as the line to a host. */
extern const struct otaflash_line uart_line;

#endif
