#include "runner.h"

#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

/*
 * System V objects, which outlive the processes that made them: the namespace is the sandbox's own, so all are the
 * program's. POSIX message queues would too, but none can be made (syscalls.h).
 */

#ifndef SHM_STAT_ANY
#define SHM_STAT_ANY 15
#endif
#ifndef SEM_STAT_ANY
#define SEM_STAT_ANY 20
#endif
#ifndef MSG_STAT_ANY
#define MSG_STAT_ANY 13
#endif

union semaphore_argument {
    int value;
    struct semid_ds *status;
    struct seminfo *info;
};

/* The INFO calls return the highest index in use, the STAT_ANY calls the id of the object at an index (shmctl(2)). */
static void remove_memory(void)
{
    struct shm_info info;
    int last = shmctl(0, SHM_INFO, (struct shmid_ds *)&info);
    for (int i = 0; i <= last; i += 1) {
        struct shmid_ds status;
        int id = shmctl(i, SHM_STAT_ANY, &status);
        if (id >= 0 && shmctl(id, IPC_RMID, NULL) != 0)
            die_errno("shmctl IPC_RMID");
    }
}

static void remove_semaphores(void)
{
    struct seminfo info;
    int last = semctl(0, 0, SEM_INFO, (union semaphore_argument){.info = &info});
    for (int i = 0; i <= last; i += 1) {
        struct semid_ds status;
        int id = semctl(i, 0, SEM_STAT_ANY, (union semaphore_argument){.status = &status});
        if (id >= 0 && semctl(id, 0, IPC_RMID) != 0)
            die_errno("semctl IPC_RMID");
    }
}

static void remove_queues(void)
{
    struct msginfo info;
    int last = msgctl(0, MSG_INFO, (struct msqid_ds *)&info);
    for (int i = 0; i <= last; i += 1) {
        struct msqid_ds status;
        int id = msgctl(i, MSG_STAT_ANY, &status);
        if (id >= 0 && msgctl(id, IPC_RMID, NULL) != 0)
            die_errno("msgctl IPC_RMID");
    }
}

void ipc_remove_all(void)
{
    remove_memory();
    remove_semaphores();
    remove_queues();
}
