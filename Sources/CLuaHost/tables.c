#include "host.h"

#include <limits.h>
#include <string.h>

// Runs of numbers and the shapes of tables are read, and runs of numbers written, directly in Lua 5.4's memory: with Lua's
// functions it would take ten times as long. The layout is that of lobject.h in all releases of 5.4; on each new state it is
// tested whether it applies. Where it does not, the functions of Lua's interface are used.

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "typed arrays are little-endian, and copied as they are");
_Static_assert(sizeof(lua_Integer) == 8 && sizeof(lua_Number) == 8, "Lua's numbers have 64 bits");

typedef union {
    lua_Integer integer;
    lua_Number number;
    const void *address;
} number;

/// A value, with its type.
typedef struct {
    number value;
    uint8_t type;
} slot;

typedef struct {
    number value;
    uint8_t type, key_type;
    int next;
    number key;
} node;

typedef struct {
    void *next;
    uint8_t type, marked, flags, log_of_nodes;
    unsigned array_limit;
    slot *array;
    node *nodes;
    /// NULL: there are no nodes, except the one that all tables share.
    node *last_free;
} table;

typedef struct {
    void *next;
    uint8_t type, marked, extra, short_length;
    unsigned hash;
    /// Only in long strings; in short ones, which are all different, something else.
    size_t long_length;
    char bytes[];
} string;

/// The types are Lua's; bits 4 and 5 contain a variant. 0 in bits 0 to 3 means nil of any variant. Bit 6 says that the
/// value is an address.
enum {
    INTEGER = LUA_TNUMBER,
    FLOAT = LUA_TNUMBER | 1 << 4,
    FALSE = LUA_TBOOLEAN,
    TRUE = LUA_TBOOLEAN | 1 << 4,
    SHORT_STRING = LUA_TSTRING,
    LONG_STRING = LUA_TSTRING | 1 << 4,
    TYPE = 0x0f,
    VARIANT = 0x3f
};

static bool is_nil(uint8_t type) { return (type & TYPE) == LUA_TNIL; }

/// How many elements the array has room for. Lua may store the length of the sequence in this place, and marks that by a
/// flag; then the room is the next power of two.
static size_t array_size(const table *t) {
    unsigned size = t->array_limit;
    if (!(t->flags & 1 << 7) || (size & (size - 1)) == 0) return size;
    return (size_t)1 << (32 - __builtin_clz(size));
}

static size_t node_count(const table *t) { return t->last_free == NULL ? 0 : (size_t)1 << t->log_of_nodes; }

/// The table at `index` in memory; NULL if it is no table, or if we do not know the layout.
static const table *table_at(lua_State *L, int index) {
    return host_of(L)->sees_tables && lua_type(L, index) == LUA_TTABLE ? lua_topointer(L, index) : NULL;
}

/// Reads a value; returns false if it is no scalar.
static bool read_scalar(number value, uint8_t type, dlp_scalar *scalar) {
    switch (type & VARIANT) {
    case INTEGER:
    case FLOAT:
        // The bits are copied as they are.
        *scalar = (dlp_scalar){type == INTEGER ? dlp_integer : dlp_float, .integer = value.integer};
        return true;
    case FALSE:
    case TRUE:
        *scalar = (dlp_scalar){dlp_boolean, .boolean = (type & VARIANT) == TRUE};
        return true;
    case SHORT_STRING:
    case LONG_STRING: {
        const string *s = value.address;
        size_t length = (type & VARIANT) == SHORT_STRING ? s->short_length : s->long_length;
        *scalar = (dlp_scalar){dlp_string, .bytes = s->bytes, .length = length};
        return true;
    }
    default: return false;
    }
}

// MARK: Whether tables have the expected layout

static bool looks_right(const table *t, size_t array, size_t nodes) {
    return array_size(t) == array && node_count(t) == nodes;
}

