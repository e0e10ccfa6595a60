// Lua 5.4 as the distribution ships it.
#include <lua.h>
#include <lualib.h>
#include <lauxlib.h>
