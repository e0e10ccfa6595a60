/* The module "clock" of the jobs. It adds what stock Lua lacks for measuring: a fine clock, the CPU time of a thread, a sleep. */
#include <lauxlib.h>
#include <time.h>

static double seconds(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* now() -> seconds of a clock that all processes of the machine share. */
static int l_now(lua_State *L)
{
    lua_pushnumber(L, seconds(CLOCK_MONOTONIC));
    return 1;
}

/* spin(t): uses t seconds of this thread's CPU time. */
static int l_spin(lua_State *L)
{
    double end = seconds(CLOCK_THREAD_CPUTIME_ID) + luaL_checknumber(L, 1);
    while (seconds(CLOCK_THREAD_CPUTIME_ID) < end) {}
    return 0;
}

/* sleep(t): waits for t seconds without using the CPU. */
static int l_sleep(lua_State *L)
{
    double t = luaL_checknumber(L, 1);
    struct timespec wait = {(time_t)t, (long)(1e9 * (t - (double)(time_t)t))};
    while (nanosleep(&wait, &wait) != 0) {}
    return 0;
}

int luaopen_clock(lua_State *L)
{
    static const luaL_Reg functions[] = {{"now", l_now}, {"spin", l_spin}, {"sleep", l_sleep}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