static bool finds_array(lua_State *L) {
    lua_createtable(L, 8, 0);
    const table *t = lua_topointer(L, -1);
    if (!looks_right(t, 8, 0)) return false;
    lua_pushnumber(L, 1.5);
    lua_rawseti(L, -2, 1);
    lua_pushinteger(L, -7);
    lua_rawseti(L, -2, 2);
    for (int i = 3; i <= 5; i++) {
        lua_pushboolean(L, 1);
        lua_rawseti(L, -2, i);
    }
    // When Lua is asked for the length, it stores it in place of the size, if it is more than half of the size.
    return lua_rawlen(L, -1) == 5 && looks_right(t, 8, 0) && t->array[0].type == FLOAT && t->array[0].value.number == 1.5 &&
           t->array[1].type == INTEGER && t->array[1].value.integer == -7 &&
           (t->array[4].type & TYPE) == LUA_TBOOLEAN && is_nil(t->array[5].type) && is_nil(t->array[7].type);
}

static bool finds_nodes(lua_State *L) {
    lua_createtable(L, 0, 4);
    const table *t = lua_topointer(L, -1);
    if (!looks_right(t, 0, 4)) return false;
    lua_pushnumber(L, 2.5);
    lua_setfield(L, -2, "key");
    lua_pushinteger(L, 11);
    lua_rawseti(L, -2, 7);
    int strings = 0, integers = 0, nils = 0;
    for (size_t i = 0; i < node_count(t); i++) {
        const node *n = &t->nodes[i];
        if (is_nil(n->type)) nils++;
        else if (n->type == FLOAT && n->value.number == 2.5) strings += (n->key_type & TYPE) == LUA_TSTRING;
        else if (n->type == INTEGER && n->value.integer == 11) integers += n->key_type == INTEGER && n->key.integer == 7;
    }
    return strings == 1 && integers == 1 && nils == 2;
}

static bool finds_scalars(lua_State *L) {
    lua_createtable(L, 5, 0);
    static const char *texts[] = {"", "short", "longer than all strings of which there is only one each"};
    for (int i = 0; i < 3; i++) {
        lua_pushstring(L, texts[i]);
        lua_rawseti(L, -2, i + 1);
    }
    for (int i = 0; i < 2; i++) {
        lua_pushboolean(L, i);
        lua_rawseti(L, -2, i + 4);
    }
    const table *t = lua_topointer(L, -1);
    dlp_scalar found[5];
    for (int i = 0; i < 5; i++) {
        if (!read_scalar(t->array[i].value, t->array[i].type, &found[i])) return false;
    }
    for (int i = 0; i < 3; i++) {
        lua_rawgeti(L, -1, i + 1);
        if (found[i].type != dlp_string || found[i].length != strlen(texts[i]) || found[i].bytes != lua_tostring(L, -1))
            return false;
        lua_pop(L, 1);
    }
    return found[3].type == dlp_boolean && !found[3].boolean && found[4].type == dlp_boolean && found[4].boolean;
}

int dlp_open_tables(lua_State *L) {
    host_of(L)->sees_tables =
        LUA_VERSION_NUM == 504 && lua_version(L) == 504 && finds_array(L) && finds_nodes(L) && finds_scalars(L);
    return 0;
}

bool dlp_sees_tables(lua_State *L) { return host_of(L)->sees_tables; }

void dlp_overlook_tables(lua_State *L) { host_of(L)->sees_tables = false; }

// MARK: Shapes

/// Adds the number to the shape as the next of a sequence.
static void add_number(dlp_shape *shape, uint8_t type, lua_Integer value) {
    if (type != INTEGER) {
        shape->is_integers = false;
        if (type != FLOAT) shape->is_floats = false;
        return;
    }
    if (shape->count == 0 || value < shape->low) shape->low = value;
    if (shape->count == 0 || value > shape->high) shape->high = value;
    shape->is_floats = false;
}

/// Finds the shape of a table of the most common layout: its integer keys are in the array. Returns false for any other.
static bool classify_at_sight(const table *t, dlp_shape *shape) {
    size_t size = array_size(t), i = 0;
    for (; i < size && !is_nil(t->array[i].type); i++) {
        add_number(shape, t->array[i].type, t->array[i].value.integer);
        shape->count++;
    }
    for (; i < size; i++) {
        if (is_nil(t->array[i].type)) continue;
        shape->is_sequence = false;
        shape->count++;
    }
    for (size_t n = node_count(t); n > 0; n--) {
        const node *entry = &t->nodes[n - 1];
        if (is_nil(entry->type)) continue;
        if (entry->key_type == INTEGER) return false;
        shape->is_sequence = false;
        shape->count++;
    }
    return true;
}

