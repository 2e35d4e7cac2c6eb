/* chip.h: what avr-libc calls otherwise on one AVR than on another. For C and assembler. */
#ifndef PORT_CHIP_H
#define PORT_CHIP_H

#include <avr/io.h>

#ifndef USART_RX_vect /* a chip with two UARTs counts them */
#define USART_RX_vect USART0_RX_vect
#define USART_RX_vect_num USART0_RX_vect_num
#define USART_UDRE_vect_num USART0_UDRE_vect_num
#endif

#ifndef SELFPRGEN
#define SELFPRGEN SPMEN
#endif

#endif
