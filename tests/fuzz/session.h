/* session.h: what a fuzzed host, its link and its power supply may do, one thing at a time, drawn from the input. */
#ifndef FUZZ_SESSION_H
#define FUZZ_SESSION_H

#include "bench.h"

typedef void deed(struct bench *bench, struct input *in);

/* Any bytes on the line. */
deed do_raw;
/* A right frame around any body, of any kind. */
deed do_frame;
deed do_time;
deed do_reset;
/* A manifest in parts, maybe with a byte changed. */
deed do_offer;
/* A run of blocks of an image, maybe with a byte changed; then all of them, in some order. */
deed do_blocks;
deed do_image;
deed do_report;
deed do_survey;
/* Apply; Confirm or Revert of some image; Enter or Reboot; the application's own confirmation. */
deed do_apply;
deed do_decision;
deed do_restart;
deed do_confirm_itself;
/* Power fails at a flash operation that is still to come; or now. */
deed do_cut;
deed do_read_error;
deed do_wear;

/* Deeds by the first byte of each, until the input ends. */
void bench_play(struct bench *bench, struct input *in, deed *const *deeds, uint32_t count);

#endif
