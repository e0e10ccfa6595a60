#define _GNU_SOURCE
#include "CPMIx.h"

#include <errno.h>

#if __has_include(<pmix.h>)

#include <dlfcn.h>
#include <limits.h>
#include <pmix.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// The functions that are used, under the names that the library has for them. Macros of pmix.h that turn into calls of
// others would bring the library back into NEEDED, so structures are filled by hand.
#define FUNCTIONS(each) \
    each(PMIx_Init) each(PMIx_Finalize) each(PMIx_Put) each(PMIx_Commit) each(PMIx_Fence_nb) each(PMIx_Get) \
    each(PMIx_Error_string)

#define DECLARE(name) __typeof__(name) *name;
static struct { FUNCTIONS(DECLARE) } pmix;

static pmix_proc_t self, everyone;

/// A fence under way. Static, because it may end after the wait for it has been given up.
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t ended;
    pmix_info_t collect;
    bool has_ended;
    pmix_status_t status;
} fence = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/// The library: one that is in the process already, the launcher's own, or the system's.
///
/// A client does not understand every server of a later version, and an MPI that brings its own library must not find
/// the symbols of another one: they stay local.
static void *open_library(void) {
    static const char name[] = "libpmix.so.2";
    void *opened = dlopen(name, RTLD_NOW | RTLD_NOLOAD);
    // Variables by which Open MPI 5 and PRRTE say where they are, if they are not where they were built for.
    static const char *const prefixes[] = {"PMIX_PREFIX", "OPAL_PREFIX"};
    static const char *const directories[] = {"lib/openmpi", "lib", "lib64/openmpi", "lib64"};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        const char *prefix = getenv(prefixes[i]);
        for (size_t j = 0; prefix && j < sizeof directories / sizeof *directories && !opened; j++) {
            char path[PATH_MAX];
            int length = snprintf(path, sizeof path, "%s/%s/%s", prefix, directories[j], name);
            if (length > 0 && (size_t)length < sizeof path) opened = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        }
    }
    return opened ? opened : dlopen(name, RTLD_NOW | RTLD_LOCAL);
}

const char *dlp_pmix_open(void) {
    static void *library;
    if (library) return NULL;
    void *opened = open_library();
    if (!opened) return dlerror();
#define RESOLVE(name) \
    if (!(pmix.name = (__typeof__(name) *)dlsym(opened, #name))) return "libpmix.so.2 has no function " #name;
    FUNCTIONS(RESOLVE)
    library = opened;
    return NULL;
}

const char *dlp_pmix_message(int code) {
    if (code == ETIME) return "it took too long";
    return pmix.PMIx_Error_string(code);
}

static pmix_info_t flag(const char *key) {
    pmix_info_t info;
    memset(&info, 0, sizeof info);
    strncpy(info.key, key, PMIX_MAX_KEYLEN);
    info.value.type = PMIX_BOOL;
    info.value.data.flag = true;
    return info;
}

/// A number that the launcher gave this process from the start; 0 where it did not.
static uint32_t number(const char *key) {
    pmix_info_t local = flag(PMIX_OPTIONAL);
    pmix_value_t *value = NULL;
    if (pmix.PMIx_Get(&everyone, key, &local, 1, &value) != PMIX_SUCCESS || !value) return 0;
    uint32_t result = value->type == PMIX_UINT32 ? value->data.uint32 : 0;
    free(value);
    return result;
}

int dlp_pmix_begin(struct dlp_pmix_place *place) {
    pmix_status_t status = pmix.PMIx_Init(&self, NULL, 0);
    if (status != PMIX_SUCCESS) return status;
    everyone = self;
    everyone.rank = PMIX_RANK_WILDCARD;
    place->rank = self.rank;
    place->size = number(PMIX_JOB_SIZE);
    place->local_size = number(PMIX_LOCAL_SIZE);
    return 0;
}

int dlp_pmix_publish(const char *key, const char *text) {
    pmix_value_t value;
    memset(&value, 0, sizeof value);
    value.type = PMIX_STRING;
    // The library copies it.
    value.data.string = (char *)text;
    pmix_status_t status = pmix.PMIx_Put(PMIX_GLOBAL, key, &value);
    return status == PMIX_SUCCESS ? pmix.PMIx_Commit() : status;
}

static void fence_ended(pmix_status_t status, void *context) {
    (void)context;
    pthread_mutex_lock(&fence.mutex);
    fence.status = status;
    fence.has_ended = true;
    pthread_cond_signal(&fence.ended);
    pthread_mutex_unlock(&fence.mutex);
}

int dlp_pmix_fence(int milliseconds) {
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&fence.ended, &monotonic);
    fence.has_ended = false;
    fence.collect = flag(PMIX_COLLECT_DATA);
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    long long nanoseconds = deadline.tv_nsec + milliseconds * 1000000LL;
    deadline.tv_sec += nanoseconds / 1000000000;
    deadline.tv_nsec = nanoseconds % 1000000000;

    pmix_status_t status = pmix.PMIx_Fence_nb(&everyone, 1, &fence.collect, 1, fence_ended, NULL);
    if (status == PMIX_OPERATION_SUCCEEDED) return 0;
    if (status != PMIX_SUCCESS) return status;
    pthread_mutex_lock(&fence.mutex);
    int error = 0;
    while (!fence.has_ended && !error) error = pthread_cond_timedwait(&fence.ended, &fence.mutex, &deadline);
    status = fence.has_ended ? fence.status : ETIME;
    pthread_mutex_unlock(&fence.mutex);
    // Some ranks have ended: the code that waits for one of them will say which.
    return status == PMIX_ERR_PARTIAL_SUCCESS ? 0 : status;
}

int dlp_pmix_look_up(const char *key, uint32_t rank, int seconds, char *text, size_t capacity) {
    pmix_proc_t owner = everyone;
    owner.rank = rank;
    pmix_info_t limit = flag(PMIX_TIMEOUT);
    limit.value.type = PMIX_INT;
    limit.value.data.integer = seconds;
    pmix_value_t *value = NULL;
    pmix_status_t status = pmix.PMIx_Get(&owner, key, &limit, 1, &value);
    if (status != PMIX_SUCCESS) return status;
    bool fits = value->type == PMIX_STRING && value->data.string && strlen(value->data.string) < capacity;
    if (fits) strcpy(text, value->data.string);
    if (value->type == PMIX_STRING) free(value->data.string);
    free(value);
    return fits ? 0 : PMIX_ERR_BAD_PARAM;
}

int dlp_pmix_end(void) { return pmix.PMIx_Finalize(NULL, 0); }

#else

const char *dlp_pmix_open(void) { return "this program was built without pmix.h (Debian: libpmix-dev)"; }
const char *dlp_pmix_message(int code) { return code == ENOSYS ? dlp_pmix_open() : ""; }
int dlp_pmix_begin(struct dlp_pmix_place *place) { return (void)place, ENOSYS; }
int dlp_pmix_publish(const char *key, const char *value) { return (void)key, (void)value, ENOSYS; }
int dlp_pmix_fence(int milliseconds) { return (void)milliseconds, ENOSYS; }
int dlp_pmix_look_up(const char *key, uint32_t rank, int seconds, char *value, size_t capacity) {
    return (void)key, (void)rank, (void)seconds, (void)value, (void)capacity, ENOSYS;
}
int dlp_pmix_end(void) { return ENOSYS; }

#endif
