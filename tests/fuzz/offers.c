/* offers: whole updates, with every message in any order, and power, resets, read errors and worn pages between. */
#include "session.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

/* What is promised while the flash takes what is written and reads as it lies there. */
static void check_promises(struct bench *bench)
{
    board_plan_cut(bench->board, 0, BOARD_CUT_NONE);
    bench_power_on(bench, bench->weak);
    bench_go_on(bench);
    check_alive(bench);
    if (bench->worn)
        return;
    if (!bench->given_up)
        check_not_nothing(bench);
    bench_go_on(bench);
    check_next_push(bench);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    static deed *const deeds[] = {
        do_offer, do_image, do_apply, do_decision, do_time, do_restart, do_cut, do_blocks, do_survey, do_report,
        do_confirm_itself, do_reset, do_frame, do_read_error, do_wear, do_raw,
    };
    struct input in = {bytes, count};
    struct bench bench;

    bench_open(&bench, &in);
    bench_place(&bench, 0, bench_image(&bench, 0));
    bench.only_approved = true;
    bench_power_on(&bench, BOARD_WEAK_OLD);
    bench_play(&bench, &in, deeds, sizeof deeds / sizeof *deeds);
    check_promises(&bench);
    bench_close(&bench);
    return 0;
}
