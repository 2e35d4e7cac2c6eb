// Blinks, says twice a second which version runs, confirms itself after three lines, and takes updates while it does so.
#include <avr/wdt.h>
#include <otaflash_serial.h>

OTAFLASH_RAM(ram, OTAFLASH_STAGES_BYTES);

static uint8_t lines;

void setup()
{
    Serial.begin(115200);
    pinMode(LED_BUILTIN, OUTPUT);
    otaflash_begin(&otaflash_serial, ram, sizeof ram);
}

void loop()
{
    static uint32_t said_ms;

    wdt_reset(); // a trial runs under a watchdog of 2 s
    otaflash_poll();
    if (millis() - said_ms < 500) {
        return;
    }
    said_ms += 500;
    digitalWrite(LED_BUILTIN, !digitalRead(LED_BUILTIN));
    Serial.write((uint8_t)0);
    Serial.println(F("sketch 1.0.0"));
    Serial.write((uint8_t)0);
    if (++lines == 3) {
        otaflash_confirm();
    }
}
