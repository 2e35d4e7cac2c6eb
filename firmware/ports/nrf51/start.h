/* start.h: what the port of the nRF51822 offers beside port.h, to the loader and to an application that links it. */
#ifndef NRF51_START_H
#define NRF51_START_H

#include <stdint.h>

/* Clocks, UART and its interrupt; before any call of port.h. */
void port_start(void);

/* Undoes port_start once the last byte has left: the chip is as after a reset, but for the crystal that runs. */
void port_stop(void);

/* The handler of UART0; an application puts it into its vector table. */
void interrupt(void);

/* Loads the stack pointer from a vector table and jumps to its start address (start.S). */
void start_image(uint32_t vectors) __attribute__((noreturn));

#endif