static dlp_shape classify_by_walk(lua_State *L, int index) {
    dlp_shape shape = {0, true, true, true, 0, 0};
    lua_Integer largest = 0;
    lua_pushnil(L);
    while (lua_next(L, index)) {
        if (lua_isinteger(L, -2)) {
            lua_Integer key = lua_tointeger(L, -2);
            if (key < 1) shape.is_sequence = false;
            if (key > largest) largest = key;
        } else {
            shape.is_sequence = false;
        }
        bool is_integer = lua_isinteger(L, -1), is_number = lua_type(L, -1) == LUA_TNUMBER;
        add_number(&shape, is_integer ? INTEGER : is_number ? FLOAT : LUA_TNIL, is_integer ? lua_tointeger(L, -1) : 0);
        shape.count++;
        lua_pop(L, 1);
    }
    // The keys are distinct integers from 1 on, and there are as many as the largest: so they are 1 ... count.
    if ((lua_Unsigned)largest != shape.count) shape.is_sequence = false;
    return shape;
}

dlp_shape dlp_classify(lua_State *L, int index) {
    dlp_shape shape = {0, true, true, true, 0, 0};
    const table *t = table_at(L, index);
    if (t != NULL && classify_at_sight(t, &shape)) return shape;
    return classify_by_walk(L, lua_absindex(L, index));
}

// MARK: Scalars

/// Reads all entries of a map, from 1 on those of its array.
static bool read_entries(const table *t, dlp_scalar *scalars) {
    for (size_t i = 0, size = array_size(t); i < size; i++) {
        if (is_nil(t->array[i].type)) continue;
        scalars[0] = (dlp_scalar){dlp_integer, .integer = (lua_Integer)i + 1};
        if (!read_scalar(t->array[i].value, t->array[i].type, &scalars[1])) return false;
        scalars += 2;
    }
    for (size_t n = node_count(t); n > 0; n--) {
        const node *entry = &t->nodes[n - 1];
        if (is_nil(entry->type)) continue;
        if (!read_scalar(entry->key, entry->key_type, &scalars[0])) return false;
        if (!read_scalar(entry->value, entry->type, &scalars[1])) return false;
        scalars += 2;
    }
    return true;
}

/// Reads the value at `index` by Lua's functions; returns false if it is no scalar.
static bool convert_scalar(lua_State *L, int index, dlp_scalar *scalar) {
    switch (lua_type(L, index)) {
    case LUA_TNUMBER:
        if (lua_isinteger(L, index)) *scalar = (dlp_scalar){dlp_integer, .integer = lua_tointeger(L, index)};
        else *scalar = (dlp_scalar){dlp_float, .number = lua_tonumber(L, index)};
        return true;
    case LUA_TBOOLEAN: *scalar = (dlp_scalar){dlp_boolean, .boolean = lua_toboolean(L, index)}; return true;
    case LUA_TSTRING:
        *scalar = (dlp_scalar){.type = dlp_string};
        scalar->bytes = lua_tolstring(L, index, &scalar->length);
        return true;
    default: return false;
    }
}

bool dlp_read_scalars(lua_State *L, int index, dlp_shape shape, dlp_scalar *scalars) {
    const table *t = table_at(L, index);
    if (t != NULL && !shape.is_sequence) return read_entries(t, scalars);
    if (t != NULL && array_size(t) >= shape.count) {
        for (size_t i = 0; i < shape.count; i++) {
            if (!read_scalar(t->array[i].value, t->array[i].type, &scalars[i])) return false;
        }
        return true;
    }

    int top = lua_gettop(L);
    index = lua_absindex(L, index);
    bool are_scalars = lua_checkstack(L, 3);
    if (shape.is_sequence) {
        for (size_t i = 0; are_scalars && i < shape.count; i++) {
            lua_rawgeti(L, index, (lua_Integer)i + 1);
            are_scalars = convert_scalar(L, -1, &scalars[i]);
            lua_settop(L, top);
        }
        return are_scalars;
    }
    if (are_scalars) lua_pushnil(L);
    for (; are_scalars && lua_next(L, index); scalars += 2) {
        are_scalars = convert_scalar(L, -2, &scalars[0]) && convert_scalar(L, -1, &scalars[1]);
        lua_pop(L, 1);
    }
    lua_settop(L, top);
    return are_scalars;
}

