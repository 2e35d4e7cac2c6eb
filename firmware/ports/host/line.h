/* line.h: the serial line of a simulated board: bytes on their way in, the ring that the receiver fills, bytes on
 * their way out. Knows neither flash nor core; all times are the board's, in nanoseconds. */
#ifndef HOST_LINE_H
#define HOST_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes and their times, oldest first; grows as needed. */
struct timed_bytes {
    uint8_t *byte;
    uint64_t *at_ns;
    size_t first;
    size_t count;
    size_t room;
};

/* Spans in which the receiver was deaf; bytes may be told of after the board has run past them. */
#define LINE_DEAF_SPANS 64
/* What a port buffers of its own words before it waits. */
#define LINE_SEND_BUFFER_BYTES 64

struct line {
    uint64_t byte_ns;
    uint16_t ring_bytes;
    struct timed_bytes incoming;
    struct timed_bytes outgoing;
    uint8_t *ring;
    uint32_t ring_first;
    uint32_t ring_count;
    uint64_t last_arrival_ns;
    uint64_t send_free_ns; /* when the line out is free again */
    uint64_t deaf_from_ns[LINE_DEAF_SPANS];
    uint64_t deaf_to_ns[LINE_DEAF_SPANS];
    uint32_t deaf_count; /* of all time; the last LINE_DEAF_SPANS are kept */
    uint32_t lost;
};

bool line_init(struct line *line, uint32_t byte_ns, uint16_t ring_bytes);
void line_free(struct line *line);
/* Power is gone or comes: nothing is under way, in the ring or on the line after `now_ns`. */
void line_cut(struct line *line, uint64_t now_ns);
/* What was sent is not asked for any more. */
void line_forget_sent(struct line *line);
/* The CPU was reset: its buffers are void. */
void line_reset(struct line *line, uint64_t now_ns);

/* Bytes arrive from `at_ns` on; those of them that have arrived by `now_ns` are taken or lost at once. Returns how many were not lost. */
size_t line_receive(struct line *line, uint64_t at_ns, uint64_t now_ns, const uint8_t *bytes, size_t count);
/* Next byte that has arrived by `now_ns`, or -1. */
int16_t line_take(struct line *line, uint64_t now_ns);
/* When the next byte is (or was) there; UINT64_MAX: none is known of. */
uint64_t line_next_arrival(const struct line *line);
/* The receiver hears nothing in this span. */
void line_deaf(struct line *line, uint64_t from_ns, uint64_t to_ns);

/* Queues a byte; returns until when the CPU has to wait for room. */
uint64_t line_send(struct line *line, uint64_t now_ns, uint8_t byte);
/* Takes bytes sent without a pause between them. */
size_t line_sent(struct line *line, uint8_t *bytes, size_t room, uint64_t *at_ns);

#endif
