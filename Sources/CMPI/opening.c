#define _GNU_SOURCE
#include "CMPI.h"

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>

void dlp_mpi_find_loaded(const char *name, char *file, size_t capacity) {
    void *handle = dlopen(name, RTLD_NOW | RTLD_NOLOAD);
    if (!handle) return;
    struct link_map *map;
    if (dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0) snprintf(file, capacity, "%s", map->l_name);
    dlclose(handle);
}

const struct dlp_mpi_table *dlp_mpi_open_plugin(const char *file, char *problem, size_t capacity) {
    // Global, because an MPI library may open modules of its own that look for its symbols.
    void *handle = dlopen(file, RTLD_NOW | RTLD_GLOBAL);
    if (!handle) {
        snprintf(problem, capacity, "%s", dlerror());
        return NULL;
    }
    const struct dlp_mpi_table *(*plugin)(void) = (const struct dlp_mpi_table *(*)(void))dlsym(handle, "dlp_mpi_plugin");
    const struct dlp_mpi_table *table = plugin ? plugin() : NULL;
    if (!table) {
        snprintf(problem, capacity, "%s is no MPI plugin of dlp-lua", file);
    } else if (table->version != DLP_MPI_TABLE_VERSION) {
        snprintf(problem, capacity, "%s is an MPI plugin of another dlp-lua, of version %u, not %u", file, table->version,
                 (unsigned)DLP_MPI_TABLE_VERSION);
    } else {
        return table;
    }
    dlclose(handle);
    return NULL;
}
