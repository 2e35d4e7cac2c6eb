/* record: any boot record at power-up, over slots that hold an image or do not. */
#include "scene.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct input in = {bytes, count};
    struct bench bench;

    bench_open(&bench, &in);
    scene_slots(&bench, &in);
    scene_records(&bench, &in);
    bench_power_on(&bench, BOARD_WEAK_OLD);
    if ((take_u8(&in) & 1U) != 0U)
        bench_pass(&bench, 1000000); /* into the image, if there is one */
    bench_go_on(&bench);
    check_alive(&bench);
    check_next_push(&bench);
    bench_close(&bench);
    return 0;
}
