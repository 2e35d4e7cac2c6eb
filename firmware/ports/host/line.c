/* line.c: bytes in and out of a simulated board. Bytes that arrive go into the ring lazily, in order of arrival, when the
 * board looks: by then it is known whether the receiver was deaf, and nothing but the board takes from the ring. */
#include "line.h"

#include <stdlib.h>
#include <string.h>

/* --- timed bytes ---------------------------------------------------------------------------------------------- */

static bool timed_grow(struct timed_bytes *queue)
{
    size_t room = queue->room == 0 ? 256 : 2 * queue->room;
    uint8_t *byte = realloc(queue->byte, room);
    uint64_t *at_ns;

    if (byte == NULL)
        return false;
    queue->byte = byte;
    at_ns = realloc(queue->at_ns, room * sizeof *at_ns);
    if (at_ns == NULL)
        return false;
    queue->at_ns = at_ns;
    queue->room = room;
    return true;
}

static void timed_compact(struct timed_bytes *queue)
{
    memmove(queue->byte, queue->byte + queue->first, queue->count);
    memmove(queue->at_ns, queue->at_ns + queue->first, queue->count * sizeof *queue->at_ns);
    queue->first = 0;
}

static bool timed_put(struct timed_bytes *queue, uint64_t at_ns, uint8_t byte)
{
    if (queue->first + queue->count == queue->room) {
        if (queue->first > queue->room / 2)
            timed_compact(queue);
        else if (!timed_grow(queue))
            return false;
    }
    queue->byte[queue->first + queue->count] = byte;
    queue->at_ns[queue->first + queue->count] = at_ns;
    queue->count++;
    return true;
}

static void timed_drop_first(struct timed_bytes *queue)
{
    queue->count--;
    queue->first = queue->count == 0 ? 0 : queue->first + 1;
}

static void timed_clear(struct timed_bytes *queue)
{
    queue->first = 0;
    queue->count = 0;
}

/* Forgets what begins at or after `from_ns`. */
static void timed_cut(struct timed_bytes *queue, uint64_t from_ns)
{
    while (queue->count > 0 && queue->at_ns[queue->first + queue->count - 1] >= from_ns)
        queue->count--;
}

/* --- life ------------------------------------------------------------------------------------------------------ */

bool line_init(struct line *line, uint32_t byte_ns, uint16_t ring_bytes)
{
    memset(line, 0, sizeof *line);
    line->byte_ns = byte_ns;
    line->ring_bytes = ring_bytes;
    line->ring = malloc(ring_bytes == 0 ? 1U : ring_bytes);
    return line->ring != NULL;
}

void line_free(struct line *line)
{
    free(line->ring);
    free(line->incoming.byte);
    free(line->incoming.at_ns);
    free(line->outgoing.byte);
    free(line->outgoing.at_ns);
    memset(line, 0, sizeof *line);
}

void line_reset(struct line *line, uint64_t now_ns)
{
    line->ring_first = 0;
    line->ring_count = 0;
    timed_cut(&line->outgoing, now_ns);
    line->send_free_ns = now_ns;
}

void line_forget_sent(struct line *line)
{
    timed_clear(&line->outgoing);
}

void line_cut(struct line *line, uint64_t now_ns)
{
    line_reset(line, now_ns);
    timed_clear(&line->incoming);
    line->last_arrival_ns = 0;
    line->deaf_count = 0;
}

/* --- in --------------------------------------------------------------------------------------------------------- */

void line_deaf(struct line *line, uint64_t from_ns, uint64_t to_ns)
{
    uint32_t last = (line->deaf_count - 1U) % LINE_DEAF_SPANS;

    if (line->deaf_count > 0 && line->deaf_to_ns[last] == from_ns) {
        line->deaf_to_ns[last] = to_ns;
        return;
    }
    last = line->deaf_count % LINE_DEAF_SPANS;
    line->deaf_from_ns[last] = from_ns;
    line->deaf_to_ns[last] = to_ns;
    line->deaf_count++;
}

static bool was_deaf(const struct line *line, uint64_t at_ns)
{
    uint32_t kept = line->deaf_count < LINE_DEAF_SPANS ? line->deaf_count : LINE_DEAF_SPANS;
    uint32_t back;

    for (back = 1; back <= kept; back++) {
        uint32_t span = (line->deaf_count - back) % LINE_DEAF_SPANS;

        if (at_ns >= line->deaf_to_ns[span])
            return false;
        if (at_ns >= line->deaf_from_ns[span])
            return true;
    }
    return false;
}

static void ring_put(struct line *line, uint8_t byte)
{
    if (line->ring_count == line->ring_bytes) {
        line->lost++;
        return;
    }
    line->ring[(line->ring_first + line->ring_count) % line->ring_bytes] = byte;
    line->ring_count++;
}

static void settle(struct line *line, uint64_t now_ns)
{
    struct timed_bytes *queue = &line->incoming;

    while (queue->count > 0 && queue->at_ns[queue->first] <= now_ns) {
        if (was_deaf(line, queue->at_ns[queue->first]))
            line->lost++;
        else
            ring_put(line, queue->byte[queue->first]);
        timed_drop_first(queue);
    }
}

size_t line_receive(struct line *line, uint64_t at_ns, uint64_t now_ns, const uint8_t *bytes, size_t count)
{
    uint32_t lost;
    size_t i;

    settle(line, now_ns);
    lost = line->lost;
    for (i = 0; i < count; i++) {
        if (at_ns < line->last_arrival_ns)
            at_ns = line->last_arrival_ns;
        if (!timed_put(&line->incoming, at_ns, bytes[i]))
            line->lost++;
        line->last_arrival_ns = at_ns;
        at_ns += line->byte_ns;
    }
    settle(line, now_ns);
    lost = line->lost - lost;
    return lost > count ? 0 : count - lost;
}

int16_t line_take(struct line *line, uint64_t now_ns)
{
    uint8_t byte;

    settle(line, now_ns);
    if (line->ring_count == 0)
        return -1;
    byte = line->ring[line->ring_first];
    line->ring_first = (line->ring_first + 1U) % line->ring_bytes;
    line->ring_count--;
    return byte;
}

uint64_t line_next_arrival(const struct line *line)
{
    if (line->ring_count > 0)
        return 0;
    return line->incoming.count == 0 ? UINT64_MAX : line->incoming.at_ns[line->incoming.first];
}

/* --- out -------------------------------------------------------------------------------------------------------- */

uint64_t line_send(struct line *line, uint64_t now_ns, uint8_t byte)
{
    uint64_t start_ns = line->send_free_ns > now_ns ? line->send_free_ns : now_ns;
    uint64_t buffered_ns = LINE_SEND_BUFFER_BYTES * line->byte_ns;

    (void)timed_put(&line->outgoing, start_ns, byte); /* out of memory: as if the line had lost it */
    line->send_free_ns = start_ns + line->byte_ns;
    return line->send_free_ns > now_ns + buffered_ns ? line->send_free_ns - buffered_ns : now_ns;
}

size_t line_sent(struct line *line, uint8_t *bytes, size_t room, uint64_t *at_ns)
{
    struct timed_bytes *queue = &line->outgoing;
    uint64_t next_ns;
    size_t taken = 0;

    if (queue->count == 0)
        return 0;
    *at_ns = queue->at_ns[queue->first];
    next_ns = *at_ns;
    while (taken < room && queue->count > 0 && queue->at_ns[queue->first] == next_ns) {
        bytes[taken++] = queue->byte[queue->first];
        timed_drop_first(queue);
        next_ns += line->byte_ns;
    }
    return taken;
}
