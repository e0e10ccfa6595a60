/* The manager loop that C programs on MPI write: rank 0 sends the next index to each rank that returns a result. manager N K */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

static double kernel(long example, long turns)
{
    volatile double x = (double)example;
    for (long i = 0; i < turns; i++) x = x * 0.5 + 1.0;
    return x;
}

static void manage(long count, int ranks)
{
    double *results = calloc((size_t)count + 1, sizeof *results);
    long *held = calloc((size_t)ranks, sizeof *held);
    long next = 0;
    double begin = MPI_Wtime();
    for (int rank = 1; rank < ranks; rank++) {
        held[rank] = next < count ? next++ : -1;
        MPI_Send(&held[rank], 1, MPI_LONG, rank, 0, MPI_COMM_WORLD);
    }
    for (long done = 0; done < count; done++) {
        double result;
        MPI_Status status;
        MPI_Recv(&result, 1, MPI_DOUBLE, MPI_ANY_SOURCE, 0, MPI_COMM_WORLD, &status);
        results[held[status.MPI_SOURCE]] = result;
        held[status.MPI_SOURCE] = next < count ? next++ : -1;
        MPI_Send(&held[status.MPI_SOURCE], 1, MPI_LONG, status.MPI_SOURCE, 0, MPI_COMM_WORLD);
    }
    printf("{\"seconds\": %.9f}\n", MPI_Wtime() - begin);
    free(results);
    free(held);
}

static void work(long turns)
{
    for (;;) {
        long example;
        MPI_Recv(&example, 1, MPI_LONG, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        if (example < 0) return;
        double result = kernel(example, turns);
        MPI_Send(&result, 1, MPI_DOUBLE, 0, 0, MPI_COMM_WORLD);
    }
}

/* A single rank has no workers. It runs the plain loop, by which the kernel is calibrated. */
static void alone(long count, long turns)
{
    double sum = 0, begin = MPI_Wtime();
    for (long example = 0; example < count; example++) sum += kernel(example, turns);
    printf("{\"seconds\": %.9f, \"sum\": %g}\n", MPI_Wtime() - begin, sum);
}

int main(int argc, char **argv)
{
    int rank, ranks;
    if (argc != 3) return 2;
    long count = atol(argv[1]), turns = atol(argv[2]);
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    MPI_Barrier(MPI_COMM_WORLD);
    if (ranks == 1) alone(count, turns);
    else if (rank == 0) manage(count, ranks);
    else work(turns);
    MPI_Finalize();
    return 0;
}
