#include <dlfcn.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * Loaded into an interpreter that is started before its program, in its sandbox (LD_PRELOAD, ld.so(8)), to make its start
 * and its end cheaper. It calls CPython by names of the stable ABI only, whatever its version is, and removes its own
 * variable before that is read, so that neither the program nor what it starts has it.
 *
 * - An interpreter writes to nearly every page of its data while it starts. The kernel makes them all at once, in place of
 *   one at each fault.
 * - When an interpreter ends, its garbage collector looks at all that there is twice, and takes apart the thousands of
 *   objects of its own modules. gc.freeze() takes those that are there before the program out of its sight.
 *
 * What is frozen is not collected, nor is what only it refers to. The namespace of `__main__` is the program's and must not be
 * frozen: functions refer to it, and whatever is in it would never be finalized. So `__main__` is made anew.
 */

/* Of Linux 5.14; older headers lack it, older kernels refuse it. */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

typedef struct _object PyObject;

/* Weak: an executable that does not have them is none of CPython. */
#define WEAK __attribute__((weak))
WEAK int Py_IsInitialized(void);
WEAK int PyGILState_Ensure(void);
WEAK void PyGILState_Release(int state);
WEAK PyObject *PyImport_GetModuleDict(void);
WEAK PyObject *PyImport_ImportModule(const char *name);
WEAK PyObject *PyObject_CallMethod(PyObject *object, const char *name, const char *format, ...);
WEAK PyObject *PyModule_New(const char *name);
WEAK PyObject *PyModule_GetDict(PyObject *module);
WEAK PyObject *PyDict_New(void);
WEAK int PyDict_Update(PyObject *dict, PyObject *other);
WEAK PyObject *PyDict_GetItemString(PyObject *dict, const char *key);
WEAK int PyDict_SetItemString(PyObject *dict, const char *key, PyObject *value);
WEAK int PyDict_DelItemString(PyObject *dict, const char *key);
WEAK void PyErr_Clear(void);
WEAK void Py_DecRef(PyObject *object);

/*
 * Called for the executable first. The part of its data that is read-only once it is relocated comes before all other and
 * would be refused.
 */
static int populate(struct dl_phdr_info *executable, size_t size, void *unused)
{
    (void)size;
    (void)unused;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t start = 0;
    uintptr_t end = 0;
    for (int i = 0; i < executable->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &executable->dlpi_phdr[i];
        uintptr_t from = executable->dlpi_addr + segment->p_vaddr;
        uintptr_t to = from + segment->p_memsz;
        if (segment->p_type == PT_GNU_RELRO)
            start = to;
        else if (segment->p_type == PT_LOAD && (segment->p_flags & PF_W) != 0)
            end = to;
    }
    start = (start + page - 1) & -page;
    end = (end + page - 1) & -page;
    if (start != 0 && start < end)
        madvise((void *)start, end - start, MADV_POPULATE_WRITE);
    return 1;
}

__attribute__((constructor)) static void begin(void)
{
    unsetenv("LD_PRELOAD");
    if (Py_IsInitialized != NULL)
        dl_iterate_phdr(populate, NULL);
}

/* Puts a module in the place of `__main__` that has the same in its namespace; false if that fails. */
static bool renew_main(PyObject *modules)
{
    PyObject *old = PyDict_GetItemString(modules, "__main__");
    PyObject *new = PyModule_New("__main__");
    PyObject *annotations = PyDict_New();
    if (old == NULL || new == NULL || annotations == NULL)
        return false;
    PyObject *names = PyModule_GetDict(new);
    if (PyDict_Update(names, PyModule_GetDict(old)) != 0)
        return false;
    /* It has its own from the start up to Python 3.13, for the program to fill. */
    if (PyDict_GetItemString(names, "__annotations__") != NULL &&
        PyDict_SetItemString(names, "__annotations__", annotations) != 0)
        return false;
    if (PyDict_SetItemString(modules, "__main__", new) != 0)
        return false;
    Py_DecRef(new);
    Py_DecRef(annotations);
    return true;
}

/* Where something fails, as gc.freeze() does before Python 3.7, the interpreter ends as any other. */
static void freeze(void)
{
    int state = PyGILState_Ensure();
    PyObject *modules = PyImport_GetModuleDict();
    bool is_imported = PyDict_GetItemString(modules, "gc") != NULL;
    PyObject *gc = PyImport_ImportModule("gc");
    if (gc != NULL) {
        if (PyObject_CallMethod(gc, "freeze", NULL) != NULL && !renew_main(modules))
            PyObject_CallMethod(gc, "unfreeze", NULL);
        if (!is_imported)
            PyDict_DelItemString(modules, "gc");
        Py_DecRef(gc);
    }
    PyErr_Clear();
    PyGILState_Release(state);
}

/* The first file that is opened once everything is there is the program. Built for large files, CPython calls this. */
FILE *fopen64(const char *path, const char *mode)
{
    static FILE *(*next)(const char *, const char *);
    static bool is_begun;
    if (next == NULL)
        next = (FILE * (*)(const char *, const char *)) dlsym(RTLD_NEXT, "fopen64");
    if (!is_begun && Py_IsInitialized != NULL && Py_IsInitialized()) {
        is_begun = true;
        freeze();
    }
    return next(path, mode);
}
