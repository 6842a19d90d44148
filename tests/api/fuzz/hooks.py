"""Leaves out programs that are refused for what JSON Schema has no words for."""

import schemathesis


def collide(names):
    """Whether a name is there twice, or is also the folder of another."""
    files = set(names)
    folders = {name[:i] for name in files for i, letter in enumerate(name) if letter == "/"}
    return len(files) < len(names) or bool(files & folders)


def has_long_glob(body):
    globs = body.get("artifacts")
    return isinstance(globs, list) and any(isinstance(glob, str) and len(glob.encode()) > 255 for glob in globs)


def fits_description(body):
    if not isinstance(body, dict):
        return True
    if has_long_glob(body):
        return False
    if not isinstance(body.get("files"), list):
        return True
    names = [file.get("name") for file in body["files"] if isinstance(file, dict)]
    if not all(isinstance(name, str) for name in names):
        return True
    limits = body.get("limits")
    # How much of the work folder the files themselves take.
    bounded = isinstance(limits, dict) and ("work_inodes" in limits or "work_bytes" in limits)
    # The description counts characters, the file system bytes.
    return not (bounded or collide(names) or any(len(name.encode()) > 255 for name in names))


@schemathesis.hook
def filter_body(context, body):
    return fits_description(body)
