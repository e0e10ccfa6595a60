#include "CMPI.h"

#include <dlfcn.h>
#include <stdio.h>

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
