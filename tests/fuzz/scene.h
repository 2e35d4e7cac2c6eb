/* scene.h: what may lie in flash when power comes: images in their places, and boot records, right or nearly so. */
#ifndef FUZZ_SCENE_H
#define FUZZ_SCENE_H

#include "bench.h"

/* Images into both slots. */
void scene_slots(struct bench *bench, struct input *in);
/* Both record units: bodies and marks from the input, with names that mean something and with right CRCs as it is drawn. */
void scene_records(struct bench *bench, struct input *in);
/* Any bytes anywhere; and cells that read either way. */
void scene_bytes(struct bench *bench, struct input *in);
void scene_weak(struct bench *bench, struct input *in);

#endif
