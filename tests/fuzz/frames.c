/* frames: any bytes and right frames around any bodies, to the loader and to the application, with time between. */
#include "session.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    static deed *const deeds[] = {do_frame, do_frame, do_frame, do_raw, do_offer, do_blocks, do_restart, do_time};
    struct input in = {bytes, count};
    struct bench bench;

    bench_open(&bench, &in);
    bench_place(&bench, 0, bench_image(&bench, 0));
    bench.only_approved = true;
    bench_power_on(&bench, BOARD_WEAK_OLD);
    if ((take_u8(&in) & 1U) != 0U) {
        bench_pass(&bench, 100000);
        bench_go_on(&bench);
    }
    bench_play(&bench, &in, deeds, sizeof deeds / sizeof *deeds);
    check_alive(&bench);
    bench_close(&bench);
    return 0;
}
