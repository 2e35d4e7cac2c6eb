/* line.S: UART0 of an AVR, by two interrupts: one fills the ring of what came, the other empties the ring of what goes. Both
 * run while flash is being written, so all of it lies in the boot section. 50 cycles a byte each.
 *
 * port_receive and line_send are called by the main loop alone. Who adds to a ring moves its `in`, who takes moves its `out`; what
 * has two bytes is read and written with interrupts off. A full ring of the receiver loses the byte; the frame's CRC shows it.
 */

#include <avr/io.h>

#define SENT_BYTES 32   /* a report of one gap leaves while the next frame is looked at */
#define LISTEN ((1 << RXCIE0) | (1 << RXEN0) | (1 << TXEN0))
#define SEND (LISTEN | (1 << UDRIE0))

#define came_in_lo _SFR_IO_ADDR(GPIOR1) /* where the next byte that comes goes; zero after a reset */
#define came_in_hi _SFR_IO_ADDR(GPIOR2)

    .section .bss.line,"aw",@nobits
came_out:
    .space 2
sent:
    .space SENT_BYTES
sent_in:
    .space 1
sent_out:
    .space 1

    .section .spm,"ax",@progbits

/* void line_start(void): what is not zero at first, and the UART on. Interrupts are off. */
    .global line_start
line_start:
    ldi r24, lo8(line_came)
    ldi r25, hi8(line_came)
    out came_in_lo, r24
    out came_in_hi, r25
    sts came_out, r24
    sts came_out + 1, r25
    ldi r24, LISTEN
    sts UCSR0B, r24
    ret

/* Z moves on by one in the ring of what came. */
    .macro came_next
    cpi r30, lo8(line_came_end)
    brne 1f
    cpi r31, hi8(line_came_end)
    brne 1f
    ldi r30, lo8(line_came)
    ldi r31, hi8(line_came)
1:
    .endm

    .macro sent_place
    ldi r31, 0
    subi r30, lo8(-(sent))
    sbci r31, hi8(-(sent))
    .endm

    .global line_received
line_received:
    push r30
    push r31
    push r24
    in r24, _SFR_IO_ADDR(SREG)
    push r24
    in r30, came_in_lo
    in r31, came_in_hi
    lds r24, UDR0
    st Z+, r24
    came_next
    lds r24, came_out
    cp r30, r24
    brne 1f
    lds r24, came_out + 1
    cp r31, r24
    breq line_done
1:  out came_in_lo, r30
    out came_in_hi, r31
line_done:
    pop r24
    out _SFR_IO_ADDR(SREG), r24
    pop r24
    pop r31
    pop r30
    reti

    .global line_ready
line_ready:
    push r30
    push r31
    push r24
    in r24, _SFR_IO_ADDR(SREG)
    push r24
    lds r30, sent_out
    lds r24, sent_in
    cp r30, r24
    ldi r24, LISTEN
    breq 1f
    mov r24, r30
    inc r24
    andi r24, SENT_BYTES - 1
    sts sent_out, r24
    sent_place
    ld r24, Z
    sts UDR0, r24
    rjmp line_done
1:  sts UCSR0B, r24             ; nothing is left to send: the interrupt would come again and again
    rjmp line_done

/* int16_t port_receive(void) */
    .global port_receive
port_receive:
    lds r30, came_out
    lds r31, came_out + 1
    cli
    in r24, came_in_lo
    in r25, came_in_hi
    sei
    cp r30, r24
    cpc r31, r25
    breq 2f
    ld r24, Z+
    came_next
    ldi r25, 0
    cli
    sts came_out, r30
    sts came_out + 1, r31
    sei
    ret
2:  ldi r24, -1
    ldi r25, -1
    ret

/* void line_send(uint8_t byte) */
    .global line_send
line_send:
    lds r30, sent_in
    mov r25, r30
    inc r25
    andi r25, SENT_BYTES - 1
1:  lds r18, sent_out
    cp r18, r25
    breq 1b
    sent_place
    st Z, r24
    sts sent_in, r25
    ldi r24, SEND
    sts UCSR0B, r24
    ret
