"""Reads `swift package dump-package` and prints each dependency between modules that is imported but not declared, or
declared but not imported.

SwiftPM refuses cycles, but not this: a module can be imported undeclared if another dependency brings it along. A
target that imports a module must also declare the modules that this one re-exports. Otherwise a change in them would
not rebuild the target.
"""

import json
import pathlib
import re
import sys

IMPORT = re.compile(
    r"^(?:@\w+\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?"
    r"import\s+(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(\w+)", re.M)
EXPORT = re.compile(r"^@_exported\s+(?:public\s+)?import\s+(\w+)", re.M)
# The modules that the toolchain and the system provide.
GIVEN = {"Dispatch", "Glibc", "Swift", "Synchronization", "Testing", "XCTest"}
FOLDERS = {"test": "Tests", "regular": "Sources", "executable": "Sources"}


def names(dependency):
    """Returns the name of a declared dependency's module."""
    return next(iter(dependency.values()))[0]


package = json.load(sys.stdin)
# Programs that tests start are built for the tests, but not imported.
PROGRAMS = {target["name"].replace("-", "_") for target in package["targets"] if target["type"] == "executable"}


def files_of(target):
    """Returns the Swift files of a target."""
    folder = target.get("path") or f"{FOLDERS.get(target['type'], 'Sources')}/{target['name']}"
    return sorted(pathlib.Path(folder).rglob("*.swift"))


# The modules that a module re-exports.
handed_on = {
    target["name"].replace("-", "_"): {name for file in files_of(target) for name in EXPORT.findall(file.read_text())}
    for target in package["targets"]
}
for target in package["targets"]:
    files = files_of(target) if target["type"] in FOLDERS else []
    if not files:
        continue
    declared = {names(dependency).replace("-", "_") for dependency in target["dependencies"]}
    drawn = {}
    for file in files:
        for module in IMPORT.findall(file.read_text()):
            for name in {module} | handed_on.get(module, set()):
                drawn.setdefault(name, file)
    for module, file in sorted(drawn.items()):
        if module not in declared | GIVEN | {target["name"].replace("-", "_")}:
            print(f"{file} imports {module}, which the target {target['name']} does not declare")
    for module in sorted(declared - set(drawn) - PROGRAMS):
        print(f"the target {target['name']} declares {module}, which none of its files imports")
