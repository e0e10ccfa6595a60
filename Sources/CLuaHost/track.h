// What is noted of examples while they run; see track.c.
#pragma once

#include "host.h"

/// The hook, called at each call.
void dlp_track_call(lua_State *L, lua_Debug *event);

/// An example begins, or has ended, where there is a tracker.
void dlp_track_begin(lua_State *L, lua_Integer index);
void dlp_track_end(lua_State *L);

/// The example under way does what nobody can note, such as to start a program.
void dlp_track_anything_done(host *h);
