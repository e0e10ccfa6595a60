#include "host.h"

#include <string.h>

// Lua 5.4's math.random is xoshiro256** (Blackman and Vigna, 2018). Its four words lie in a userdata that is its first
// upvalue. We write these words and do not call math.randomseed, because there is a seed for each example.
//
// Seeding runs the generator for sixteen steps, which are linear over GF(2): each bit of the seed adds, by exclusive or, its
// own four words to the state. So the step from one example's state to the next one's takes a few words for each bit in which
// their indices differ, and these are two bits on average.

static uint64_t rotate_left(uint64_t x, int n) { return (x << n) | (x >> (64 - n)); }

/// Runs the sixteen steps whose output is not used.
static void discard_steps(uint64_t s[4]) {
    for (int i = 0; i < 16; i++) {
        uint64_t s2 = s[2] ^ s[0], s3 = s[3] ^ s[1];
        uint64_t s1 = s[1];
        s[1] = s1 ^ s2;
        s[0] ^= s3;
        s[2] = s2 ^ (s1 << 17);
        s[3] = rotate_left(s3, 45);
    }
}

static void begin(random_seeder *r, lua_Integer first) {
    r->first = first;
    r->second = 0;
    memcpy(r->seeded, (uint64_t[4]){(uint64_t)first, 0xff, 0, 0}, sizeof r->seeded);
    discard_steps(r->seeded);
}

static void seed(random_seeder *r, lua_Integer first, lua_Integer second) {
    if (first != r->first) begin(r, first);
    for (uint64_t bits = (uint64_t)(r->second ^ second); bits != 0; bits &= bits - 1) {
        const uint64_t *column = r->columns[__builtin_ctzll(bits)];
        for (int i = 0; i < 4; i++) r->seeded[i] ^= column[i];
    }
    r->second = second;
}

static int open_body(lua_State *L) {
    random_seeder *r = &host_of(L)->random;
    for (int bit = 0; bit < 64; bit++) {
        r->columns[bit][2] = UINT64_C(1) << bit;
        discard_steps(r->columns[bit]);
    }
    begin(r, 0);
    lua_getglobal(L, "math");
    lua_getfield(L, -1, "randomseed");
    lua_pushvalue(L, -1);
    r->seed_reference = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pushinteger(L, 42);
    lua_pushinteger(L, 43);
    lua_call(L, 2, 0);
    lua_getfield(L, -1, "random");
    if (lua_getupvalue(L, -1, 1) != NULL && lua_type(L, -1) == LUA_TUSERDATA && lua_rawlen(L, -1) == sizeof r->seeded) {
        seed(r, 42, 43);
        // Another version of Lua may keep something else there. Then math.randomseed itself is called.
        void *words = lua_touserdata(L, -1);
        if (memcmp(r->seeded, words, sizeof r->seeded) == 0) r->words = words;
    }
    return 0;
}

void dlp_random_open(lua_State *L) {
    lua_pushcfunction(L, open_body);
    if (lua_pcall(L, 0, 0, 0) != LUA_OK) lua_pop(L, 1);
}

static void seed_numbers(lua_State *L, lua_Integer first, lua_Integer second) {
    random_seeder *r = &host_of(L)->random;
    if (r->words) {
        seed(r, first, second);
        memcpy(r->words, r->seeded, sizeof r->seeded);
        return;
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, r->seed_reference);
    lua_pushinteger(L, first);
    lua_pushinteger(L, second);
    if (lua_pcall(L, 2, 0, 0) != LUA_OK) lua_pop(L, 1);
}

void dlp_random_seed(lua_State *L, lua_Integer first, lua_Integer second) {
    random_seeder *r = &host_of(L)->random;
    r->called_first = first;
    r->called_second = second;
    r->calls++;
    seed_numbers(L, first, second);
}

// MARK: For the loops of the module

/// `seed(first, second)`: does what `math.randomseed` does.
static int seed_function(lua_State *L) {
    seed_numbers(L, luaL_checkinteger(L, 1), luaL_checkinteger(L, 2));
    return 0;
}

/// `numbers()`: returns the state of `math.random` as a string; nothing if it is not known.
static int numbers_function(lua_State *L) {
    uint64_t *words = host_of(L)->random.words;
    if (words == NULL) return 0;
    lua_pushlstring(L, (const char *)words, sizeof host_of(L)->random.seeded);
    return 1;
}

/// `set_numbers(numbers)`: restores the state that `numbers` returned.
static int set_numbers_function(lua_State *L) {
    random_seeder *r = &host_of(L)->random;
    size_t length = 0;
    const char *numbers = lua_tolstring(L, 1, &length);
    if (r->words && numbers && length == sizeof r->seeded) memcpy(r->words, numbers, length);
    return 0;
}

/// `seeding()`: returns the two parts of the seed of the current call from the host, and a number that is unique to that
/// call.
static int seeding_function(lua_State *L) {
    const random_seeder *r = &host_of(L)->random;
    lua_pushinteger(L, r->called_first);
    lua_pushinteger(L, r->called_second);
    lua_pushinteger(L, r->calls);
    return 3;
}

/// The last steps of SplitMix64 (Steele, Lea and Flood, 2014), which spread each bit over all bits.
static uint64_t spread(uint64_t x) {
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/// `mix(first, second)`: combines two numbers into one, for the seeds of loops that begin while these two are the seed.
static int mix_function(lua_State *L) {
    uint64_t first = (uint64_t)luaL_checkinteger(L, 1), second = (uint64_t)luaL_checkinteger(L, 2);
    uint64_t step = UINT64_C(0x9e3779b97f4a7c15);
    lua_pushinteger(L, (lua_Integer)spread(spread(first + step) + second + step));
    return 1;
}

void dlp_set_random_functions(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"seed", seed_function},       {"numbers", numbers_function}, {"set_numbers", set_numbers_function},
        {"seeding", seeding_function}, {"mix", mix_function},         {NULL, NULL},
    };
    luaL_setfuncs(L, functions, 0);
}
