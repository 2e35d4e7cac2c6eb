/* blink 1.0.0 */
#define BLINK_VERSION "1.0.0"
#define AFTER_BANNER() ((void)0)
