#define _GNU_SOURCE
#include "inputs.h"

#include <stdlib.h>

// Numbers and UTF-8 in texts.

static locale_t plain_locale;

static void make_plain_locale(void) { plain_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0); }

double dlp_to_double(const char *text, char **end) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_plain_locale);
    return plain_locale != (locale_t)0 ? strtod_l(text, end, plain_locale) : strtod(text, end);
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The powers of ten that a double holds exactly.
static const double exact_powers[] = {
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
};

const char *dlp_push_number(lua_State *L, const char *text, const char **place) {
    bool is_negative = *text == '-';
    const char *s = text + is_negative, *first = s;
    uint64_t digits = 0;
    if (*s == '0') s++;
    else
        for (; is_digit(*s); s++) digits = digits * 10 + (uint64_t)(*s - '0');
    *place = s;
    if (s == first) return NULL;
    long count = s - first, exponent = 0;
    bool is_integer = *s != '.' && (*s | 32) != 'e';
    if (is_integer && count <= 19 && digits <= (uint64_t)INT64_MAX + is_negative) {
        lua_pushinteger(L, (lua_Integer)(is_negative ? 0 - digits : digits));
        return s;
    }
    if (*s == '.') {
        const char *point = s++;
        for (; is_digit(*s); s++) digits = digits * 10 + (uint64_t)(*s - '0');
        *place = s;
        if (s == point + 1) return NULL;
        exponent = point + 1 - s;
        count -= exponent;
    }
    if ((*s | 32) == 'e') {
        s++;
        bool shrinks = *s == '-';
        if (*s == '-' || *s == '+') s++;
        const char *start = s;
        long power = 0;
        for (; is_digit(*s); s++) power = power < 10000 ? power * 10 + (*s - '0') : power;
        *place = s;
        if (s == start) return NULL;
        exponent += shrinks ? -power : power;
    }
    double value;
    // If two numbers are exact, their quotient and product are rounded only once.
    if (count <= 19 && digits <= (uint64_t)1 << 53 && exponent >= -22 && exponent <= 22) {
        value = (double)digits;
        value = exponent < 0 ? value / exact_powers[-exponent] : value * exact_powers[exponent];
        if (is_negative) value = -value;
    } else {
        value = dlp_to_double(text, NULL);
    }
    lua_pushnumber(L, value);
    return s;
}

const char *dlp_find_invalid_utf8(const char *text, const char *end) {
    const unsigned char *s = (const unsigned char *)text, *stop = (const unsigned char *)end;
    while (s < stop) {
        unsigned char c = *s;
        if (c < 0x80) {
            s++;
            continue;
        }
        int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
        if (c < 0xc2 || c > 0xf4 || stop - s <= more) return (const char *)s;
        // Refuses encodings that are too long, surrogates, and code points above U+10FFFF.
        unsigned char low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80, high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
        if (s[1] < low || s[1] > high) return (const char *)s;
        for (int i = 2; i <= more; i++)
            if ((s[i] & 0xc0) != 0x80) return (const char *)s;
        s += more + 1;
    }
    return NULL;
}
