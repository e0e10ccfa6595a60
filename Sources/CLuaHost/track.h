// The recording of what examples do; see track.c.
#pragma once

#include "host.h"

/// The hook, called at each call.
void dlp_track_call(lua_State *L, lua_Debug *event);

/// An example begins, or has ended. Must only be called if there is a tracker.
void dlp_track_begin(lua_State *L, lua_Integer index);
void dlp_track_end(lua_State *L);

/// The running example does something that cannot be recorded, such as starting a program.
void dlp_track_anything_done(host *h);
