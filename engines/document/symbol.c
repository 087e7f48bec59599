#include "document/symbol.h"

uint32_t symbol_to_unicode(Str font, uint32_t c)
{
    static const struct {
        bool wingdings;
        uint8_t from;
        uint16_t to;
    } chars[] = {
        {false, 0xA3, 0x2264}, {false, 0xA5, 0x221E}, {false, 0xAB, 0x2194}, {false, 0xAC, 0x2190},
        {false, 0xAD, 0x2191}, {false, 0xAE, 0x2192}, {false, 0xAF, 0x2193}, {false, 0xB0, 0x00B0},
        {false, 0xB1, 0x00B1}, {false, 0xB3, 0x2265}, {false, 0xB4, 0x00D7}, {false, 0xB7, 0x2022},
        {false, 0xB8, 0x00F7}, {false, 0xB9, 0x2260}, {false, 0xBB, 0x2248}, {false, 0xD6, 0x221A},
        {false, 0xDE, 0x21D2}, {false, 0xE5, 0x2211}, {false, 0xF2, 0x222B}, {true, 0x6C, 0x25CF},
        {true, 0x6E, 0x25A0},  {true, 0x6F, 0x25A1},  {true, 0x76, 0x2756},  {true, 0xA7, 0x25AA},
        {true, 0xA8, 0x25FB},  {true, 0xD8, 0x27A2},  {true, 0xDF, 0x2190},  {true, 0xE0, 0x2192},
        {true, 0xFB, 0x2717},  {true, 0xFC, 0x2713},  {true, 0xFD, 0x2612},  {true, 0xFE, 0x2611},
    };
    uint32_t code = c >= 0xF000 && c <= 0xF0FF ? c - 0xF000 : c;
    bool wingdings = str_starts(font, STR("Wingdings"));
    if (!wingdings && !str_eq_nocase(font, STR("Symbol")))
        return c >= 0xF000 && c <= 0xF0FF ? 0 : c;
    for (size_t i = 0; i < COUNT_OF(chars); i++)
        if (chars[i].wingdings == wingdings && chars[i].from == code)
            return chars[i].to;
    if (wingdings)
        return 0;
    uint32_t letter = code | 0x20;
    if (letter < 'a' || letter > 'z')
        return code < 0x80 ? code : 0;
    Str row = code < 'a' ? STR("ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ") : STR("αβχδεφγηιϕκλμνοπθρστυϖωξψζ");
    size_t at = 0;
    for (uint32_t k = 'a'; k < letter; k++)
        str_next_utf8(row, &at);
    return str_next_utf8(row, &at);
}
