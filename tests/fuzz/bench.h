/* bench.h: one board around the real core, a host that speaks to it, and what must hold whatever it is told: no rule of the
 * flash broken, no hang, no jump to what is not whole, no flash touched by what is refused, right frames as answers.
 * What does not hold ends the process: that is a finding. */
#ifndef FUZZ_BENCH_H
#define FUZZ_BENCH_H

#include "input.h"
#include "messages.h"
#include "simulated.h"

#define PAGE_MOST 128U
#define SLOT_MOST 3U
#define SPAN_MOST (PAGE_MOST * (2U * SLOT_MOST + 1U))
#define FRAME_MOST 208U
#define IMAGES 4U      /* 0 came from the factory; the last is for the single slot where there is one */
#define LAST_IMAGE 4U  /* the one that bench_next_push brings */

/* A span, its manifest, and its name. */
struct image {
    uint16_t pages; /* 0: not made yet */
    uint32_t crc;
    uint8_t span[SPAN_MOST];
    uint8_t manifest[OTA_MANIFEST_BYTES];
};

struct bench {
    struct board *board;
    struct ota_geometry geometry;
    enum board_event event;
    enum board_weak weak;        /* how weak bits read in this boot, and after the next cut */
    bool read_error;             /* one was planned: what the core read is not what lies there */
    bool worn;                   /* a page was worn out */
    bool given_up;               /* an image for the single slot was offered: nothing need run any more */
    bool only_approved;          /* the images of this bench are all that may run */
    bool pushes;                 /* a whole update is tried at the end; half of the inputs say so, since it takes most of the time */
    uint16_t reply_bytes;        /* longest reply allowed */
    uint8_t serial;
    uint8_t reply[FRAME_MOST];   /* the last one, CRC taken off; of this many bytes, 0: none came */
    size_t reply_count;
    struct image images[IMAGES + 1U];
};

/* Ends the process with a finding unless it holds. */
void must(const struct bench *bench, bool holds, const char *what);

/* A board with a geometry from the input, flash blank, no power. */
void bench_open(struct bench *bench, struct input *in);
void bench_close(struct bench *bench);

struct image *bench_image(struct bench *bench, uint32_t number);
/* Writes an image into flash from logical page `page` on, as a programmer on a wire would. */
void bench_place(struct bench *bench, uint16_t page, const struct image *image);
/* CRC-32 of its own, not the core's. */
uint32_t bench_crc(const uint8_t *bytes, size_t count);

void bench_power_on(struct bench *bench, enum board_weak weak);
/* Lets time pass; ends early where the board leaves its loader, restarts or loses power. */
void bench_pass(struct bench *bench, uint64_t us);
/* What follows when it has: the application starts, the power comes back. */
void bench_go_on(struct bench *bench);

void bench_say_raw(struct bench *bench, const uint8_t *bytes, size_t count);
/* Frames a body, sends it, and judges what it did. */
void bench_say(struct bench *bench, uint8_t kind, uint16_t session, const uint8_t *body, size_t count);
/* The first byte of the reply's body if it has this kind, else -1. */
int bench_answer(const struct bench *bench, uint8_t kind);

/* At a jump: what lies in the primary slot is whole, and is what the record names. */
void check_jump(struct bench *bench);
/* Someone answers Inspect: the loader, or the application that it started. */
void check_alive(struct bench *bench);
/* A whole update goes through, whatever was before. Power must be on, and no fault be planned. */
void check_next_push(struct bench *bench);
/* Power comes back once more, and an approved image is started. */
void check_not_nothing(struct bench *bench);

#endif
