/* blink 1.1.0: one statement more than 1.0.0, so that all code behind it moves by a few bytes. */
#define BLINK_VERSION "1.1.0"
#define AFTER_BANNER() uart_send('\a')
