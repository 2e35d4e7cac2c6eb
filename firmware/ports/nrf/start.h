/* start.h: what the ports of nRF51 and nRF52 offer beside port.h, to the loader and to an application that links it. */
#ifndef NRF_START_H
#define NRF_START_H

#include <stdint.h>

/* Clocks, UART and its interrupt; before any call of port.h. */
void port_start(void);

/* Undoes port_start once the last byte has left: the chip is as after a reset, but for the crystal that runs. */
void port_stop(void);

/* The handler of UART0; an application puts it into its vector table. */
void interrupt(void);

/* Hands the CPU over to a vector table: its stack pointer, its start address, and its interrupts (start.S of the port). */
void start_image(uint32_t vectors) __attribute__((noreturn));

#endif