void dlp_look_ahead(lua_State *L, int index, size_t element) {
    // Tables in tables are found one after another: first the table, then where its entries are, then their strings.
    enum { STRINGS = 4, ENTRIES = 8, TABLE = 16 };
    const table *t = table_at(L, index);
    if (t == NULL || element + TABLE >= array_size(t)) return;
    const slot *ahead = t->array + element;
    if ((ahead[TABLE].type & TYPE) == LUA_TTABLE) __builtin_prefetch(ahead[TABLE].value.address);
    if ((ahead[ENTRIES].type & TYPE) == LUA_TTABLE) {
        const table *inner = ahead[ENTRIES].value.address;
        __builtin_prefetch(inner->array);
        __builtin_prefetch(inner->nodes);
        __builtin_prefetch((const char *)inner->nodes + 64);
    }
    if ((ahead[STRINGS].type & TYPE) != LUA_TTABLE) return;
    const table *inner = ahead[STRINGS].value.address;
    size_t count = node_count(inner);
    for (size_t n = 0; n < (count < 8 ? count : 8); n++) {
        if ((inner->nodes[n].type & TYPE) == LUA_TSTRING) __builtin_prefetch(inner->nodes[n].value.address);
    }
    for (size_t i = 0, size = array_size(inner); i < (size < 8 ? size : 8); i++) {
        if ((inner->array[i].type & TYPE) == LUA_TSTRING) __builtin_prefetch(inner->array[i].value.address);
    }
}

// MARK: Runs of numbers

/// Returns the elements of the sequence at `index` if all `count` lie in the array; otherwise NULL.
static slot *elements(lua_State *L, int index, size_t count) {
    const table *t = table_at(L, index);
    return t != NULL && array_size(t) >= count ? t->array : NULL;
}

static number element(lua_State *L, int index, const slot *array, size_t i) {
    if (array != NULL) return array[i].value;
    number value;
    lua_rawgeti(L, index, (lua_Integer)i + 1);
    if (lua_isinteger(L, -1)) value.integer = lua_tointeger(L, -1);
    else value.number = lua_tonumber(L, -1);
    lua_pop(L, 1);
    return value;
}

void dlp_read_numbers(lua_State *L, int index, dlp_number type, size_t count, void *bytes) {
    index = lua_absindex(L, index);
    const slot *array = elements(L, index, count);
#define READ(NARROW)                                                                                                   \
    for (size_t i = 0; i < count; i++) {                                                                               \
        NARROW value = (NARROW)element(L, index, array, i).integer;                                                    \
        memcpy((char *)bytes + i * sizeof value, &value, sizeof value);                                                \
    }                                                                                                                  \
    break
    switch (type) {
    case dlp_int8: READ(int8_t);
    case dlp_int16: READ(int16_t);
    case dlp_int32: READ(int32_t);
    // The bits are copied as they are, so floats need no case of their own.
    case dlp_int64:
    case dlp_float64: READ(int64_t);
    }
#undef READ
}

void dlp_push_numbers(lua_State *L, dlp_number type, const void *bytes, size_t count) {
    lua_createtable(L, count > INT_MAX ? INT_MAX : (int)count, 0);
    slot *array = elements(L, -1, count);
#define WRITE(NARROW)                                                                                                  \
    for (size_t i = 0; i < count; i++) {                                                                               \
        NARROW value;                                                                                                  \
        memcpy(&value, (const char *)bytes + i * sizeof value, sizeof value);                                          \
        if (array != NULL) {                                                                                           \
            array[i] = (slot){.value.integer = value, .type = type == dlp_float64 ? FLOAT : INTEGER};                  \
            continue;                                                                                                  \
        }                                                                                                              \
        number pushed = {.integer = value};                                                                            \
        if (type == dlp_float64) lua_pushnumber(L, pushed.number);                                                     \
        else lua_pushinteger(L, pushed.integer);                                                                       \
        lua_rawseti(L, -2, (lua_Integer)i + 1);                                                                        \
    }                                                                                                                  \
    break
    switch (type) {
    case dlp_int8: WRITE(int8_t);
    case dlp_int16: WRITE(int16_t);
    case dlp_int32: WRITE(int32_t);
    case dlp_int64:
    case dlp_float64: WRITE(int64_t);
    }
#undef WRITE
}
